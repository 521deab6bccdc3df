"""How much a sweep may spend, and what it has spent. Time is measured by a steady clock, which no correction moves."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import Field, model_validator

from azeotrope.errors import InputError
from azeotrope.spec import Spec, validated

FORM = "hours, runs or money, such as 1h, 1h30m, 45m, 40 runs or 5 EUR; several are joined by commas, and all hold"
_HOUR_PARTS = {"h": 1.0, "m": 1 / 60, "min": 1 / 60, "s": 1 / 3600}
_TIME = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:h|min|m|s)\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)")
_COUNT = re.compile(r"(\d+)\s*runs?")
_MONEY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Z]{3})")


class BudgetTooSmallError(InputError):
    """A budget that does not buy a single run of what was asked."""


class Budget(Spec):
    """What one call of `sweep` may spend; None: no limit. `money` becomes hours by the machine's hourly price."""

    hours: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    runs: int | None = Field(default=None, ge=1)
    money: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    hourly_price: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    currency: str = "EUR"

    @model_validator(mode="after")
    def _money_has_a_price(self) -> Self:
        if self.money is not None and self.hourly_price is None:
            raise ValueError("money buys hours only at a known hourly_price")
        return self

    @classmethod
    def parse(cls, text: str, hourly_price: float | None = None) -> Self:
        """Read a budget as it is written on the command line. Raises InputError with the form."""
        content: dict[str, Any] = {"hourly_price": hourly_price}
        for part in text.split(","):
            for key, value in _one(part.strip()).items():
                if key in content:
                    raise InputError(f"The budget names {key} twice", found=text, allowed=FORM)
                content[key] = value
        return validated(cls, content, what=f"budget {text!r}", allowed=FORM)

    @property
    def seconds(self) -> float | None:
        """The time limit, from hours and from money; None without one."""
        limits = [] if self.hours is None else [self.hours]
        if self.money is not None and self.hourly_price is not None:
            limits.append(self.money / self.hourly_price)
        return 3600 * min(limits) if limits else None

    def share(self, parts: int, spent_seconds: float, spent_runs: int) -> Self | None:
        """What one of `parts` tasks may spend of what is left of this budget; None when nothing is left."""
        if self.runs is None and self.seconds is None:
            return self
        left: dict[str, Any] = {"hours": None, "runs": None, "money": None, "hourly_price": None}
        if self.runs is not None:
            left["runs"] = -(-(self.runs - spent_runs) // parts)
            if left["runs"] < 1:
                return None
        if self.seconds is not None:
            left["hours"] = (self.seconds - spent_seconds) / 3600 / parts
            if left["hours"] <= 0:
                return None
        return self.model_copy(update=left)


def _one(part: str) -> dict[str, Any]:
    if _TIME.fullmatch(part):
        return {"hours": sum(float(number) * _HOUR_PARTS[unit] for number, unit in _PART.findall(part))}
    if found := _COUNT.fullmatch(part):
        return {"runs": int(found[1])}
    if found := _MONEY.fullmatch(part):
        return {"money": float(found[1]), "currency": found[2]}
    raise InputError("A budget is an amount with its unit", found=repr(part), allowed=FORM)


@dataclass
class Meter:
    """What is left of a budget since now. `clock` must never go back."""

    budget: Budget
    clock: Callable[[], float] = time.monotonic
    runs: int = 0
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def spent_seconds(self) -> float:
        """Since the beginning."""
        return self.clock() - self._began

    @property
    def seconds_left(self) -> float:
        """Until the time is over; infinite without a limit."""
        limit = self.budget.seconds
        return math.inf if limit is None else limit - self.spent_seconds

    @property
    def runs_left(self) -> float:
        """Runs that may still be begun; infinite without a limit."""
        return math.inf if self.budget.runs is None else self.budget.runs - self.runs

    def fits(self, seconds: float, runs: int = 1) -> bool:
        """Whether so many runs, which take so many seconds together, may begin now."""
        return self.runs_left >= runs and seconds <= self.seconds_left
