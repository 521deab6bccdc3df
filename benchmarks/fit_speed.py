"""Speed of the vectorised fit beside SciPy on one objective: Hoffmann et al.'s, on the 240 points of their figure.

Both run in this process, on one thread, one after the other. SciPy is L-BFGS-B with analytic gradient from the 4,500
starts of the original grid (Hoffmann et al. 2022, appendix D.2). Run: `OMP_NUM_THREADS=1 python
benchmarks/fit_speed.py [starts]`.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import minimize

from azeotrope.laws._law import law
from azeotrope.solver.many import HUBER_DELTA, Fits, fit_many

BOOTSTRAPS = 1000
REPEATS = 5
STARTS = list(
    itertools.product(
        np.arange(0, 2.5, 0.5),
        np.arange(0, 2.5, 0.5),
        np.arange(0, 30, 5),
        np.arange(0, 30, 5),
        np.arange(-1, 1.5, 0.5),
    )
)
"""a, b, log A, log B, log E: 5 x 5 x 6 x 6 x 5 = 4,500."""


def points() -> tuple[np.ndarray, np.ndarray]:
    folder = os.environ.get("AZEOTROPE_PUBLISHED_DATA") or Path(__file__).parents[2] / "shared" / "data"
    table = pl.read_csv(Path(folder) / "chinchilla.csv").filter(pl.col("used") == 1)
    return np.stack([table["parameters"].to_numpy(), table["train_tokens"].to_numpy()]), table["loss"].to_numpy()


def ours(x: np.ndarray, loss: np.ndarray) -> Fits:
    return fit_many(law("additive"), x, loss, priors=False, huber=HUBER_DELTA, starts_each=3)


def bootstrap(x: np.ndarray, loss: np.ndarray, fitted: Fits) -> Fits:
    n = len(loss)
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=BOOTSTRAPS).astype(float)
    data = np.broadcast_to(loss, (BOOTSTRAPS, n))
    return fit_many(law("additive"), x, data, weights=counts, priors=False, huber=HUBER_DELTA, start=fitted.params[0])


def scipys(x: np.ndarray, loss: np.ndarray, starts: list[tuple[float, ...]]) -> tuple[float, np.ndarray]:
    """The lowest objective that L-BFGS-B finds from these starts, and its (a, b, log A, log B, log E)."""
    log_n, log_d, target = np.log(x[0]), np.log(x[1]), np.log(loss)

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, log_a, log_b, log_e = point
        terms = np.stack([log_a - a * log_n, log_b - b * log_d, np.full_like(log_n, log_e)])
        predicted = np.logaddexp.reduce(terms)
        residual = predicted - target
        share = np.exp(terms - predicted)
        size = np.abs(residual)
        cost = np.where(size <= HUBER_DELTA, residual**2 / 2, HUBER_DELTA * (size - HUBER_DELTA / 2)).sum()
        pull = np.clip(residual, -HUBER_DELTA, HUBER_DELTA)
        by_a, by_b = -(pull * share[0] * log_n).sum(), -(pull * share[1] * log_d).sum()
        return float(cost), np.array([by_a, by_b, *(pull * share).sum(axis=1)])

    # far below the defaults, with which so small a sum stops early (Besiroglu et al. 2024)
    options = {"ftol": 1e-14, "gtol": 1e-10, "maxiter": 1000}
    results = [minimize(objective, start, jac=True, method="L-BFGS-B", options=options) for start in starts]
    best = min(results, key=lambda result: result.fun)
    return float(best.fun), best.x


def timed(repeats: int, call) -> tuple[list[float], object]:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - began)
    return seconds, result


def show(name: str, seconds: list[float], note: str) -> None:
    print(
        f"{name:44s} {np.median(seconds):9.4f} s (n = {len(seconds)}, {min(seconds):.4f} to {max(seconds):.4f})  {note}"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(STARTS)
    x, loss = points()
    fit_seconds, fitted = timed(REPEATS, lambda: ours(x, loss))
    boot_seconds, boots = timed(REPEATS, lambda: bootstrap(x, loss, fitted))
    picked = [STARTS[i] for i in np.random.default_rng(0).permutation(len(STARTS))[:count]]
    scipy_seconds, (lowest, _) = timed(1, lambda: scipys(x, loss, picked))
    show("azeotrope: one fit, grid and 3 polishes", fit_seconds, f"objective {fitted.objective[0]:.9e}")
    show(f"azeotrope: {BOOTSTRAPS} bootstraps", boot_seconds, f"converged {boots.converged.mean():.1%}")
    show(f"SciPy L-BFGS-B from {count} starts: one fit", scipy_seconds, f"objective {lowest:.9e}")
    print(f"one fit: {scipy_seconds[0] / np.median(fit_seconds):,.0f} x faster than SciPy here")
    print(
        f"even {BOOTSTRAPS} bootstraps: {scipy_seconds[0] / np.median(boot_seconds):,.0f} x faster than SciPy's one fit"
    )
    print(f"objective, ours / SciPy's: {fitted.objective[0] / lowest:.9f}")
    print("reference E 1.8172, A 477.8, B 2143, alpha 0.3473, beta 0.3672; ours", np.round(fitted.natural()[0], 4))


if __name__ == "__main__":
    main()
