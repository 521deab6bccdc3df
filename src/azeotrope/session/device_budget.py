"""What a device has room and time for, as it is written: `5MB`, `300M MACs`, or both by a comma."""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import Field, model_validator

from azeotrope.errors import InputError
from azeotrope.spec import Spec, validated

FORM = "megabytes of 32-bit weights or multiply-accumulates for one image, such as 5MB, 300M MACs or 5MB,300M"
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(?:(MB)|([kMG])(?:\s*MACs?)?)", re.IGNORECASE)
_TIMES = {"k": 1e3, "m": 1e6, "g": 1e9}


class DeviceBudget(Spec):
    """Most megabytes of a student's weights (32-bit), and most multiply-accumulates (`macs`) for one image."""

    megabytes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    macs: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.megabytes is None and self.macs is None:
            raise ValueError("a device budget names megabytes, macs or both")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it as it is written. Raises InputError with the form."""
        content: dict[str, Any] = {}
        for part in text.split(","):
            found = _PART.fullmatch(part.strip())
            key = "megabytes" if found and found[2] else "macs"
            if found is None or key in content:
                raise InputError("--device-budget says what a device can hold", found=text, allowed=FORM)
            content[key] = float(found[1]) * (1.0 if found[2] else _TIMES[found[3].lower()])
        return validated(cls, content, what=f"device budget {text!r}", allowed=FORM)

    def allows(self, parameters: int, macs: int) -> bool:
        """Whether a student of this cost fits."""
        fits = self.megabytes is None or parameters * 4 / 1e6 <= self.megabytes
        return fits and (self.macs is None or macs <= self.macs)

    def said(self) -> str:
        """As it is written."""
        parts = [] if self.megabytes is None else [f"{self.megabytes:g}MB"]
        return ",".join(parts if self.macs is None else [*parts, f"{self.macs / 1e6:g}M MACs"])
