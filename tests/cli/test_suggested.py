"""`compare` and `advise` of images alone: models are chosen, each choice is said, and what was named stays."""

from types import SimpleNamespace

import pytest

from azeotrope.api.suggest import Suggestion
from azeotrope.cli._options.models import holds_images
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.plan import TeacherSpec

WORDS = ("Student: small, because it is small. Change it with --student.", "Teacher: big, because it is strong.")


@pytest.fixture
def asked(monkeypatch):
    """What was asked of `suggest`, `compare` and `advise_data`; the last two go no further."""
    seen = {}

    def suggest(data, **options):
        seen["suggest"] = options
        return Suggestion("small", TeacherSpec(model="big", image_size=128), WORDS)

    def stop(data, needs=None, **options):
        seen["asked"] = options
        raise InputError("stop")

    monkeypatch.setattr("azeotrope.api.suggest.suggest", suggest)
    monkeypatch.setattr("azeotrope.api.compare.compare", stop)
    monkeypatch.setattr("azeotrope.api.advise_data.advise_data", stop)
    return seen


def test_compare_alone_chooses_both_and_says_why(cli, asked):
    said = " ".join(cli("compare", "digits").err.split())
    assert all(words in said for words in WORDS)
    assert asked["asked"]["student"] == "small"
    assert asked["asked"]["teacher"] == TeacherSpec(model="big", image_size=128)


def test_a_size_that_was_asked_for_goes_before_the_suggested_one(cli, asked):
    cli("compare", "digits", "--teacher-size", "64")
    assert asked["asked"]["teacher"] == TeacherSpec(model="big", image_size=64)


def test_what_was_named_stays(cli, asked):
    cli("compare", "digits", "-t", "mine", "-n", "100,200", "--device-budget", "5MB")
    assert (asked["asked"]["student"], asked["asked"]["teacher"].model) == ("small", "mine")
    assert (asked["suggest"]["train_images"], asked["suggest"]["device_budget"]) == (200, "5MB")
    cli("compare", "digits", "-s", "mine")
    assert (asked["asked"]["student"], asked["asked"]["teacher"]) == ("mine", None)


def test_arms_without_a_teacher_get_none(cli, asked):
    cli("compare", "digits", "--arms", "scratch,finetune")
    assert asked["asked"]["teacher"] is None


def test_advise_of_images_with_their_kind(cli, asked, tmp_path):
    (tmp_path / "people.csv").touch()
    done = cli("advise", tmp_path / "people.csv", "--kind", "number", "--at", "640", "--max-size-mb", "5")
    assert done.status == 2
    assert asked["asked"]["students"] == ["small"]
    assert asked["asked"]["teachers"] == [TeacherSpec(model="big", image_size=128)]
    assert asked["asked"]["labels"].kind == "number"
    assert (asked["suggest"]["train_images"], asked["suggest"]["device_budget"]) == ([640][0], "5MB")


def test_what_holds_images(tmp_path):
    runs, photos, several = tmp_path / "out", tmp_path / "photos", tmp_path / "sweeps"
    for file in (runs / "runs/a.json", photos / "cat/a.png", several / "task/runs/a.json"):
        file.parent.mkdir(parents=True)
        file.touch()
    held = {
        name: holds_images(str(name), insisted=False) for name in (runs, photos, several, "digits", "r.csv", "s3://b")
    }
    assert held == {runs: False, photos: True, several: False, "digits": True, "r.csv": False, "s3://b": False}
    assert holds_images("r.csv", insisted=True)
    assert not holds_images(str(runs), insisted=True)


def test_bands_of_a_teacher_that_is_suggested_are_handed_on(cli, asked, tmp_path):
    (tmp_path / "a").mkdir()
    for command in ("compare", "advise"):
        cli(command, tmp_path, "--bands", "all", "--teacher-bands", "3,2,1")
        assert asked["suggest"]["teacher_bands"] == (3, 2, 1)
    assert asked["asked"]["teachers"][0].bands == (3, 2, 1)
    cli("advise", tmp_path, "-s", "mine", "-t", "other", "--bands", "all", "--teacher-bands", "2")
    assert asked["asked"]["teachers"] == [TeacherSpec(model="other", bands=(2,))]
    said = cli("advise", tmp_path, "-s", "mine", "--bands", "all", "--teacher-bands", "2")
    assert "--teacher-bands: no teacher is named" in " ".join(said.err.split())


def test_without_its_bands_no_teacher_is_suggested(tmp_path):
    from azeotrope.api import suggest as module

    found = module.suggest("digits", device="cpu", labels=LabelSpec(pixels=PixelSpec(bands="all")))
    assert found.teacher is None
    assert "nothing says which of the bands it would look at" in found.words[1]
    assert "--teacher-bands" in found.words[1]


def test_a_real_suggestion_reads_the_images(monkeypatch):
    from azeotrope.api import suggest as module

    monkeypatch.setattr(module.suggesting, "teacher", lambda facts: SimpleNamespace(model=None, said=lambda what: what))
    found = module.suggest("digits", device="cpu")
    assert (found.student, found.teacher) == ("test_resnet", None)
    assert "of 8 pixels" in found.words[0]
