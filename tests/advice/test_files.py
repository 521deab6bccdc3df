"""Advice for what a device runs: errors, latency and size of the files that were measured."""

import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.errors import InputError
from azeotrope.record.facts import DeployedFacts
from curves.worlds import CROSSING, records

DISTILL, SCRATCH = CROSSING
DRAWS = 200


def with_files(runs, more, latency_ms, size_mb):
    """The same runs with int8 files that are wrong `more` often."""
    facts = {"latency_ms": latency_ms, "size_mb": size_mb, "val_error": None}
    return [
        run.model_copy(
            update={"deployed": {"onnx-int8": DeployedFacts(**facts, test_error=min(1.0, run.test_error + more))}}
        )
        for run in runs
    ]


@pytest.fixture(scope="module")
def runs():
    """At 500 images distill is better than scratch; as an int8 file it loses 30 points, and is slower."""
    distill, scratch = records({"distill:kl": DISTILL}), records({"scratch": SCRATCH})
    return [*with_files(distill, 0.3, 2.0, 0.5), *with_files(scratch, 0.0, 1.0, 0.5)]


def advise(runs, deploy=None, **needs):
    return azeotrope.advise(runs, Needs(at=500, **needs), draws=DRAWS, deploy=deploy)


def test_the_files_decide_where_they_are_what_is_deployed(runs):
    assert advise(runs).recommendation.arm == "distill:kl"
    found = advise(runs, "onnx-int8")
    assert found.recommendation.arm == "scratch"
    assert {(one.arm, one.latency_ms, one.size_mb) for one in found.evidence.contenders} == {
        ("distill:kl", 2.0, 0.5),
        ("scratch", 1.0, 0.5),
    }
    assert any("those of the onnx-int8 files" in note for note in found.evidence.notes)


@pytest.mark.parametrize("typed", ["onnx_int8", " ONNX-int8"])
def test_a_target_is_spelled_as_compare_takes_it(runs, typed):
    assert advise(runs, typed).recommendation == advise(runs, "onnx-int8").recommendation


def test_limits_are_held_against_what_was_measured(runs):
    found = advise(runs, "onnx-int8", max_latency_ms=1.5)
    (excluded,) = (one for one in found.evidence.contenders if one.excluded)
    assert (excluded.arm, excluded.excluded) == ("distill:kl", "2 ms, over 1.5")
    with pytest.raises(InputError, match=r"0\.5 MB, over 0\.4"):
        advise(runs, "onnx-int8", max_size_mb=0.4)


def test_a_latency_that_only_files_know_is_not_taken_unasked(runs):
    said = [item.reason for item in advise(runs, max_latency_ms=1.5).not_tested if item.what == "latency"]
    assert said
    assert said[0].endswith("that limit was not applied: that of their files is, with --deploy onnx-int8")


def test_runs_that_were_not_measured_as_such_files(runs, tmp_path):
    with pytest.raises(InputError, match=r"as a file of pt2\. Found: files of onnx-int8.*--deploy pt2"):
        advise(runs, "pt2")
    with pytest.raises(InputError, match="Found: runs of networks alone"):
        advise(records({"distill:kl": DISTILL, "scratch": SCRATCH}), "onnx-int8")
    table = tmp_path / "runs.csv"
    table.write_text("arm,train_images,seed,test_error\nscratch,100,0,0.5\n")
    with pytest.raises(InputError, match="A table of runs holds one error a run"):
        advise(table, "onnx-int8")


def test_runs_without_the_file_are_left_out_with_the_reason(runs):
    lacking = runs[0].model_copy(update={"deployed": {"onnx-int8": DeployedFacts(reason="no kernel")}})
    found = advise([lacking, *runs[1:]], "onnx-int8")
    said = f"{lacking.arm}, seed {lacking.seed}, has no onnx-int8 file and is left out: no kernel"
    assert any(said in warning for warning in found.evidence.warnings)
