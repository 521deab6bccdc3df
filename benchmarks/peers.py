"""Beside two packages that fit scaling laws, on the same tables, in one process: accuracy, coverage, time.

It needs its own environment (Python 3.12), for the peers are no dependency of ours: `pip install
simple-scaling-laws==0.2.0 chinchilla==0.2.0 pydantic fsspec`, then `PYTHONPATH=src python benchmarks/peers.py`.
`chinchilla` fits one form in two variables, so it stands in the first table only.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import simple_scaling_laws
from chinchilla import Chinchilla

from azeotrope.curves.fitted import average
from azeotrope.curves.fitted.applicable_laws import default_forms
from azeotrope.curves.fitted.draws import prediction_draws
from azeotrope.curves.fitted.law_fit import Options, fit_form
from fit_speed import bootstrap, ours, points
from vision_curves import Curve, curves, rmse

DRAWS = 200
LAWS = ("separable-power", "bounded-rational-power")
GRID = {
    "E": np.linspace(1, 2, 3),
    "a": np.linspace(1, 10, 3),
    "b": np.linspace(1, 10, 3),
    "alpha": np.linspace(0.1, 0.7, 3),
    "beta": np.linspace(0.1, 0.7, 3),
}
"""The ranges of `chinchilla`'s own manual, 3 values each where it shows 5: 243 starts."""


def objective(predicted: np.ndarray, loss: np.ndarray) -> float:
    """Sum of Huber, delta 1e-3, on log residuals: what Hoffmann et al. minimise."""
    size = np.abs(np.log(predicted) - np.log(loss))
    return float(np.where(size <= 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum())


def log_huber(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The same, per point, in `chinchilla`'s signature; it averages where the paper sums."""
    size = np.abs(np.log(observed) - np.log(np.maximum(predicted, 1e-300)))
    return np.where(size <= 1e-3, size**2 / 2, 1e-3 * (size - 5e-4))


def surface() -> None:
    x, loss = points()
    began = time.perf_counter()
    fitted = ours(x, loss)
    bootstrap(x, loss, fitted)
    row(
        "azeotrope, fit + 1,000 bootstraps",
        objective(fitted.predict(x)[0], loss),
        fitted.natural()[0, [0, 3, 4]],
        began,
    )
    table = pl.DataFrame(
        {
            "training_run_id": [str(i) for i in range(len(loss))],
            "test_set_id": "all",
            "model_size__n": x[0],
            "dataset_size__d": x[1],
            "test_loss__x": loss,
        }
    )
    began = time.perf_counter()
    model = simple_scaling_laws.fit(table, law="separable-power", n_draws=1000, seed=0)
    params = model.params("test_loss__x")
    middle = model.predict(table.select("model_size__n", "dataset_size__d"), quantiles=[0.5])["test_loss__x__median"]
    name = "simple-scaling-laws, fit + 1,000 draws"
    row(name, objective(middle.to_numpy(), loss), np.array([params[key] for key in ("E", "alpha", "beta")]), began)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        frame = pl.DataFrame({"C": 6 * x[0] * x[1], "N": x[0], "D": x[1], "loss": loss})
        frame.write_csv(Path(folder) / "df.csv")
        peer = Chinchilla(folder, param_grid=GRID, loss_fn=log_huber, log_level=logging.CRITICAL)
        peer.fit()
        params = peer.params
        predicted = peer.predict_loss(x[0], x[1])
    found = np.array([params[key] for key in ("E", "alpha", "beta")])
    row("chinchilla, fit from 243 starts, all cores", objective(np.asarray(predicted), loss), found, began)


def row(name: str, value: float, found: np.ndarray, began: float) -> None:
    seconds = time.perf_counter() - began
    e, a, b = found
    print(f"{name:44s} objective {value:.6e}  E {e:.4f}  alpha {a:.4f}  beta {b:.4f}  {seconds:8.2f} s", flush=True)


def our_curve(curve: Curve, seed: int) -> tuple[float, bool]:
    laws = default_forms(("train_images",), len(curve.cells.sizes), curve.cells.chance)
    forms = [fit_form(law, curve.cells, Options()) for law in laws]
    share = average.weights(average.hold_out(laws, curve.cells, Options()), len(laws))
    far = curve.later >= np.median(curve.later)
    draws = prediction_draws(forms, share, curve.later[None, far], DRAWS, np.random.default_rng(seed)).mean(axis=1)
    low, high = np.quantile(draws, [0.05, 0.95])
    missed = rmse(average.predict(forms, share, curve.later[None]), curve.error)
    return missed, bool(low <= np.log(curve.error[far]).mean() <= high)


def their_curve(curve: Curve, law: str, *, unit: bool) -> tuple[float, bool]:
    """Their interval of the mean is taken as the mean of their pointwise bounds: the widest that they can mean."""
    seen = pl.DataFrame(
        {
            "training_run_id": [str(i) for i in range(len(curve.cells.error))],
            "test_set_id": "all",
            "dataset_size__d": curve.cells.x[0],
            "test_loss__x": curve.cells.error,
        }
    )
    said = {"test_loss__x": {"support": "unit", "direction": "lower"}} if unit else None
    model = simple_scaling_laws.fit(seen, law=law, n_draws=DRAWS, seed=0, targets=said)
    found = model.predict(pl.DataFrame({"dataset_size__d": curve.later}), quantiles=[0.05, 0.5, 0.95])
    far = curve.later >= np.median(curve.later)
    low, middle, high = (np.log(found[f"test_loss__x__{q}"].to_numpy()) for q in ("q050", "median", "q950"))
    return rmse(np.exp(middle), curve.error), bool(
        low[far].mean() <= np.log(curve.error[far]).mean() <= high[far].mean()
    )


def extrapolation() -> None:
    every = list(curves())
    show("azeotrope, averaged", every, lambda curve, seed: our_curve(curve, seed))
    for law, unit in itertools.product(LAWS, (False, True)):
        name = f"simple-scaling-laws, {law}{', logit' if unit else ''}"
        show(name, every, lambda curve, _, law=law, unit=unit: their_curve(curve, law, unit=unit))


def show(name: str, every: list[Curve], score) -> None:
    began = time.perf_counter()
    found, failed = [], 0
    for seed, curve in enumerate(every):
        try:
            found.append(score(curve, seed))
        except (ValueError, RuntimeError, ArithmeticError) as error:
            failed += 1
            print(f"  {name}: {curve.name}: {error}")
    missed, covered = np.array(found, float).T
    seconds = time.perf_counter() - began
    print(
        f"{name:44s} RMSE {missed.mean():.4f} (sd {missed.std(ddof=1):.4f}, n = {len(found)}, failed {failed})  "
        f"90 % covers {covered.mean():.1%}  {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    surface()
    extrapolation()
