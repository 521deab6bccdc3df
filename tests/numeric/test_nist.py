"""NIST StRD non-linear regression (https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml): certified values of
power and saturation type, reached from both certified starts by the optimiser of `solver/polish.py`. Parameters are
in logs, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from azeotrope.laws._law import Floats, Law, Parameter, law
from azeotrope.solver.many import fit_many, make_goal
from azeotrope.solver.polish import polish

_PRESSURE = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
_VOLUME = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]


def _parameters(count: int) -> tuple[Parameter, ...]:
    return tuple(Parameter(f"b{i + 1}", "1", 1e-12, 1e12) for i in range(count))


class Certified(Law):
    """A NIST model; the derivative by the log of each parameter is numerical, by central differences."""

    symbols = ("D",)
    formula = reference = right_when = ""
    count: ClassVar[int] = 2
    parameters = _parameters(2)

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        rows = []
        for i in range(params.shape[-1]):
            shift = np.where(np.arange(params.shape[-1]) == i, 1e-6, 0.0)
            rows.append((self.predict(params * np.exp(shift), x) - self.predict(params * np.exp(-shift), x)) / 2e-6)
        return self.predict(params, x), np.stack(rows, axis=-2)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        raise NotImplementedError("started from the certified starts, never from a grid")


class Misra1a(Certified):
    def predict(self, params: Floats, x: Floats) -> Floats:
        return params[..., :1] * -np.expm1(-params[..., 1:2] * x[0])


class Misra1b(Certified):
    def predict(self, params: Floats, x: Floats) -> Floats:
        return params[..., :1] * (1 - (1 + params[..., 1:2] * x[0] / 2) ** -2)


class Misra1c(Certified):
    def predict(self, params: Floats, x: Floats) -> Floats:
        return params[..., :1] * (1 - (1 + 2 * params[..., 1:2] * x[0]) ** -0.5)


class Misra1d(Certified):
    def predict(self, params: Floats, x: Floats) -> Floats:
        return params[..., :1] * params[..., 1:2] * x[0] / (1 + params[..., 1:2] * x[0])


class Mgh09(Certified):
    parameters = _parameters(4)

    def predict(self, params: Floats, x: Floats) -> Floats:
        b1, b2, b3, b4 = (params[..., i : i + 1] for i in range(4))
        return b1 * (x[0] ** 2 + x[0] * b2) / (x[0] ** 2 + x[0] * b3 + b4)


class Rat42(Certified):
    parameters = _parameters(3)

    def predict(self, params: Floats, x: Floats) -> Floats:
        b1, b2, b3 = (params[..., i : i + 1] for i in range(3))
        return b1 / (1 + np.exp(b2 - b3 * x[0]))


class BoxBod(Misra1a):
    pass


@dataclass(frozen=True)
class Problem:
    model: Certified
    x: list[float]
    y: list[float]
    starts: tuple[tuple[float, ...], tuple[float, ...]]
    certified: tuple[float, ...]


PROBLEMS = (
    Problem(Misra1a(), _PRESSURE, _VOLUME, ((500, 1e-4), (250, 5e-4)), (2.3894212918e02, 5.5015643181e-04)),
    Problem(Misra1b(), _PRESSURE, _VOLUME, ((500, 1e-4), (300, 2e-4)), (3.3799746163e02, 3.9039091287e-04)),
    Problem(Misra1c(), _PRESSURE, _VOLUME, ((500, 1e-4), (600, 2e-4)), (6.3642725809e02, 2.0813627256e-04)),
    Problem(Misra1d(), _PRESSURE, _VOLUME, ((500, 1e-4), (450, 3e-4)), (4.3736970754e02, 3.0227324449e-04)),
    Problem(
        Mgh09(),
        [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
        [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
        ((25, 39, 41.5, 39), (0.25, 0.39, 0.415, 0.39)),
        (1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01),
    ),
    Problem(
        Rat42(),
        [9, 14, 21, 28, 42, 57, 63, 70, 79],
        [8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08],
        ((100, 1, 0.1), (75, 2.5, 0.07)),
        (7.2462237576e01, 2.6180768402e00, 6.7359200066e-02),
    ),
    Problem(
        BoxBod(),
        [1, 2, 3, 5, 7, 10],
        [109, 149, 149, 191, 213, 224],
        ((1, 1), (100, 0.75)),
        (2.1380940889e02, 5.4723748542e-01),
    ),
)


@pytest.mark.parametrize("start", [0, 1], ids=["far", "near"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p.model).__name__)
def test_certified_values_to_five_digits_from_both_starts(problem: Problem, start: int) -> None:
    goal = make_goal(
        problem.model,
        np.array([problem.x], float),
        np.array([problem.y], float),
        weights=None,
        fixed={},
        priors=False,
        huber=None,
        space="error",
    )
    found = polish(goal, np.log(np.array([problem.starts[start]], float)))
    assert found.converged[0]
    np.testing.assert_allclose(np.exp(found.theta[0]), problem.certified, rtol=4e-6)


def test_danwood_is_our_power_law_and_needs_no_start() -> None:
    x = np.array([1.309, 1.471, 1.490, 1.565, 1.611, 1.680])
    y = np.array([2.138, 3.421, 3.597, 4.340, 4.882, 5.660])
    fits = fit_many(law("power"), 1 / x, y, priors=False, space="error")  # y = b1 x^b2 falls in 1/x
    np.testing.assert_allclose(fits.natural()[0], [7.6886226176e-01, 3.8604055871e00], rtol=1e-6)
