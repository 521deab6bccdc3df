"""The scale on which a residual is measured. On 72 real curves it mattered more than the form.

A space is an increasing map y(E) with its derivative. It holds no data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from azeotrope.laws._law import Floats

SpaceName: TypeAlias = Literal["log", "logit", "error"]

_EDGE = 1e-9


@dataclass(frozen=True)
class Space:
    """y = forward(E), and dy/dE = slope(E)."""

    forward: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


def _log(error: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(error, _EDGE)))


def _log_slope(error: Floats) -> Floats:
    return np.asarray(1 / np.maximum(error, _EDGE))


def _logit(error: Floats) -> Floats:
    high = np.clip(error, 0.5, 1 - _EDGE)
    above = np.log(0.5) + 0.5 * np.log(high / (1 - high))
    return np.where(error > 0.5, above, _log(error))


def _logit_slope(error: Floats) -> Floats:
    high = np.clip(error, 0.5, 1 - _EDGE)
    return np.where(error > 0.5, 0.5 / (high * (1 - high)), _log_slope(error))


SPACES: dict[SpaceName, Space] = {
    "log": Space(_log, _log_slope),
    "logit": Space(_logit, _logit_slope),
    "error": Space(lambda error: error, np.ones_like),
}
"""`log`: relative error. `logit`: log below one half, half a logit above, joined with equal slope; for errors near
chance. `error`: as it is, for data whose noise does not scale."""
