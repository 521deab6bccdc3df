"""`--metric balanced_error` on a set of which one class is small: what chooses, is recorded, judged and said."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score

import azeotrope
from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.record.storage.answers import answers_of, validation_of
from azeotrope.record.storage.store import RunStore

COUNTS = {"0": 100, "1": 100, "8": 12}


@pytest.fixture(scope="module")
def unequal(tmp_path_factory):
    """Digits of three classes, one of them small."""
    root, bunch = tmp_path_factory.mktemp("unequal"), load_digits()
    for name, count in COUNTS.items():
        (root / name).mkdir()
        for place in np.flatnonzero(bunch.target == int(name))[:count]:
            Image.fromarray((bunch.images[place] * 15).astype(np.uint8)).save(root / name / f"{place}.png")
    return root


@pytest.fixture(scope="module")
def made(compare, unequal, tmp_path_factory):
    out = tmp_path_factory.mktemp("metric") / "out"
    recipe = {"epochs": 2, "views": 1, "learning_rates": (1e-3, 4e-3), "metric": "balanced_error"}
    return compare(str(unequal), out, arms=["scratch"], teacher=None, train_images=100, seeds=3, recipe=recipe), out


def test_the_error_on_record_is_the_mean_over_classes_and_so_is_what_chose(made, unequal):
    _, out = made
    task = load_task(str(unequal))
    labels = task.labels[task.splits.test]
    for record in RunStore(str(out)):
        said = answers_of(out, record.run_id).said
        assert record.test_error == pytest.approx(1 - balanced_accuracy_score(labels, said))
        assert record.metrics["image_error"] == pytest.approx((said != labels).mean())
        assert (record.recipe["metric"], record.measure) == ("balanced_error", "balanced_error")
        np.testing.assert_array_equal(record.test_labels(), labels)
        assert min(record.tuning.val_errors) == pytest.approx(
            record.tuning.val_errors[record.tuning.learning_rates.index(record.tuning.chosen)]
        )
        answers, wanted = validation_of(out, record.run_id)
        assert record.val_error == pytest.approx(1 - balanced_accuracy_score(wanted, answers.said))
        assert record.task.common_error == pytest.approx(2 / 3)


def test_it_is_called_by_its_name_wherever_it_is_shown(made):
    comparison, out = made
    assert comparison.metric == "balanced_error"
    assert json.loads((out / "compare.json").read_text("utf-8"))["metric"] == "balanced_error"
    page = (out / "report.html").read_text("utf-8")
    assert "lowest balanced error on validation" in page
    assert "has a balanced error of 66.7" in page
    assert not any("more than 5 to 1" in warning for warning in comparison.warnings)


def test_an_export_is_judged_by_the_measure_that_chose(made, unequal):
    _, out = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azeotrope.exporting.target.TIMED", (5, 0.0))
        bundle = azeotrope.export(out, to="onnx", data=unequal)
    record = RunStore(str(out)).get(bundle.verification.run_id)
    answers, wanted = validation_of(out, record.run_id)
    balanced = 1 - balanced_accuracy_score(wanted, answers.said)
    assert balanced != pytest.approx((answers.said != wanted).mean())
    assert bundle.verification.metric == "balanced_error"
    assert bundle.verification.network.error == pytest.approx(balanced)
    assert bundle.verification.network.test_error == pytest.approx(record.test_error)
    assert bundle.verification.files[0].error == pytest.approx(balanced)
    assert "The error is the balanced error, the mean over classes" in (bundle.folder / "card.md").read_text("utf-8")
    assert "- metric: balanced\\_error" in (bundle.folder.parent / "card.md").read_text("utf-8")


def test_five_answers_of_three_classes_are_refused(compare, unequal, made):
    _, out = made
    recipe = {"epochs": 2, "views": 1, "learning_rates": (1e-3,), "metric": "top5_error"}
    with pytest.raises(InputError, match="needs more than 5 classes"):
        compare(str(unequal), out, arms=["scratch"], teacher=None, train_images=100, seeds=1, recipe=recipe)


def test_how_unequal_classes_were_evened_out_is_on_the_record_in_the_plan_and_on_the_card(compare, unequal, tmp_path):
    file = tmp_path / "weights.yaml"
    file.write_text("8: 9\n0: 1\n1: 1\n")
    changes = {"class_weights": str(file), "sampling": "balanced"}
    recipe = {"epochs": 1, "views": 1, "learning_rates": (1e-3,), **changes}
    asked = {"arms": ["scratch"], "teacher": None, "train_images": 100, "seeds": 1}
    compare(str(unequal), tmp_path / "out", recipe=recipe, **asked)
    (record,) = RunStore(str(tmp_path / "out"))
    weights = {"0": 1.0, "1": 1.0, "8": 9.0}
    assert (record.recipe["class_weights"], record.recipe["sampling"]) == (weights, "balanced")
    assert "logit_adjustment" not in record.recipe
    plan = yaml.safe_load((tmp_path / "out" / "plan.yaml").read_text("utf-8"))
    assert plan["recipe"]["class_weights"] == weights
    (recipe,) = plan["resolved"][0]["recipes"].values()
    assert recipe["class_weights"] == weights
    card = (tmp_path / "out" / "models" / record.run_id / "model.yaml").read_text("utf-8")
    assert "class_weights: a file's" in card
    assert "sampling: balanced" in card
