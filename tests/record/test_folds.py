"""Runs of folds pooled: what one run over all labelled images would have recorded."""

import numpy as np
import pytest

from azeotrope.errors import InputError
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.facts import (
    DeployedFacts,
    EnvironmentFacts,
    FoldFacts,
    SearchFacts,
    StudentFacts,
    TaskFacts,
    TuningFacts,
)
from azeotrope.record.folds import PooledRun, parts_of, pooled
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.reporting.summary import summarise

TASK = TaskFacts(name="t", fingerprint="f", classes=("a", "b"), common_class="a", common_error=0.5)


def part(number, wrong, *, of=2, seed=0, **changes):
    """Fold `number`, in which these test images are wrong."""
    wrong = np.array(wrong, bool)
    facts = {
        "run_id": f"r{seed}-{number}", "state": "done", "task": TASK, "strategy": "scratch", "arm": "scratch",
        "student": StudentFacts(name="s", parameters=10), "init": "random", "train_images": 8, "val_images": 2,
        "seed": seed, "fold": FoldFacts(number=number, of=of, over_folds=f"r{seed}"), "val_error": 0.25,
        "test_error": float(wrong.mean()), "test_images": len(wrong), "correct": pack_correctness(~wrong),
    }  # fmt: skip
    return RunRecord(**(facts | changes))


def test_the_error_is_that_of_all_images_not_the_mean_of_unequal_folds():
    first = part(1, [1, 0, 0, 0], seconds={"train": 2.0, "tuning": 4.0}, metrics={"m": 0.1}, test_nll=1.0)
    second = part(2, [1, 1], seconds={"train": 4.0}, metrics={"m": 0.4}, test_nll=4.0)
    (run,) = pooled([second, first])
    assert (run.run_id, run.seed, run.test_images, run.fold) == ("r0", 0, 6, None)
    assert run.test_error == pytest.approx(3 / 6)
    assert run.correctness().tolist() == [False, True, True, True, False, False]
    assert run.seconds == {"train": 3.0, "tuning": 2.0}
    assert run.metrics == {"m": pytest.approx(0.2)}
    assert run.test_nll == pytest.approx(2.0)
    assert parts_of(run) == (first, second)
    assert run.fold_images == (4, 2)
    assert parts_of(first) == (first,)


def test_clusters_of_two_folds_are_different_ones_and_classes_are_the_same():
    said = {"clusters": pack_clusters(np.array([0, 0, 1])), "test_classes": pack_clusters(np.array([0, 1, 1]))}
    (run,) = pooled([part(number, wrong, **said) for number, wrong in ((1, [1, 0, 0]), (2, [1, 1, 1]))])
    assert run.test_clusters().tolist() == [0, 0, 1, 2, 2, 3]
    assert run.test_labels().tolist() == [0, 1, 1, 0, 1, 1]
    assert run.test_error == pytest.approx((2 / 2 + 2 / 4) / 2)  # a mean over classes, here over those of all images


def test_a_mean_over_classes_has_one_value_as_error_and_as_measure():
    """Each fold's is (1 + 0) / 2; over all images one of three is wrong in either class."""
    folds = [
        part(number, wrong, test_classes=pack_clusters(np.array(classes)), metrics={"per_class_error": 0.5, **images})
        for number, wrong, classes, images in (
            (1, [1, 0, 0], [0, 1, 1], {"image_error": 1 / 3}),
            (2, [0, 0, 1], [0, 0, 1], {"image_error": 1 / 3}),
        )
    ]
    (run,) = pooled(folds)
    assert run.test_error == pytest.approx(1 / 3)
    assert run.metrics == pytest.approx({"per_class_error": 1 / 3, "image_error": 1 / 3})
    (plain,) = pooled([fold.model_copy(update={"test_classes": None}) for fold in folds])
    assert plain.metrics["per_class_error"] == pytest.approx(0.5)


