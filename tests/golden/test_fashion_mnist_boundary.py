"""The sweep in which distilling stops paying, stored whole: what the commands say agrees with its plain means."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.record.storage.store import RunStore
from azeotrope.verdicts.verdict import verdict

STORE = Path(__file__).parent / "fashion-mnist-boundary"
SEEDS = {250: 8, 500: 8, 1000: 8, 2000: 3, 4000: 3, 8000: 3, 16_000: 3}


@pytest.fixture(scope="module")
def errors():
    """Test errors by size and arm, in the order of the seeds, read by nothing of ours."""
    found = defaultdict(dict)
    for file in (STORE / "runs").glob("*.json"):
        run = json.loads(file.read_text(encoding="utf-8"))
        found[run["train_images"], run["arm"]][run["seed"]] = run["test_error"]
    return {cell: [own[seed] for seed in sorted(own)] for cell, own in found.items()}


def gain(errors, size):
    return fmean(errors[size, "scratch"]) - fmean(errors[size, "distill:kl"])


def test_every_cell_is_paired(errors):
    assert {cell: len(own) for cell, own in errors.items()} == {
        (size, arm): count for size, count in SEEDS.items() for arm in ("scratch", "distill:kl")
    }


@pytest.mark.parametrize(
    ("size", "said"),
    [
        *[(250, "BEATS"), (500, "BEATS"), (1000, "BEATS"), (2000, "INCONCLUSIVE"), (4000, "INCONCLUSIVE")],
        *[(8000, "DOES NOT BEAT"), (16_000, "DOES NOT BEAT")],
    ],
)
def test_distilling_is_ahead_where_data_are_few_and_behind_where_they_are_many(errors, size, said):
    runs = [run for run in RunStore(str(STORE)) if run.train_images == size]
    distilled, scratch = ([run for run in runs if run.arm == arm] for arm in ("distill:kl", "scratch"))
    found = verdict(distilled, scratch)
    assert found.verdict == said
    assert found.difference.value == pytest.approx(-gain(errors, size))


def test_the_boundary_is_between_the_last_gain_and_the_first_loss(errors):
    found = azeotrope.boundary(STORE, challenger="distill:kl", baseline="scratch", at=[500, 4000, 8000], draws=500)
    few, between, many = found.p_win
    assert found.outcome == "crossing_bracketed"
    (crossing,) = found.crossings
    assert (crossing.direction, 1000 < crossing.value < 8000) == ("down", True)
    assert 500 < crossing.low < crossing.high < 16_000
    assert few.p > 0.95
    assert 0.05 < between.p < 0.95
    assert many.p < 0.05
    for size, at in ((500, few), (4000, between)):
        assert at.difference.low < gain(errors, size) < at.difference.high


@pytest.mark.parametrize(("at", "arm"), [(960, "distill:kl"), (12_800, "scratch")])
def test_advice_for_a_person_with_1500_and_for_one_with_20000_labelled_images(at, arm):
    found = azeotrope.advise(STORE, Needs(at=at), draws=500)
    assert found.recommendation.arm == arm
    (change,) = found.would_change_if
    assert (change.what, change.more) == ("images", arm == "distill:kl")
    assert 1000 < change.images.value < 8000
