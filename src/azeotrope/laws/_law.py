"""What every law offers: a formula, its parameters, a vectorised prediction with derivatives, and a linear half for
starts.

A law knows nothing about data, weights or optimisers; `fitting/` does. All parameters are positive and are fitted in
logs. Every form here is covariant under a change of the unit of its axes, so the same function serves raw sizes with
natural parameters and sizes divided by a reference with parameters "at the reference": `Parameter.scale` says how one
becomes the other.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from azeotrope.lookup import member

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """Log-normal: log value ~ N(log median, log_sd²)."""

    median: float
    log_sd: float


@dataclass(frozen=True)
class Parameter:
    """One positive parameter.

    `low`, `high` and the prior's median are in `unit`; when `of_lowest_error` they are shares of the lowest error in
    the data. `grid` holds start values of a parameter that enters non-linearly; a parameter without one enters
    linearly and is solved for. `scale` lists (axis symbol, power): natural value = value at the reference × Π
    reference ** power, a power being a number, a parameter's name, or its name with a minus. `given` marks a constant
    that is known (chance error), never fitted.
    """

    name: str
    unit: str
    low: float
    high: float
    grid: tuple[float, ...] = ()
    prior: Prior | None = None
    scale: tuple[tuple[str, str], ...] = ()
    of_lowest_error: bool = False
    given: bool = False


class Law(ABC):
    """A formula. Shapes: `params` [..., p] in the order of `parameters`, `x` [axes, n] in the order of `symbols`,
    error [..., n].
    """

    formula: ClassVar[str]
    symbols: ClassVar[tuple[str, ...]]
    parameters: ClassVar[tuple[Parameter, ...]]
    reference: ClassVar[str]
    right_when: ClassVar[str]
    needs_positive: ClassVar[tuple[str, ...]] = ("D",)
    starts: ClassVar[int] = 1
    """How many of the best grid points are polished; more than one where the objective has several valleys."""

    @property
    def key(self) -> str:
        """The file's name."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def index(self, name: str) -> int:
        """Position of a parameter. Raises ValueError when the law has none of that name."""
        return self.names.index(name)

    @abstractmethod
    def predict(self, params: Floats, x: Floats) -> Floats:
        """Error [..., n]."""

    @abstractmethod
    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Error [..., n] and its derivatives by the log of each parameter [..., p, n]."""

    @abstractmethod
    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """Regressors [K, q, n] of the linear parameters at the grid points [K, non-linear]; `error` [n] is what was
        observed.
        """

    @property
    def linear(self) -> list[int]:
        """Positions of the parameters that are solved for inside the grid."""
        return [i for i, parameter in enumerate(self.parameters) if not (parameter.grid or parameter.given)]

    @property
    def nonlinear(self) -> list[int]:
        """Positions of the parameters that the grid runs over, constants included."""
        return [i for i, parameter in enumerate(self.parameters) if parameter.grid or parameter.given]

    def grid(self, fixed: Mapping[str, float]) -> Floats:
        """Start values of the non-linear parameters, [K, non-linear]; `fixed` ones take their value and no other."""
        choices = (
            (fixed[name],) if (name := self.names[i]) in fixed else self.parameters[i].grid for i in self.nonlinear
        )
        return np.array(list(itertools.product(*choices)))

    def natural(self, params: Floats, reference: Sequence[float] | Floats) -> Floats:
        """Parameters [..., p] at the reference sizes [axes] turned into those of the formula as written."""
        out = params.copy()
        for i, parameter in enumerate(self.parameters):
            for symbol, power in parameter.scale:
                size = reference[self.symbols.index(symbol)]
                out[..., i] *= size ** self._power(params, power)
        return out

    def _power(self, params: Floats, power: str) -> Floats | float:
        sign, name = (-1.0, power[1:]) if power.startswith("-") else (1.0, power)
        return sign * (params[..., self.index(name)] if name in self.names else float(name))


def law(key: str) -> Law:
    """The law of that name. Raises InputError with the nearest names when there is none."""
    found: Law = member("laws", key, "law").LAW
    return found


def part(params: Floats, position: int) -> Floats:
    """One parameter, shaped [..., 1] to meet the sizes [n]."""
    return params[..., position : position + 1]
