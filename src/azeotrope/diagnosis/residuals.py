"""How far answers are from true values, in their unit, and whether that changes with the value."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from azeotrope.diagnosis.classes import Clusters
from azeotrope.diagnosis.ratio import mean
from azeotrope.diagnosis.records import Fifth, Residuals

FIFTHS = 5
QUANTILES = (0.5, 0.9, 0.95)


def residuals(values: Float[np.ndarray, " n"], said: Float[np.ndarray, "seeds n"], clusters: Clusters) -> Residuals:
    """Answer − value over all seeds; parts by the order of the values, of as many images each as can be."""
    apart = said - values
    fifths = []
    for places in np.array_split(np.argsort(values, kind="stable"), min(FIFTHS, len(values))):
        own = None if clusters is None else clusters[places]
        fifths.append(
            Fifth(
                value=float(values[places].mean()),
                bias=mean(apart[:, places], own),
                mae=float(np.abs(apart[:, places]).mean()),
            )
        )
    half, most, nearly_all = np.quantile(np.abs(apart), QUANTILES).tolist()
    return Residuals(bias=mean(apart, clusters), sizes=(half, most, nearly_all), fifths=tuple(fifths))
