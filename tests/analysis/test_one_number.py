"""The same question about the same runs gets the same number from every command, to the last digit."""

from __future__ import annotations

import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.analysis.study import Functions, sweep_of
from azeotrope.boundaries.standing import contest
from azeotrope.tables.grouping import finished
from curves.worlds import power, records

ARMS = {"scratch": power(0.06, 4.0, 0.45), "distill": power(0.08, 3.0, 0.45), "finetune": power(0.07, 3.4, 0.45)}
RUNS = records(ARMS)
INSIDE, BEYOND = 3000.0, 40_000.0


def test_fit_boundary_advise_planner_and_report_agree():
    fitted = azeotrope.fit(RUNS, at=[INSIDE, BEYOND])
    found = azeotrope.boundary(RUNS, challenger="distill", baseline="scratch", at=[INSIDE, BEYOND])
    for place, at in enumerate((INSIDE, BEYOND)):
        errors = {name: group.predictions[place] for name, group in fitted.groups.items()}
        advice = azeotrope.advise(RUNS, Needs(at=at))
        judged = contest(list(finished(RUNS).values()), at)
        for one in advice.evidence.contenders:
            value = errors[one.contender]
            assert (one.error.value, one.error.low, one.error.high) == (value.value, value.low, value.high)
            assert judged.standing(one.contender).error == one.error
        gain = errors["scratch"].value - errors["distill"].value
        assert found.p_win[place].difference.value == gain
        assert advice.predicted_error.error.value == min(value.value for value in errors.values())


def test_the_page_shows_what_the_commands_say():
    page = sweep_of(RUNS, Functions(azeotrope.fit, azeotrope.boundary, azeotrope.advise))
    assert page.studies[0].fitted.groups["distill"].curve == azeotrope.fit(RUNS).groups["distill"].curve
    shown = next(one for one in page.studies[0].boundaries if one.challenger == "distill")
    assert shown.p_win == azeotrope.boundary(RUNS, challenger="distill", baseline="scratch").p_win


@pytest.mark.parametrize("target", [0.15])
def test_images_needed_agree(target):
    forecast = azeotrope.fit(RUNS, forecast=target).groups["scratch"].forecast
    advice = azeotrope.advise(RUNS, Needs(target_error=target, at=INSIDE))
    needed = {one.contender: one for one in advice.labels_needed}
    assert (forecast.value, forecast.low, forecast.high) == (
        needed["scratch"].value,
        needed["scratch"].images.low,
        needed["scratch"].images.high,
    )


def test_names_and_order_of_the_arms_change_nothing():
    renamed = [run.model_copy(update={"arm": {"scratch": "zero"}.get(run.arm, run.arm)}) for run in RUNS[::-1]]
    first = azeotrope.fit(RUNS, at=[BEYOND]).groups["scratch"].predictions
    assert azeotrope.fit(renamed, at=[BEYOND]).groups["zero"].predictions == first