def test_a_fold_that_failed_or_is_not_made_leaves_no_error():
    failed = part(2, [0], state="failed", reason="the card is full", test_error=None)
    (run,) = pooled([part(1, [0, 1]), failed])
    assert (run.state, run.reason) == ("failed", "fold 2 of 2: the card is full")
    (run,) = pooled([part(1, [0, 1], of=3)])
    assert (run.state, run.reason, run.test_error) == ("failed", "not made yet: fold 2, 3 of 3", None)


def test_a_fold_that_comes_twice_is_refused_and_does_not_stand_in_for_another():
    made = [part(1, [0, 1], of=4), part(2, [0, 1], of=4)]
    with pytest.raises(InputError, match=r"Each fold.*counts once.*fold 1, 2 of scratch with seed 0 several times"):
        pooled([*made, *made])


def test_folds_are_those_that_were_asked_for_not_those_that_were_made():
    (run,) = pooled([part(1, [0, 1], of=5), part(2, [0, 1], of=5)])
    assert (run.folds, len(run.parts)) == (5, 2)
    assert summarise([part(1, [0, 1], of=5), part(2, [0, 1], of=5)]).folds == 5


def test_what_folds_chose_differently_is_not_said_of_all():
    def searched(chosen):
        return SearchFacts(seed=0, learning_rate=0.1, candidates=("x", "y"), val_errors=(0.1, 0.2), chosen=chosen)

    said = {number: searched("x" if number == 1 else "y") for number in (1, 2, 3)}
    losses = {1: {"x": 1.0}, 2: {"y": 1.0}, 3: {"y": 1.0}}
    tuned = TuningFacts(seed=0, learning_rates=(0.1,), val_errors=(0.2,), chosen=0.1)
    (run,) = pooled(
        part(number, [0, 1], of=3, search=said[number], losses=losses[number], tuning=tuned, steps=number)
        for number in said
    )
    assert run.search.chosen == "y in 2 folds, x in 1 fold"
    assert (run.losses, run.tuning, run.steps) == ({"y": 1.0}, tuned, None)


def test_folds_made_on_two_machines_are_said_to_be():
    def on(processor):
        return EnvironmentFacts(
            azeotrope="1",
            python="3",
            torch="2",
            timm="1",
            device="cpu",
            processor=processor,
            threads=1,
            precision="fp32",
        )

    one = summarise([part(1, [0, 1], environment=on("a")), part(2, [0, 1], environment=on("a"))])
    two = summarise([part(1, [0, 1], environment=on("a")), part(2, [0, 1], environment=on("b"))])
    assert [any("2 different machines" in said for said in each.warnings) for each in (one, two)] == [False, True]


def test_other_runs_stay_as_they_are_and_pooling_twice_changes_nothing():
    plain = part(1, [0, 1], fold=None)
    runs = pooled([plain, part(1, [0]), part(1, [1], seed=1), part(2, [0]), part(2, [0], seed=1)])
    assert [run.run_id for run in runs] == ["r0-1", "r0", "r1"]
    assert runs[0] is plain
    assert pooled(runs) == runs


def test_files_for_a_device_are_pooled_too():
    def file(wrong, **facts):
        return {
            "onnx": DeployedFacts(
                test_error=float(np.mean(wrong)), correct=pack_correctness(~np.array(wrong, bool)), **facts
            )
        }

    first = part(1, [0, 0], deployed=file([1, 0], latency_ms=1.0, size_mb=2.0, val_error=0.5))
    second = part(2, [0, 0], deployed=file([1, 1], latency_ms=3.0, size_mb=2.0, val_error=0.0))
    (run,) = pooled([first, second])
    judged = run.as_deployed("onnx")
    assert isinstance(judged, PooledRun)
    assert (judged.test_error, judged.val_error) == (0.75, 0.25)
    assert [each.test_error for each in judged.parts] == [0.5, 1.0]
    assert judged.correctness().tolist() == [False, True, False, False]
    (lacking,) = pooled([first, part(2, [0, 0], deployed={"onnx": DeployedFacts(reason="no runtime")})])
    assert lacking.deployed["onnx"].reason == "no runtime"
    assert lacking.as_deployed("onnx") is None
