"""Joint draws of the arms' error curves: seeds, lack of fit and the choice of form in one set (METHOD 7, step 3).

Every draw moves the cell means by noise that is correlated between arms, and refits both arms with the same form; the
form itself is drawn by its weight. It reads nothing off the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from azeotrope.curves.applicable_laws import default_forms
from azeotrope.curves.joint_cells import Floats, JointCells, correlation
from azeotrope.curves.law_fit import FormFit, Options, fit_form
from azeotrope.curves.level import LevelLine
from azeotrope.curves.weighing import Question, judgeable, weigh
from azeotrope.errors import NotIdentifiable
from azeotrope.laws._law import law
from azeotrope.solver.many import Fits

DRAWS = 2000
BY_CHANCE = 0.1
"""Residuals of a right form are noise too; they count as lack of fit where noise leaves larger ones in 10 % of cases.

Taking the larger of the two whatever their freedom covered 98-99 % where 90 % was meant and the law was right.
"""
LEAST_FREEDOM = 2
"""A t distribution with one degree of freedom has no usable quantiles."""


@dataclass(frozen=True)
class Draws:
    """R draws of K error curves. `fits` holds, for each form that was drawn, one `Fits` an arm, or its level line."""

    fits: tuple[tuple[Fits | LevelLine, ...], ...]
    forms: dict[str, float]

    def errors(self, sizes: Floats) -> Floats:
        """Error of every arm and draw at `sizes` [g]: [K, R, g]."""
        by_form = [np.stack([arm.predict(sizes) for arm in arms]) for arms in self.fits]
        return np.concatenate(by_form, axis=1)

    def only(self, arms: Sequence[int]) -> Draws:
        """The same draws of some arms."""
        return Draws(tuple(tuple(fits[arm] for arm in arms) for fits in self.fits), self.forms)


def draw_curves(
    cells: JointCells,
    *,
    question: Question = "between",
    draws: int = DRAWS,
    seed: int = 0,
    priors: bool = True,
    form: str | None = None,
) -> Draws:
    """Draw the curves of all arms together; `form` names one law instead of the weighted average of all that fit.

    `question` chooses how laws are weighed: for reading between the sizes seen, or beyond them.

    Raises NotIdentifiable when no form has few enough parameters for these sizes.
    """
    options = Options(priors=priors, seed=seed)
    curves = {arm: cells.curve(arm) for arm, flat in enumerate(cells.level) if not flat}
    sizes = min(len(curve.sizes) for curve in curves.values())
    known = default_forms(("train_images",), sizes, cells.chance, priors=priors)
    laws = [law(form)] if form else judgeable(known, sizes)
    if not laws:
        raise NotIdentifiable(
            "No law has few enough parameters for these sizes",
            found=f"{sizes} sizes",
            allowed="3 or more",
            next_step="add runs at other sizes",
        )
    share = weigh(laws, cells.only(list(curves)), options, question)
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(draws, share)
    fits = tuple(
        _refit({arm: fit_form(one, curve, options) for arm, curve in curves.items()}, cells, count, generator)
        for one, count in zip(laws, counts, strict=True)
        if count
    )
    return Draws(fits, {one.key: float(part) for one, part in zip(laws, share, strict=True)})


def _refit(
    forms: dict[int, FormFit], cells: JointCells, count: int, generator: np.random.Generator
) -> tuple[Fits | LevelLine, ...]:
    """`count` joint refits of one form; `forms` are those of the arms that are not level."""
    spread, freedom = _spread(forms, cells)
    scale = np.sqrt(freedom / generator.chisquare(freedom, size=count))
    normal = generator.standard_normal((count, *spread.shape[:2]))
    moved = _moved(spread, normal * scale[:, None, None], cells.level)
    there = cells.runs > 0
    return tuple(
        forms[i].again(np.exp(cells.mean[i, there[i]] + moved[i][:, there[i]]))
        if i in forms
        else LevelLine(np.exp(cells.mean[i, 0] + moved[i][:, 0]))
        for i in range(len(cells.arms))
    )


def _moved(spread: Floats, normal: Floats, level: Sequence[bool]) -> Floats:
    """Noise [K, R, n] of covariance `spread` [n, K, K] from independent `normal` [R, n, K].

    A level arm is moved alike at all sizes: it comes first in the factor, so that one number decides its shift, and
    what other arms share with it they share at every size.
    """
    order = np.argsort(~np.array(level), kind="stable")
    flat = np.array(level)[order]
    normal = np.where(flat, normal[:, :1], normal)
    moved = np.einsum("nij,rnj->irn", np.linalg.cholesky(spread[:, order][:, :, order]), normal)
    return np.asarray(moved[np.argsort(order)])


def _spread(forms: dict[int, FormFit], cells: JointCells) -> tuple[Floats, int]:
    """Covariance [n, K, K] of the cell means from seed noise and this form's lack of fit, and its freedom."""
    misfit, spare = _lack_of_fit(forms, cells)
    ridge = 1e-12 * np.eye(len(cells.arms))
    noise = cells.noise_of_means()
    if noise is None:
        return np.broadcast_to(misfit + ridge, (len(cells.sizes), *misfit.shape)), max(LEAST_FREEDOM, spare)
    freedom = max(LEAST_FREEDOM, cells.freedom)
    if spare < 1:
        return noise + ridge, freedom
    larger = _larger(noise + ridge, misfit, float(stats.f.ppf(1 - BY_CHANCE, spare, freedom)))
    dominated = np.trace(larger.mean(axis=0)) > 2 * np.trace(noise.mean(axis=0))
    return larger + ridge, max(LEAST_FREEDOM, spare) if dominated else freedom


def _lack_of_fit(forms: dict[int, FormFit], cells: JointCells) -> tuple[Floats, int]:
    """Covariance [K, K] of residuals of the cell means, and the degrees of freedom left over by the fit.

    Without any left, the spread that the fit assumed stands in, uncorrelated. A level arm misses nothing.
    """
    curved = list(forms)
    residual = np.where(np.array(cells.level)[:, None], 0.0, np.full(cells.mean.shape, np.nan))
    for i, form in forms.items():
        residual[i, cells.runs[i] > 0] = form.residuals
    some = forms[curved[0]]
    spare = int((cells.runs[curved] > 0).sum(axis=1).min()) - len(some.law.parameters) + len(some.fixed)
    if spare < 1:
        return np.diag([forms[i].misfit ** 2 if i in forms else 0.0 for i in range(len(cells.arms))]), spare
    length = np.sqrt(np.nansum(residual**2, axis=1))
    related = np.eye(len(cells.arms))
    related[np.ix_(curved, curved)] = correlation(residual[curved][:, cells.common])
    return np.outer(length, length) / spare * related, spare


def _larger(noise: Floats, misfit: Floats, limit: float) -> Floats:
    """`noise` [n, K, K], with `misfit` [K, K] in its place in those directions where that is over `limit` x larger."""
    root = np.linalg.cholesky(noise)
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ misfit @ inverse.transpose(0, 2, 1))
    turned = root @ vectors
    stretched = np.where(values > limit, values, 1.0)
    return np.asarray(turned * stretched[:, None, :] @ turned.transpose(0, 2, 1))
