"""list, check and demo: what they print, and that --json prints nothing else."""

import json

import numpy as np
import pytest
from PIL import Image

FAMILIES = {
    "teachers": "timm:tf_efficientnet_lite0",
    "students": "timm:test_resnet",
    "losses": "align_uniform",
    "laws": "power_floor",
    "sources": "fashion-mnist",
    "strategies": "linear_probe",
    "targets": "onnx-int8",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_list_says_the_same_as_text_and_as_json(cli, family, monkeypatch):
    monkeypatch.setattr("azeotrope.models.ladder.STUDENTS", ("test_vit2", "test_resnet"))  # each is built: a second
    done = cli("list", family, "--json")
    assert (done.status, done.err) == (0, "")
    rows = json.loads(done.out)["rows"]
    assert FAMILIES[family] in [row["name"] for row in rows]
    text = cli("list", family)
    assert (text.status, text.err) == (0, "")
    assert [line.split()[0] for line in text.out.splitlines()] == [row["name"] for row in rows]


def test_list_of_a_ladder(cli):
    rows = json.loads(cli("list", "students", "--ladder", "test_byobnet", "--json").out)["rows"]
    assert [row["name"] for row in rows] == ["timm:test_byobnet"]


def test_what_is_listed_ends_with_its_sentence(cli):
    """A description that was cut in the middle of a line would end without a full stop."""
    for family in ("losses", "laws", "sources", "strategies", "targets"):
        rows = json.loads(cli("list", family, "--json").out)["rows"]
        assert [row["name"] for row in rows if not row["what"].endswith(".")] == []


@pytest.fixture
def no_trials(monkeypatch):
    """Rates as if they had been measured."""
    monkeypatch.setattr("azeotrope.session.forecast.training_rate", lambda *_, **__: 100.0)
    monkeypatch.setattr("azeotrope.session.forecast.inference_rate", lambda *_, **__: 200.0)


@pytest.mark.usefixtures("no_trials")
def test_check_forecasts_from_the_rates(cli, tiny):
    asked = ("check", "digits", *tiny[:4], "-n", 60, "--arms", "scratch", "--seeds", 2)
    done = cli(*asked, "--json")
    assert done.status == 0, done.err
    said = json.loads(done.out)
    assert "reading images" in done.err
    assert said["audit"]["images"] == 1797
    forecast = said["forecast"]
    assert (forecast["arms"], forecast["runs"], forecast["train_images"]) == (["scratch"], 2, 60)
    assert forecast["total_seconds"] == pytest.approx(sum(forecast["seconds"].values()))
    assert said["rates"]["train"] == 100.0
    assert said["rates"]["teacher"] is None
    text = cli(*asked)
    assert text.status == 0
    assert "digits: 1,797 images, 10 classes" in text.out
    assert "compare would make 2 runs: scratch" in text.out


@pytest.mark.usefixtures("no_trials")
def test_check_counts_held_out_pictures_twice_where_a_teacher_looks_at_their_frames(cli, tiny, tmp_path, teacher_model):
    random = np.random.default_rng(0)
    for number in range(60):
        file = tmp_path / "set" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (40, 50), dtype=np.uint8)).save(file)
    asked = ("check", tmp_path / "set", *tiny[:4], "-n", 20, "--seeds", 2, "--json")
    images = []
    for more in (("--arms", "scratch"), ("--arms", "scratch,distill:kl", "--teacher", teacher_model)):
        done = cli(*asked, *more)
        assert done.status == 0, done.err
        said = json.loads(done.out)
        images.append(said["forecast"]["seconds"]["decode"] * said["rates"]["decode"])
    held_out = 2 * said["forecast"]["val_images"] + said["forecast"]["test_images"]
    assert images == pytest.approx([40 + held_out, 40 + 2 * held_out])


@pytest.mark.usefixtures("no_trials")
def test_check_names_the_arms_that_cannot_be_tested(cli, tiny):
    done = cli("check", "digits", *tiny[:4], "-n", 60, "--json")
    left_out = json.loads(done.out)["forecast"]["left_out"]
    assert left_out["distill"] == "no teacher was named"


@pytest.fixture
def short_demo(monkeypatch, teacher_model):
    """The demonstration on digits with the smallest models: its choices are replaced, its code is not."""
    from azeotrope.plan import TeacherSpec

    choices = {
        "TEACHER": TeacherSpec(model=teacher_model, image_size=32),
        "STUDENT": "timm:test_resnet",
        "SIZES": (100, 200, 400),
        "SEEDS": 2,
        "WORKERS": 1,
        "RECIPE": {"epochs": 1, "learning_rates": (1e-3,), "views": 1},
        "installed_for": lambda model: object(),
        "_data": lambda progress: "digits",
    }
    for name, value in choices.items():
        monkeypatch.setattr(f"azeotrope.api.demo.{name}", value)


@pytest.mark.usefixtures("short_demo")
def test_demo_ends_by_naming_the_report(cli, tmp_path):
    done = cli("demo", "--out", tmp_path / "demo")
    assert done.status == 0, done.err
    assert done.out.splitlines()[-1] == f"Report: {tmp_path / 'demo' / 'report.html'}"
    assert (tmp_path / "demo" / "report.html").stat().st_size > 10_000
    again = cli("demo", "--out", tmp_path / "demo", "--json")
    said = json.loads(again.out)
    assert [(size["train_images"], len(size["arms"])) for size in said["sizes"]] == [(100, 2), (200, 2), (400, 2)]


def test_demo_without_its_teacher_says_what_to_install(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.api.demo.installed_for", lambda model: None)
    done = cli("demo", "--out", tmp_path / "demo")
    assert (done.status, done.out) == (2, "")
    assert 'Next: pip install "azeotrope[demo]".' in done.said
    assert not (tmp_path / "demo").exists()
