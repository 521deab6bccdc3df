"""One number that makes probabilities mean what they say: the temperature by which logits are divided.

Guo et al. 2017, arXiv 1706.04599, section 4.2. It is fitted on validation images. What it gains is measured on images
that it was not fitted on, and where it gains nothing it is 1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize_scalar
from torch import Tensor

from azeotrope.kinds._kind import Kind
from azeotrope.record.storage.verification import Calibration

FOLDS = 5
FEWEST_IMAGES = 10 * FOLDS
_BOUNDS = (0.05, 20.0)


def calibrated(kind: Kind, logits: Float[Tensor, "n C"], targets: Tensor) -> Calibration | None:
    """Fit the temperature of validation `logits`; None for a kind whose outputs are no probabilities.

    It stays 1 with fewer than `FEWEST_IMAGES` images, and where the cross-fitted log-loss is not lower.
    """
    if not kind.tempered:
        return None
    logits = logits.double()
    targets = targets.double() if targets.is_floating_point() else targets
    apart = logits.clone()
    if len(logits) >= FEWEST_IMAGES:
        part = torch.from_numpy(np.random.default_rng(0).permutation(len(logits)) % FOLDS)
        for fold in range(FOLDS):
            apart[part == fold] /= fitted_temperature(kind, logits[part != fold], targets[part != fold])
    before, after = _log_loss(kind, logits, targets), _log_loss(kind, apart, targets)
    gains = after < before
    return Calibration(
        temperature=fitted_temperature(kind, logits, targets) if gains else 1.0,
        images=len(logits),
        log_loss_before=before,
        log_loss_after=after if gains else before,
        calibration_error_before=_calibration_error(kind, logits, targets),
        calibration_error_after=_calibration_error(kind, apart if gains else logits, targets),
    )


def fitted_temperature(kind: Kind, logits: Float[Tensor, "n C"], targets: Tensor) -> float:
    """The T between 1/20 and 20 with the lowest log-loss of logits / T, which is convex in 1 / T."""
    low, high = _BOUNDS
    found = minimize_scalar(
        lambda sharpness: _log_loss(kind, logits * math.exp(sharpness), targets),
        bounds=(-math.log(high), -math.log(low)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(math.exp(-found.x))


def _log_loss(kind: Kind, logits: Tensor, targets: Tensor) -> float:
    value = kind.log_loss(logits, targets)
    assert value is not None
    return value


def _calibration_error(kind: Kind, logits: Tensor, targets: Tensor) -> float:
    value = kind.calibration_error(logits, targets)
    assert value is not None
    return value
