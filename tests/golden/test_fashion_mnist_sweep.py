"""A real sweep, stored whole: what fit, boundary, advice and `auto` say of it agrees with its plain means."""

import base64
import json
from collections import defaultdict
from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.planning.adaptive import next_step
from azeotrope.planning.candidates import Candidate
from azeotrope.record.storage.store import RunStore
from azeotrope.tables.columns import Columns

STORE = Path(__file__).parent / "fashion-mnist-sweep"
STUDENTS = ["test_resnet", "resnet10t"]
ARMS = ["scratch", "distill:kl", "distill"]
SIZES = [250, 500, 1000, 2000, 4000, 8000, 16000]


@pytest.fixture(scope="module")
def files():
    """The records as plain JSON, read by nothing of ours."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((STORE / "runs").glob("*.json"))]


@pytest.fixture(scope="module")
def means(files):
    """Mean test error by student, arm and size."""
    errors = defaultdict(list)
    for run in files:
        errors[run["student"]["name"], run["arm"], run["train_images"]].append(run["test_error"])
    return {cell: fmean(own) for cell, own in errors.items()}


@pytest.fixture(scope="module")
def runs():
    return list(RunStore(str(STORE)))


def of(student):
    return Columns(where={"student": student})


def test_every_cell_has_three_finished_seeds(files, runs):
    found = {(run["student"]["name"], run["arm"], run["train_images"], run["seed"]) for run in files}
    assert found == set(product(STUDENTS, ARMS, SIZES, range(3)))
    assert len(files) == len(runs) == 126
    assert {run.state for run in runs} == {"done"}


def test_errors_are_those_of_the_stored_bits(files):
    for run in files:
        bits = np.unpackbits(np.frombuffer(base64.b64decode(run["correct"]), np.uint8))[: run["test_images"]]
        assert run["test_error"] == pytest.approx(1 - bits.mean())


def test_a_law_of_the_smaller_sizes_holds_the_larger_ones(runs, means):
    """Of test_resnet; two of resnet10t's six are missed (docs/log.md)."""
    small = [run for run in runs if run.train_images <= 4000 and run.student.name == "test_resnet"]
    found = azeotrope.fit(small, at=[8000, 16000], draws=300)
    for arm, group in found.groups.items():
        for predicted in group.predictions:
            assert predicted.low < means["test_resnet", arm, int(predicted.at)] < predicted.high


def test_the_boundary_leaves_open_what_three_seeds_leave_open(means):
    found = azeotrope.boundary(
        STORE, challenger="distill", baseline="scratch", columns=of("test_resnet"), at=[250, 16000], draws=500
    )
    below, above = found.p_win
    assert found.outcome == "undetermined"
    assert 0.05 < below.p < 0.95
    assert above.p < 0.05
    gain = means["test_resnet", "scratch", 16000] - means["test_resnet", "distill", 16000]
    assert above.difference.low < gain < above.difference.high


def test_advice_refuses_at_a_thousand_images_and_recommends_at_eight_thousand():
    few = azeotrope.advise(STORE, Needs(at=1000), draws=500)
    assert few.recommendation.arm is None
    assert few.recommendation.settled_by
    many = azeotrope.advise(STORE, Needs(at=8000), draws=500)
    assert (many.recommendation.arm, many.recommendation.student) == ("scratch", "test_resnet")


@pytest.mark.parametrize("student", STUDENTS)
def test_forty_percent_of_the_cost_name_an_arm_as_good(runs, means, student):
    def seconds(run):
        return sum(run.seconds.values())

    own = [run for run in runs if run.student.name == student]
    grid = {
        each.key: (each, run)
        for run in own
        for each in [Candidate(student, run.arm, run.train_images, run.seed, seconds(run), run.pretrain_images)]
    }
    price, made = 0.4 * sum(map(seconds, own)), []
    while True:
        left = price - sum(map(seconds, made))
        step = next_step(made, [each for each, _ in grid.values()], at=16000, budget_left=left, draws=300)
        if step.stop:
            break
        made += [grid[each.key][1] for each in step.runs]
    assert sum(map(seconds, made)) <= price
    named = step.questions[0].judged.leader.name
    assert means[student, named, 16000] < min(means[student, arm, 16000] for arm in ARMS) + 0.005
