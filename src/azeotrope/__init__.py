"""azeotrope: should this small vision model be distilled, fine-tuned or trained from scratch, on these images?

The public functions are imported when first used, so that the half that only reads records never needs torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_FUNCTIONS = (
    "compare",
    "sweep",
    "sweep_tasks",
    "distill",
    "check",
    "export",
    "predict",
    "synth",
    "demo",
    "fit",
    "boundary",
    "advise",
    "report",
)

__all__ = ["__version__", *_FUNCTIONS]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"azeotrope.api.{name}"), name)
    raise AttributeError(f"module 'azeotrope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
