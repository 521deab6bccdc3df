"""How draws move the cells: by seeds, by test images, and by what a law misses beyond them.

Noise is drawn once for all laws, correlated between arms and sizes; a law's lack of fit takes the place of its seeds
where it is clearly larger. Which curves follow from the moved cells is `joint_draws`'s part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.fitted.law_fit import FormFit
from azeotrope.curves.noise import correlation

BY_CHANCE = 0.1
"""Residuals of a right form are noise too; they count as lack of fit where noise leaves larger ones in 10 % of cases.

Taking the larger of the two whatever their freedom covered 98-99 % where 90 % was meant and the law was right.
"""
LEAST_FREEDOM = 2
"""A t distribution with one degree of freedom has no usable quantiles."""


class Moved:
    """Noise of the cell means, drawn once for all laws: seeds, test images, and the start of each law's misfit."""

    def __init__(self, cells: JointCells, draws: int, generator: np.random.Generator) -> None:
        k, n = cells.mean.shape
        self.cells = cells
        seeds = _student(_factor(cells.covariance().reshape(k * n, k * n)), cells.freedom, (draws,), generator)
        images = generator.standard_normal((draws, k * n)) @ _factor(cells.tested.covariance.reshape(k * n, k * n)).T
        self.noise = (seeds + images).reshape(draws, k, n).swapaxes(0, 1)
        self.normal = generator.standard_normal((draws, n, k))
        self.uniform = generator.uniform(size=draws)

    def of(self, forms: dict[int, FormFit], rows: NDArray[np.int64]) -> Floats:
        """Noise [K, r, n] of the draws `rows` [r], with this law's misfit where that is larger than its seeds."""
        extra, spare = _misfit(forms, self.cells)
        freedom = max(LEAST_FREEDOM, spare)
        scale = np.sqrt(freedom / _chi2(self.uniform[rows], freedom))
        bent = np.einsum("nij,rnj->irn", _factor(extra), self.normal[rows])
        return np.asarray(self.noise[:, rows] + scale[:, None] * bent)


def _student(factor: Floats, freedom: int, shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    """Draws of a joint Student's t [*shape, q]: one scale a draw, for the spread itself is uncertain."""
    freedom = max(LEAST_FREEDOM, freedom)
    scale = np.sqrt(freedom / generator.chisquare(freedom, size=(shape[0], *[1] * len(shape))))
    return np.asarray(scale * (generator.standard_normal((*shape, len(factor))) @ factor.T))


def _chi2(share: Floats, freedom: int) -> Floats:
    """Quantiles of chi squared; `scipy.stats` has the same numbers, and takes half a second to import."""
    return np.asarray(2 * special.gammaincinv(freedom / 2, share))


def _factor(covariance: Floats) -> Floats:
    """A factor of covariances [..., q, q] that may be singular, or by a hair indefinite."""
    values, vectors = np.linalg.eigh((covariance + covariance.swapaxes(-1, -2)) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])


def _misfit(forms: dict[int, FormFit], cells: JointCells) -> tuple[Floats, int]:
    """Covariance [n, K, K] that this form's lack of fit adds to the noise of seeds, and its freedom."""
    misfit, spare = _lack_of_fit(forms, cells)
    ridge = 1e-12 * np.eye(len(cells.arms))
    noise = cells.noise_of_means()
    if noise is None:
        return np.broadcast_to(misfit, (len(cells.sizes), *misfit.shape)), spare
    if spare < 1:
        return np.zeros_like(noise), spare
    limit = float(special.fdtri(spare, max(LEAST_FREEDOM, cells.freedom), 1 - BY_CHANCE))
    return _larger(noise + ridge, misfit, limit) - noise - ridge, spare


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
