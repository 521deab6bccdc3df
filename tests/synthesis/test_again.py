"""A set is gone on with: it grows, is judged again, or was stopped; nothing of two commands is mixed up."""

import polars as pl
import pytest

from azeotrope.data.unlabelled import UNREADABLE
from azeotrope.errors import InputError, RunFailed, StoreError
from azeotrope.synthesis.generators.own import saved
from azeotrope.synthesis.opening import Ready
from azeotrope.synthesis.pictures import open_set
from azeotrope.synthesis.spec import FilterSpec, GeneratorSpec
from azeotrope.synthesis.training import OwnTraining

from .conftest import OWN, Artist


class Newer(Artist):
    revision = "r2"


def provenance(folder):
    return pl.read_parquet(folder / "provenance.parquet")


def test_the_same_command_makes_nothing_again_and_a_larger_one_adds(synth, tmp_path):
    (first,) = synth(tmp_path, Artist())
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*.png")}
    (more,) = synth(tmp_path, Artist(), per_class=10)
    assert more.made == 30
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_pictures_made_otherwise_are_not_mixed_with_others(synth, tmp_path):
    synth(tmp_path, Artist())
    other = OWN.model_copy(update={"guidance": 3.0})
    with pytest.raises(StoreError, match=r"was begun otherwise. Found: another generator.*choose another folder"):
        synth(tmp_path, Artist(), generator=other)


def test_pictures_of_two_revisions_say_which_made_them(synth, tmp_path):
    synth(tmp_path, Artist())
    (more,) = synth(tmp_path, Newer(), per_class=10)
    rows = provenance(more.folder)
    assert rows.filter(pl.col("index") < 8)["revision"].unique().to_list() == ["r1"]
    assert rows.filter(pl.col("index") >= 8)["revision"].unique().to_list() == ["r2"]
    assert "Generator artist at r1, artist at r2; teacher" in (more.folder / "pictures.html").read_text()


def test_a_hubs_generator_goes_on_at_the_revision_that_the_set_began_with(synth, tmp_path, monkeypatch):
    opened = []

    def open_named(spec, *_):
        opened.append(spec.revision)
        return Ready(Artist())

    monkeypatch.setattr("azeotrope.api.synth.open_named", open_named)
    for per_class in (8, 9):
        synth(tmp_path, generator=GeneratorSpec(kind="text", model="some/model"), per_class=per_class)
    assert opened == [None, "r1"]


def test_judging_costs_what_it_would_alone_although_caches_are_full(synth, shapes, tmp_path, monkeypatch):
    """At 10 s an image for decoding and as much for the teacher, whoever did both."""
    monkeypatch.setattr("azeotrope.data.packing.rowstore.RowStore.seconds_per_row", lambda _: 10.0)
    embedded = 20 * (len(shapes.splits.val) + len(shapes.splits.test) + 24)
    for _ in range(2):
        (done,) = synth(tmp_path, Artist())
        assert embedded < done.seconds["filter"] < embedded + 20


def test_a_set_that_is_refused_when_judged_again_is_not_finished_any_more(synth, shapes, tmp_path):
    synth(tmp_path, Artist())
    assert len(open_set(tmp_path, shapes, 40, 0).pool.rows) > 0
    with pytest.raises(RunFailed, match="The teacher refuses"):
        synth(tmp_path, Artist(), judged_by=FilterSpec(agreement=1 - 1e-12))
    with pytest.raises(InputError, match="There are no pictures for 40 training images"):
        open_set(tmp_path, shapes, 40, 0)


def test_another_teacher_may_judge_the_same_pictures(synth, shapes, teacher, tmp_path):
    synth(tmp_path, Artist())
    other = teacher.model_copy(update={"image_size": 64})
    synth(tmp_path, Artist(), teacher=other)
    assert open_set(tmp_path, shapes, 40, 0).plan.teacher == other


def test_a_picture_that_cannot_be_read_any_more_is_refused_and_not_shown(synth, tmp_path):
    (done,) = synth(tmp_path, Artist())
    (done.folder / provenance(done.folder)["file"][0]).write_bytes(b"torn")
    (again,) = synth(tmp_path, Artist())
    assert again.refused[UNREADABLE] == 1
    assert (again.folder / "pictures.html").read_text().count("data:image/png;base64,") == 23


def test_a_generator_that_cannot_be_opened_leaves_nothing_behind(synth, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is not a diffusers pipeline"):
        synth(tmp_path / "out", generator=GeneratorSpec(kind="text", model=str(tmp_path / "empty")))
    assert not (tmp_path / "out" / "n40-s0").exists()


def test_a_generator_that_cannot_be_opened_leaves_a_finished_set_as_it_is(synth, shapes, tmp_path, monkeypatch):
    generator = GeneratorSpec(kind="text", model="some/model")
    monkeypatch.setattr("azeotrope.api.synth.open_named", lambda *_: Ready(Artist()))
    synth(tmp_path, generator=generator)

    def unreachable(*_):
        raise InputError("no connection")

    monkeypatch.setattr("azeotrope.api.synth.open_named", unreachable)
    with pytest.raises(InputError, match="no connection"):
        synth(tmp_path, generator=generator, judged_by=FilterSpec(agreement=0.9))
    assert open_set(tmp_path, shapes, 40, 0).plan.filter == FilterSpec()


def test_after_options_that_a_generator_refused_others_may_be_tried(synth, stable_diffusion, tmp_path):
    generator = GeneratorSpec(kind="text", model=str(stable_diffusion), steps=1, picture_size=20)
    with pytest.raises(InputError, match="does not take these options"):
        synth(tmp_path, generator=generator, per_class=2)
    with pytest.raises(RunFailed, match="The teacher refuses"):
        synth(tmp_path, generator=generator.model_copy(update={"picture_size": 16}), per_class=2)


def test_after_a_loss_that_was_not_finite_other_options_may_be_tried(synth, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("azeotrope.synthesis.training.CHECKPOINT_SECONDS", 0.0)
        patch.setattr("azeotrope.synthesis.training.CLIP_NORM", float("nan"))  # the second step sees its weights
        with pytest.raises(RunFailed, match="not finite at step 2"):
            synth(tmp_path, per_class=3)
    slower = OWN.model_copy(update={"training": OWN.training.model_copy(update={"learning_rate": 1e-4})})
    with pytest.raises(RunFailed, match="The teacher refuses"):
        synth(tmp_path, per_class=3, generator=slower)
    assert saved(tmp_path / "n40-s0" / "generator")


def test_a_training_that_was_stopped_is_not_gone_on_with_otherwise(synth, tmp_path, monkeypatch):
    real = OwnTraining._step

    def stops(training):
        if training.step == 2:
            raise KeyboardInterrupt
        real(training)

    with monkeypatch.context() as patch:
        patch.setattr("azeotrope.synthesis.training.CHECKPOINT_SECONDS", 0.0)
        patch.setattr(OwnTraining, "_step", stops)
        with pytest.raises(KeyboardInterrupt):
            synth(tmp_path, per_class=3)
    other = OWN.model_copy(update={"guidance": 3.0})
    with pytest.raises(StoreError, match=r"was begun otherwise. Found: another generator"):
        synth(tmp_path, per_class=3, generator=other)
