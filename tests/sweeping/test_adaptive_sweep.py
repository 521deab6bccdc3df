"""`train_images: auto`: the adaptive rule meets the runs of a plan."""

import math

import pytest

from azeotrope.session.sweeps.adaptive_sweep import Deciding, Firming, candidate
from azeotrope.spec import validated
from azeotrope.sweeping.budget import Budget, Meter
from azeotrope.sweeping.plans.grid import open_grid
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

from .records import record


@pytest.fixture
def grid(digits, resources, teacher):
    """Two arms, seven sizes up to 640 images, five seeds."""
    content = {"data": "digits", "students": "test_resnet", "teachers": [teacher], "at": 640, "image_size": 32}
    return open_grid(validated(SweepPlan, {**content, "arms": ["scratch", "distill:kl"]}), resources, [digits], None)


def error_of(spec):
    """Distilling is always better by far; the noise is small and known."""
    level = 0.6 if spec.arm.strategy == "distill" else 1.0
    return level * spec.train_images**-0.4 * (1 + 0.01 * ((spec.seed * 7 + spec.train_images) % 5 - 2))


def swept(grid, budget=math.inf):
    """Make what is chosen until it stops; returns the records and the last choice."""
    chooser, records, left = Deciding(grid), [], budget
    while True:
        choice = chooser.choose(records, [], lambda run_id: 1.0, left)
        if choice.stop:
            return chooser, records, choice
        assert choice.specs, "nothing to make and no reason to stop"
        records += [record(spec, test_error=error_of(spec), test_images=1000) for spec in choice.specs]
        left -= len(choice.specs)


def test_it_stops_when_it_is_clear_long_before_all_runs_are_made(grid):
    _, records, choice = swept(grid)
    assert choice.stop.startswith("settled: ")
    assert "distill:kl" in choice.stop
    assert len(records) < len(grid.specs) / 2
    assert choice.said.startswith("test_resnet: distill:kl is ")


def test_every_run_that_it_chooses_is_one_of_the_plan_and_seeds_are_paired(grid):
    _, records, _ = swept(grid)
    planned = {spec.digest() for spec in grid.specs}
    assert {each.run_id for each in records} <= planned
    pairs = {(each.train_images, each.seed) for each in records}
    assert len(records) == 2 * len(pairs)


def test_it_stops_at_the_budget(grid):
    _, records, choice = swept(grid, budget=3)
    assert choice.stop.startswith("budget: ")
    assert len(records) <= 3


def test_what_is_under_way_is_waited_for(grid):
    chooser = Deciding(grid)
    first = chooser.choose([], [], lambda run_id: 1.0, math.inf)
    again = chooser.choose([], list(first.specs), lambda run_id: 1.0, math.inf)
    assert (again.specs, again.stop) == ((), None)


def pilot_of(grid, *learnt):
    """What the planner wants after a pilot in which only these arms learnt anything."""
    pilot = Deciding(grid).choose([], [], lambda run_id: 1.0, math.inf).specs
    records = [record(spec, test_error=error_of(spec) if spec.arm.name in learnt else 1.0) for spec in pilot]
    return pilot, Deciding(grid).choose(records, [], lambda run_id: 1.0, math.inf)


def test_arms_that_learnt_nothing_leave_nothing_to_judge_and_the_sweep_goes_on(grid):
    """Of a number an error of exactly 1 is what every run has that learnt nothing."""
    pilot, choice = pilot_of(grid)
    assert choice.said == "test_resnet: too few runs to judge: a law needs three sizes, and a choice two arms"
    assert choice.stop is None
    assert len(choice.specs) == len(grid.specs) - len(pilot)


def test_an_arm_that_learnt_leads_one_that_did_not_and_two_seeds_settle_nothing(grid):
    _, choice = pilot_of(grid, "scratch")
    assert choice.said.startswith("test_resnet: scratch is best at 640 images")
    assert choice.said.endswith("share 2 paired seeds at 640 images, and a verdict needs 3")
    assert choice.stop is None
    assert choice.specs


def test_how_the_answer_firms_up_costs_no_more_than_its_share(grid):
    now = [0.0]
    firming = Firming(grid, Meter(Budget(), clock=lambda: now[0]))
    records = [record(spec, test_error=error_of(spec), test_images=1000) for spec in grid.specs if spec.seed < 2]
    now[0] = 1000.0
    assert "distill:kl" in firming(records, last=False)
    firming._spent = 20.0
    assert firming(records, last=False) is None
    assert firming(records, last=True) is not None
    now[0] = 3000.0
    assert firming(records, last=False) is not None


def test_a_run_and_its_record_have_one_key(grid):
    spec = grid.specs[-1]
    assert candidate(spec, 1.0).key == ("test_resnet", "distill:kl", 640, 4)
