"""What a fit leaves behind: small frozen records that `fit.json`, the tables and the figures are made from. No
computation here.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from azeotrope.record.result import SCHEMA, Result


class Shown(BaseModel):
    """Base of all records here: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ParameterFit(Shown):
    """One parameter of the formula as written. `low`, `high`: 90 % of bootstrap draws, for a floor widened by its
    profile; None without a bootstrap.

    `identified` is False when the runs alone cannot tell it: its value is then the prior's or the grid's. `profile`
    is the floor's prior-free 90 % range.
    """

    value: float
    low: float | None
    high: float | None
    unit: str
    identified: bool
    at_bound: bool = False
    profile: tuple[float, float] | None = None


class LawFit(Shown):
    """One law on one group. `misfit` is the residual sd of log error; `hold_out` the RMSE of log error on held-out
    largest sizes.
    """

    formula: str
    reference: str
    parameters: dict[str, ParameterFit]
    weight: float
    misfit: float
    hold_out: float | None
    converged: bool


class Prediction(Shown):
    """Error of the averaged prediction at one size, with its 90 % interval; `reach` is the size over the largest
    fitted.
    """

    at: float
    value: float
    low: float | None
    high: float | None
    reach: float


class NextSize(Shown):
    """One more seed at `size` would remove the share `variance_removed` of what is uncertain of the forecast (its
    log).
    """

    size: float
    variance_removed: float
    price: float


class Forecast(Shown):
    """Images this group needs for `target` error: `low` to `high` at 90 %, None meaning without end. `value` is None
    also where it would lie too far beyond the data to be said. `p_never` is the share of draws that do not get there.
    `next_runs` are the sizes whose runs tell most about it for their price, best first.
    """

    target: float
    value: float | None
    low: float | None
    high: float | None
    p_never: float
    p_already: float
    next_runs: tuple[NextSize, ...] = ()


class Average(Shown):
    """How the laws were joined. `held` are axes other than the predicted one, and the value at which predictions hold
    them.
    """

    weights: dict[str, float]
    hold_out_cuts: tuple[float, ...]
    held: dict[str, float] = Field(default_factory=dict)


class Point(Shown):
    """One cell of raw data: sizes, geometric mean error of its runs, and its residual (log observed − log averaged
    fit).
    """

    sizes: dict[str, float]
    error: float
    runs: int
    residual: float


class Checklist(Shown):
    """What a reader needs to repeat or doubt the fit (Li et al. 2025, arXiv 2502.18969, '(Mis)Fitting')."""

    equations: dict[str, str]
    variables: dict[str, str]
    counting: str
    runs_used: int
    runs_excluded: dict[str, int]
    loss: str
    optimiser: str
    tolerance: float
    starts: dict[str, str]
    bounds: dict[str, dict[str, tuple[float, float]]]
    weights: str
    priors: dict[str, dict[str, str]]
    hold_out: str
    intervals: str
    bootstrap: int
    seed: int
    points: tuple[Point, ...]


class GroupFit(Shown):
    """One group: its laws, their average, predictions, and the curve for drawing. `refused` says why there is nothing
    else.
    """

    laws: dict[str, LawFit] = Field(default_factory=dict)
    average: Average | None = None
    predictions: tuple[Prediction, ...] = ()
    curve: tuple[Prediction, ...] = ()
    forecast: Forecast | None = None
    warnings: tuple[str, ...] = ()
    checklist: Checklist | None = None
    refused: str | None = None


class FitResult(Result, Shown):
    """All groups of one table of runs. Errors are fractions unless `unit` is "loss"; sizes are counts."""

    shown_as: ClassVar[str] = "fit"

    schema_version: int = Field(default=SCHEMA, alias="schema")
    axes: tuple[str, ...]
    unit: str
    measure: str = "error"
    level: float
    groups: dict[str, GroupFit]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    excluded: dict[str, int] = Field(default_factory=dict)

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)
