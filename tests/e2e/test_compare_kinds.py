"""The other kinds of task from a table to verdict, report and a model that predicts; they learn."""

import json

import numpy as np
import pytest
from PIL import Image

from azeotrope.api.predict import predict
from azeotrope.api.report import report
from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec
from azeotrope.plan import PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.record.storage.answers import answers_of
from azeotrope.record.storage.store import RunStore
from azeotrope.verdicts.verdict import verdict

LONGER = {"epochs": 12, "views": 2, "learning_rates": (8e-3,)}
LABELS = {"several": LabelSpec(kind="multi"), "number": LabelSpec(kind="number", column="ink", unit="%")}


@pytest.fixture(scope="module", params=LABELS)
def made(request, compare, digit_tables, teacher_model, tmp_path_factory):
    """(name, comparison, folder) of scratch and distill on 120 digits; seconds, so that something is learnt. Pixels
    alone give the ink, so no teacher knows more than they do.
    """
    out = tmp_path_factory.mktemp(request.param) / "out"
    data, labels = str(digit_tables / f"{request.param}.csv"), LABELS[request.param]
    teacher = TeacherSpec(model=teacher_model, image_size=32, weak=request.param == "number")
    asked = {"labels": labels, "teacher": teacher, "train_images": 120, "seeds": 1, "recipe": LONGER, "deploy": "onnx"}
    return request.param, compare(data, out, **asked), out


def records(out):
    return list(RunStore(str(out)))


def test_every_arm_learns(made):
    """Chance: mAP about 0.5, and no variance explained."""
    name, comparison, out = made
    assert not comparison.failed
    assert {arm.name for arm in comparison.arms} == {"scratch", "distill"}
    for record in records(out):
        assert record.test_error < {"several": 0.35, "number": 0.6}[name]


def test_the_teacher_passes_the_gate_and_stands_beside(made):
    _, comparison, _ = made
    assert comparison.teacher.head_error < 0.4
    assert comparison.teacher.head_accuracy > 0.6


def test_records_say_what_was_measured(made):
    name, comparison, out = made
    for record in records(out):
        assert record.task.kind == comparison.kind == LABELS[name].kind
        assert record.correct is None
        assert record.recipe["label_smoothing"] == 0
        if name == "several":
            assert record.test_error == pytest.approx(1 - record.metrics["map"])
            assert 0 < record.metrics["label_error"] < 0.5
        else:
            assert (record.task.unit, record.task.classes) == ("%", ("ink",))
            assert record.test_error == pytest.approx(1 - record.metrics["r2"])
            assert 0 < record.metrics["mae"] < 5


def test_files_of_every_kind_answer_as_their_networks(made):
    _, comparison, out = made
    for record in records(out):
        file = record.deployed["onnx"]
        assert file.test_error == pytest.approx(record.test_error, abs=1e-5)
        assert file.val_error == pytest.approx(record.val_error, abs=1e-5)
        assert file.correct is None
    (found,) = comparison.deployed
    assert [arm.lost.value for arm in found.arms] == pytest.approx([0, 0], abs=1e-5)


def test_the_verdict_says_what_it_does_not_count(made):
    name, _, out = made
    by_arm = {arm: [record for record in records(out) if record.arm == arm] for arm in ("scratch", "distill")}
    found = verdict(by_arm["distill"], by_arm["scratch"])
    error = {"several": "1 − mAP", "number": "1 − R²"}[name]
    assert found.reason.endswith(f"; sampling of test images is not counted: {error} is no mean over images")


def test_the_report_calls_things_by_their_names(made):
    name, _, out = made
    page = report(out).read_text()
    assert {"several": "1 − mAP on test", "number": "1 − R² on test"}[name] in page
    assert {"several": "3 classes, any number an image", "number": "one number, ink in %"}[name] in page
    assert {"several": "labels wrong", "number": "MAE"}[name] in page
    assert "error on test<" not in page
    assert json.loads((out / "compare.json").read_text())


def test_the_saved_model_predicts_what_the_test_said(made, digit_tables, tmp_path):
    name, _, out = made
    (model,) = (out / "models").iterdir()
    task = load_task(str(digit_tables / f"{name}.csv"), labels=LABELS[name])
    stored, shown = answers_of(out, model.name).said, task.splits.test[:20]
    files = [digit_tables / task.manifest.keys[row] for row in shown]
    said = predict(model, files)
    if name == "several":
        expected = [{task.classes[place] for place in np.flatnonzero(row)} for row in stored[:20]]
        assert [set(prediction.classes) for prediction in said] == expected
        assert all(share >= 0.5 for prediction in said for share in prediction.probabilities)
        assert len(predict(model, files[:1], threshold=0.0)[0].classes) == 3
    else:
        assert [prediction.value for prediction in said] == pytest.approx(stored[:20], abs=1e-3)
        assert said[0].unit == "%"
    card = (model / "card.md").read_text()
    assert {"several": "any number an image", "number": "estimates ink from an image, in %"}[name] in card


def test_pretraining_of_another_kind_may_come_first(compare, digit_tables, tmp_path):
    """Upstream sets give one class an image; the body is what is carried over."""
    for name in ("a", "b"):
        (tmp_path / "upstream" / name).mkdir(parents=True)
        for number in range(8):
            noise = np.random.default_rng(number + 100 * (name == "b")).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "upstream" / name / f"{number}.png")
    comparison = compare(
        str(digit_tables / "number.csv"),
        tmp_path / "out",
        labels=LABELS["number"],
        arms=["finetune@upstream"],
        upstream=UpstreamSpec(data=str(tmp_path / "upstream"), pretrain_images=8),
        seeds=1,
    )
    assert not comparison.failed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"arms": ["scratch", "distill:decoupled_kl"]},
            "The loss decoupled_kl has no meaning for a task of the kind multi",
        ),
        ({"arms": ["distill:soft_labels"]}, "The loss soft_labels has no meaning for a task of the kind multi"),
        (
            {"arms": ["distill+unlabelled"], "pictures": PicturesSpec(unlabelled="digits")},
            "Further pictures teach tasks of the kind single only, not multi. Found: the arm distill+unlabelled",
        ),
        ({"recipe": {"label_smoothing": 0.1}}, "Labels of the kind multi are not smoothed. Found: label_smoothing 0.1"),
        ({"head": "zero_shot"}, "A head made of class names chooses one class of several; a task of the kind multi"),
    ],
)
def test_what_has_no_meaning_is_refused_before_training(compare, digit_tables, teacher_model, tmp_path, changes, said):
    if head := changes.pop("head", None):
        changes["teacher"] = TeacherSpec(model=teacher_model, image_size=32, head=head)
    with pytest.raises(InputError) as refusal:
        compare(str(digit_tables / "several.csv"), tmp_path / "out", labels=LABELS["several"], **changes)
    assert str(refusal.value).startswith(said)
    assert not (tmp_path / "out" / "runs").exists()
