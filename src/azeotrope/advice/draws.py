"""Joint draws of the arms' error curves: seeds, lack of fit and the choice of form in one set (METHOD 7, step 3).

Every draw moves the cell means by noise that is correlated between arms, and refits both arms with the same form; the
form itself is drawn by its hold-out weight. It reads nothing off the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.advice.cells import Floats, JointCells, correlation
from azeotrope.errors import NotIdentifiable
from azeotrope.fitting.average import HoldOut, hold_out, weights
from azeotrope.fitting.form import FormFit, Options, fit_form
from azeotrope.fitting.forms import default_forms
from azeotrope.fitting.many import Fits
from azeotrope.laws._law import Law, law

DRAWS = 2000
LEAST_FREEDOM = 2
"""A t distribution with one degree of freedom has no usable quantiles."""


@dataclass(frozen=True)
class Draws:
    """R draws of K error curves. `fits` holds, for each form that was drawn, one `Fits` an arm."""

    fits: tuple[tuple[Fits, ...], ...]
    forms: dict[str, float]

    def errors(self, sizes: Floats) -> Floats:
        """Error of every arm and draw at `sizes` [g]: [K, R, g]."""
        by_form = [np.stack([arm.predict(sizes) for arm in arms]) for arms in self.fits]
        return np.concatenate(by_form, axis=1)


def draw_curves(
    cells: JointCells, *, draws: int = DRAWS, seed: int = 0, priors: bool = True, form: str | None = None
) -> Draws:
    """Draw the curves of all arms together; `form` names one law instead of the weighted average of all that fit.

    Raises NotIdentifiable when no form has few enough parameters for these sizes.
    """
    options, curves = Options(priors=priors, seed=seed), [cells.curve(arm) for arm in range(len(cells.arms))]
    sizes = min(len(curve.sizes) for curve in curves)
    laws = [law(form)] if form else default_forms(("train_images",), sizes, cells.chance)
    if not laws:
        raise NotIdentifiable(
            "No law has few enough parameters for these sizes",
            found=f"{sizes} sizes",
            allowed="3 or more",
            next_step="add runs at other sizes",
        )
    share = _weights(laws, [hold_out(laws, curve, options) for curve in curves] if len(laws) > 1 else [])
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(draws, share)
    fits = tuple(
        _refit([fit_form(one, curve, options) for curve in curves], cells, count, generator)
        for one, count in zip(laws, counts, strict=True)
        if count
    )
    return Draws(fits, {one.key: float(part) for one, part in zip(laws, share, strict=True)})


def _weights(laws: Sequence[Law], held: Sequence[HoldOut]) -> Floats:
    """One weight a form, from the hold-out errors of all arms together: both arms are always refitted with the same."""
    by_arm = [one.squared_error for one in held if one.squared_error is not None]
    joint = np.mean(by_arm, axis=0) if by_arm and len(by_arm) == len(held) else None
    return weights(HoldOut(joint, ()), len(laws))


def _refit(arms: list[FormFit], cells: JointCells, count: int, generator: np.random.Generator) -> tuple[Fits, ...]:
    """`count` joint refits of one form."""
    spread, freedom = _spread(arms, cells)
    scale = np.sqrt(freedom / generator.chisquare(freedom, size=count))
    normal = generator.standard_normal((count, *spread.shape[:2]))
    moved = np.einsum("nij,rnj->irn", np.linalg.cholesky(spread), normal * scale[:, None, None])
    there = cells.runs > 0
    return tuple(arm.again(np.exp(cells.mean[i, there[i]] + moved[i][:, there[i]])) for i, arm in enumerate(arms))


def _spread(arms: list[FormFit], cells: JointCells) -> tuple[Floats, int]:
    """Covariance [n, K, K] of the cell means: the larger of seed noise and this form's lack of fit; its freedom."""
    misfit, spare = _lack_of_fit(arms, cells)
    ridge = 1e-12 * np.eye(len(arms))
    noise = cells.noise_of_means()
    if noise is None:
        return np.broadcast_to(misfit + ridge, (len(cells.sizes), *misfit.shape)), max(LEAST_FREEDOM, spare)
    if spare < 1:
        return noise + ridge, max(LEAST_FREEDOM, cells.freedom)
    larger = _larger(noise + ridge, misfit)
    dominated = np.trace(misfit) > np.trace(noise.mean(axis=0))
    return larger + ridge, max(LEAST_FREEDOM, spare if dominated else cells.freedom)


def _lack_of_fit(arms: list[FormFit], cells: JointCells) -> tuple[Floats, int]:
    """Covariance [K, K] of residuals of the cell means, and the degrees of freedom left over by the fit.

    Without any left, the spread that the fit assumed stands in, uncorrelated.
    """
    residual = np.full(cells.mean.shape, np.nan)
    for i, arm in enumerate(arms):
        residual[i, cells.runs[i] > 0] = arm.residuals
    free = len(arms[0].law.parameters) - len(arms[0].fixed)
    spare = int(cells.runs.astype(bool).sum(axis=1).min()) - free
    if spare < 1:
        return np.diag([arm.misfit**2 for arm in arms]), spare
    length = np.sqrt(np.nansum(residual**2, axis=1))
    return np.outer(length, length) / spare * correlation(residual[:, cells.common]), spare


def _larger(noise: Floats, misfit: Floats) -> Floats:
    """The smallest covariance [n, K, K] not below `noise` [n, K, K] nor `misfit` [K, K] in any direction."""
    root = np.linalg.cholesky(noise)
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ misfit @ inverse.transpose(0, 2, 1))
    turned = root @ vectors
    return np.asarray(turned * np.maximum(values, 1.0)[:, None, :] @ turned.transpose(0, 2, 1))
