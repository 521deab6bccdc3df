"""compare, report, predict and distill, one after another on one folder, as a person would."""

import json
import shutil

import pytest

from azeotrope.record.storage.store import RunStore


def files(folder):
    """Every file with what it holds."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def asked(tmp_path_factory, tiny, teacher_model):
    """A comparison of two arms, all but its output format."""
    folder = tmp_path_factory.mktemp("compare")
    teacher = ("--teacher", teacher_model, "--teacher-size", 32, "--arms", "scratch,distill")
    kept = ("--cache", folder / "cache", "--out", folder / "out")
    return ("compare", "digits", *tiny, *teacher, "-n", 200, "--seeds", 1, *kept)


@pytest.fixture(scope="module")
def compared(cli, asked):
    """The folder of the comparison and what `--json` said."""
    return asked[-1], cli(*asked, "--json")


def test_compare_prints_one_document_and_keeps_progress_apart(compared):
    out, done = compared
    assert done.status == 0, done.err
    said = json.loads(done.out)
    assert [arm["name"] for arm in said["arms"]] == ["scratch", "distill"]
    assert [(each["a"], each["b"], each["verdict"]) for each in said["verdicts"]] == [
        ("distill", "scratch", "INCONCLUSIVE")
    ]
    assert "reading images" in done.err
    assert "images" in done.err
    assert said == json.loads((out / "compare.json").read_text())


def test_the_documented_files_are_there(compared):
    out, _ = compared
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {
        "plan.yaml",
        "plans",
        "sweeps",
        "runs",
        "predictions",
        "curves",
        "models",
        "compare.json",
        "examples.json",
        "mistakes.json",
        "report.html",
    }
    runs = list(RunStore(str(out)))
    assert {(run.arm, run.state) for run in runs} == {("scratch", "done"), ("distill", "done")}
    assert len(list(out.glob("models/*/model.yaml"))) == 1


def test_the_same_command_again_trains_nothing_and_prints_a_table_of_100_columns(cli, asked, compared, monkeypatch):
    def trained(*_, **__):
        raise AssertionError("a finished run was trained again")

    out, _ = compared
    monkeypatch.setattr("azeotrope.sweeping.runs.runner.train_once", trained)
    monkeypatch.setenv("COLUMNS", "200")
    before = files(out / "runs") | files(out / "models")
    done = cli(*asked)
    assert done.status == 0, done.err
    assert files(out / "runs") | files(out / "models") == before
    assert max(map(len, done.out.splitlines()[:-2])) <= 100
    (model,) = (out / "models").iterdir()
    assert done.out.splitlines()[-2:] == [f"Report: {out}/report.html", f"Use it: azeotrope predict {model} IMAGE"]


def test_report_makes_the_page_again_and_says_where(cli, compared, tmp_path):
    out, _ = compared
    page = tmp_path / "page.html"
    done = cli("report", out, "--out", page)
    assert (done.status, done.out, done.err) == (0, f"{page}\n", "")
    assert page.read_text(encoding="utf-8") == (out / "report.html").read_text(encoding="utf-8")


def test_report_gives_the_same_numbers_as_compare(cli, compared):
    out, done = compared
    again = cli("report", out, "--json")
    assert (again.status, again.err) == (0, "")
    (comparison,) = json.loads(again.out)["comparisons"]
    assert comparison["arms"] == json.loads(done.out)["arms"]


def test_predict_finds_the_model_in_the_output_folder(cli, compared, picture):
    out, _ = compared
    (model,) = out.glob("models/*")
    done = cli("predict", out, picture, "--top", 2)
    assert (done.status, done.err) == (0, "")
    assert done.out == cli("predict", model, picture, "--top", 2).out
    assert done.out.startswith(f"{picture}: ")
    assert done.out.count("%") == 2


def test_predict_as_json_gives_probabilities_of_known_classes(cli, compared, picture):
    out, _ = compared
    done = cli("predict", out, picture.parent, "--top", 10, "--json")
    assert (done.status, done.err) == (0, "")
    (prediction,) = json.loads(done.out)["predictions"]
    assert sorted(prediction["classes"]) == [str(digit) for digit in range(10)]
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert prediction["probabilities"] == sorted(prediction["probabilities"], reverse=True)


def test_a_broken_file_is_named_and_the_others_are_classified(cli, compared, picture, tmp_path):
    out, _ = compared
    shutil.copy(picture, tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(picture.read_bytes()[:40])
    done = cli("predict", out, tmp_path)
    assert done.status == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == [str(tmp_path / "a.png")]
    assert f"{tmp_path / 'b.png'}: cannot be read: " in done.said
    readable, broken = json.loads(cli("predict", out, tmp_path, "--json").out)["predictions"]
    assert (readable["problem"], broken["classes"]) == (None, [])
    assert broken["problem"]


def test_predict_asks_which_of_several_models(cli, compared, picture, tmp_path):
    out, _ = compared
    (model,) = out.glob("models/*")
    for name in ("first", "second"):
        shutil.copytree(model, tmp_path / "models" / name)
    done = cli("predict", tmp_path, picture)
    assert (done.status, done.out) == (2, "")
    first, second = tmp_path / "models" / "first", tmp_path / "models" / "second"
    assert f"holds several models. Found: {first}, {second}. Next: name one of these." in done.said


def test_distill_saves_a_model_that_predicts(cli, tiny, teacher_model, picture, tmp_path):
    teacher = ("--teacher", teacher_model, "--teacher-size", "32", "--arm", "distill:kl")
    asked = ("distill", "digits", *tiny, *teacher, "-n", 200, "--out", tmp_path / "out")
    said = json.loads(cli(*asked, "--json").out)
    assert said["record"]["arm"] == "distill:kl"
    assert said["record"]["losses"] == {"cross_entropy": 1.0, "kl": 1.0}
    record = said["record"]
    plain, by_class = (f"{100 * error:.1f} %" for error in (record["test_error"], record["metrics"]["per_class_error"]))
    beside = (
        "" if by_class == plain else f" (mean per-class error {by_class})"
    )  # left out where it reads like the error
    error = f"Test error {plain}{beside} on {record['test_images']:,} images"
    again = cli(*asked)
    assert again.out.splitlines() == [
        error,
        f"Model: {said['model']}",
        f"Use it: azeotrope predict {said['model']} IMAGE",
    ]
    assert cli("predict", said["model"], picture).status == 0


def test_an_image_that_is_not_there_is_wrong_input(cli, compared, picture, tmp_path):
    out, _ = compared
    done = cli("predict", out, picture, tmp_path / "missing.png")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        f"error: Every image that is named must be there.\nfound: no {tmp_path / 'missing.png'}.\n"
        "allowed: image files, or folders of them.\nnext: check the path.\n"
    )
