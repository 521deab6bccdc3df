"""Tasks of several labels and of a number by the commands that a person gives."""

import json
from dataclasses import replace

import pytest
import yaml

from azeotrope.api.predict import Prediction
from azeotrope.cli._terminal.check import _outputs
from azeotrope.data.auditing.audit import audit
from azeotrope.data.task import load_task
from azeotrope.labels import LabelSpec
from azeotrope.record.kinds import number_text
from azeotrope.record.storage.store import RunStore

QUICK = ("-s", "test_resnet", "--image-size", "32", "--epochs", "1", "--learning-rates", "1e-3", "--views", "1")
SEVERAL = ("--kind", "multi")
NUMBER = ("--kind", "number", "--label-column", "ink", "--unit", "%")


@pytest.fixture(scope="module")
def distilled(cli, digit_tables, teacher_model, tmp_path_factory):
    """What `distill` said of each kind, with the folder. No teacher knows more of the ink than the pixels do."""
    made = {}
    for name, labels in (("several", SEVERAL), ("number", NUMBER)):
        out = tmp_path_factory.mktemp(name) / "out"
        taught = ("-t", teacher_model, "--teacher-size", 32, "--arm", "distill:kl", "-n", 60)
        insist = ("--weak-teacher",) if name == "number" else ()
        made[name] = (
            cli("distill", digit_tables / f"{name}.csv", *QUICK, *taught, *insist, *labels, "--out", out),
            out,
        )
    return made


def test_check_says_what_the_labels_are(cli, digit_tables):
    done = cli("check", digit_tables / "number.csv", *QUICK, *NUMBER, "--seeds", 1, "-n", 40, "--arms", "scratch")
    assert done.status == 0, done.err
    assert "500 images, ink from " in done.out
    assert "(median " in done.out


def test_distill_calls_the_error_by_its_name(distilled):
    done, _ = distilled["several"]
    assert done.status == 0, done.err
    assert done.out.startswith("Test 1 − mAP ")
    assert "labels wrong" in done.out
    done, _ = distilled["number"]
    assert done.out.startswith("Test 1 − R² ")
    assert "MAE" in done.out
    assert " %) on 100 images" in done.out


def test_predict_names_classes_above_the_threshold_or_a_value(cli, distilled, digit_tables):
    picture = digit_tables / "0.png"
    done = cli("predict", distilled["several"][1], picture, "--threshold", 0)
    assert {"even", "loop", "above 4"} == {
        part.rsplit(" ", 2)[0].strip() for part in done.out.split(": ")[1].split(",")
    }
    assert cli("predict", distilled["several"][1], picture, "--threshold", 1).out == f"{picture}: none of the classes\n"
    (said,) = json.loads(cli("predict", distilled["number"][1], picture, "--json").out)["predictions"]
    assert (said["unit"], said["classes"]) == ("%", [])
    shown = number_text(said["value"])
    assert cli("predict", distilled["number"][1], picture).out == f"{picture}: {shown} %\n"


def test_sweep_reads_the_kind_from_flags_or_the_plan(cli, digit_tables, tmp_path):
    asked = ("--arms", "scratch", "-n", "40", "--seeds", "1", "--precision", "fp32", "--out", tmp_path / "out")
    done = cli("sweep", digit_tables / "number.csv", *QUICK, *NUMBER, *asked)
    assert done.status == 0, done.err
    (record,) = RunStore(str(tmp_path / "out"))
    assert (record.task.kind, record.task.unit) == ("number", "%")
    plan = yaml.safe_load((tmp_path / "out" / "plan.yaml").read_text())
    assert plan["labels"] == {"kind": "number", "column": "ink", "separator": None, "unit": "%"}
    again = cli("sweep", tmp_path / "out" / "plan.yaml", "--out", tmp_path / "out")
    assert again.status == 0, again.err


def test_what_flags_say_of_labels_is_added_to_what_the_plan_says(cli, digit_tables, tmp_path):
    """The kind stays a number, of which there may be a unit."""
    content = {"data": str(digit_tables / "number.csv"), "students": "test_resnet", "arms": "scratch"}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump({**content, "labels": {"kind": "number", "column": "inc"}}))
    done = cli("sweep", tmp_path / "plan.yaml", "--unit", "%", "--out", tmp_path / "out")
    assert (done.status, "has no column 'inc'" in done.said) == (2, True), done.err


def test_large_numbers_keep_their_digits(cli, digit_tables, monkeypatch):
    said = [Prediction("a.png", value=234567.4, unit="EUR")]
    monkeypatch.setattr("azeotrope.api.predict.predict", lambda *_, **__: said)
    assert cli("predict", "model", "a.png").out == "a.png: 234,567 EUR\n"
    task = load_task(str(digit_tables / "number.csv"), labels=LabelSpec(kind="number", column="ink"))
    found = replace(audit(task.manifest, task.source), values=(1250.4, 234567.4, 1e6))
    assert _outputs(found) == "ink from 1250 to 1,000,000 (median 234,567)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--kind", "number", "--separator", ";"),
            "a separator stands between several labels: with kind multi, not number",
        ),
        (("--unit", "kg"), "a unit is that of a number: with kind number, not single"),
        (("--kind", "several"), "Invalid value for '--kind'"),
        (NUMBER, "digits gives each image one class"),
    ],
)
def test_contradictions_are_wrong_usage(cli, tmp_path, options, said):
    done = cli("compare", "digits", "-s", "test_resnet", *options, "--out", tmp_path / "out")
    assert done.status == 2
    assert said in done.said
    assert not (tmp_path / "out").exists()


def test_options_of_unequal_classes_reach_the_recipe(cli):
    options = ["--sampling", "balanced", "--class-weights", "auto", "--logit-adjustment", 1]
    done = cli("check", "digits", "-s", "test_resnet", *options)
    assert done.status == 2
    said = "class_weights auto and sampling balanced and logit_adjustment each even out unequal classes"
    assert said in done.said


def test_a_file_of_class_weights_is_looked_for_before_images_are_read(cli):
    done = cli(*["check", "nowhere/", "-s", "test_resnet", "--class-weights", "w.yaml"])
    assert (done.status, done.out) == (2, "")
    assert "The file of class weights must exist. Found: w.yaml." in done.said
