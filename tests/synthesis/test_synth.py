"""The whole path: pictures are made, judged, kept with their provenance, and distilled on."""

import html
import json
import re
import shutil

import numpy as np
import polars as pl
import pytest
from PIL import Image

import azeotrope
from azeotrope.data.decoding.decode import decode
from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import load_task
from azeotrope.data.unlabelled import HELD_OUT
from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed
from azeotrope.plan import PicturesSpec, TeacherSpec
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.findings.cautions import before_training
from azeotrope.session.opening import open_plan
from azeotrope.session.progress import Silent
from azeotrope.sweeping.runs import training
from azeotrope.sweeping.runs.pools import extra_of
from azeotrope.synthesis import opening
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.generators.pipeline import WITHHELD
from azeotrope.synthesis.pictures import NEAR_UNKNOWN, open_set
from azeotrope.synthesis.provenance import COLUMNS
from azeotrope.synthesis.spec import GeneratorSpec, Request, SynthPlan

from .conftest import CLASSES, OWN, Artist, shape


def test_kept_pictures_have_provenance_a_page_and_their_cost(synth, tmp_path):
    (done,) = synth(tmp_path, Artist())
    assert done.folder == tmp_path / "n40-s0"
    assert (done.made, done.kept + sum(done.refused.values())) == (24, 24)
    assert 10 <= done.kept < 24
    assert done.refused["not seen as its class"] >= 2
    rows = pl.read_parquet(done.folder / "provenance.parquet")
    assert rows.schema == pl.Schema(COLUMNS)
    assert rows["kept"].sum() == done.kept
    row = rows.row(4, named=True)
    assert (row["generator"], row["revision"], row["prompt"]) == ("artist", "r1", "draw ring")
    assert rows["seed"].n_unique() == 24
    assert (done.folder / row["file"]).exists()
    page = (done.folder / "pictures.html").read_text()
    assert "24 pictures made" in page
    assert page.count("data:image/png;base64,") == 24
    assert "<script" not in page
    assert done.seconds["train_generator"] == 7.0
    assert json.loads((done.folder / "synth.json").read_text())["seconds"]["generate"] > 0


def test_strangers_words_are_escaped_on_the_page(synth, tmp_path):
    class Rude(Artist):
        identity = "<script>alert(1)</script>"

    (done,) = synth(tmp_path, Rude())
    assert "<script>" not in (done.folder / "pictures.html").read_text()


def test_a_planted_test_image_is_dropped(synth, tmp_path, shapes):
    """No leak: a generator that gives back a test image, saved anew."""
    row = int(shapes.splits.test[0])
    planted = decode(shapes.source.read(row)).pixels
    label = int(shapes.labels[row])

    class Copyist(Artist):
        def make(self, requests):
            made = super().make(requests)
            is_planted = [(request.label, request.index) == (label, 1) for request in requests]
            return [Made(planted) if here else one for here, one in zip(is_planted, made, strict=True)]

    (done,) = synth(tmp_path, Copyist())
    rows = pl.read_parquet(done.folder / "provenance.parquet")
    (found,) = rows.filter((pl.col("label") == label) & (pl.col("index") == 1)).to_dicts()
    assert not found["kept"]
    assert found["reason"] == HELD_OUT
    assert done.refused[HELD_OUT] == 1


def test_what_a_safety_checker_withheld_says_so_although_all_of_it_is_black(synth, tmp_path):
    class Shy(Artist):
        def make(self, requests):
            made = super().make(requests)
            black = Made(np.zeros_like(made[0].pixels), WITHHELD)
            return [black if request.index == 1 else one for request, one in zip(requests, made, strict=True)]

    (done,) = synth(tmp_path, Shy())
    assert done.refused[WITHHELD] == 3
    assert pl.read_parquet(done.folder / "provenance.parquet").filter(index=1)["reason"].to_list() == [WITHHELD] * 3


def test_that_near_duplicates_were_not_measured_is_said(synth, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.data.unlabelled.near_pairs", lambda *_: None)
    (done,) = synth(tmp_path, Artist())
    assert done.warnings == (f"{NEAR_UNKNOWN}.",)
    assert NEAR_UNKNOWN in html.unescape((done.folder / "pictures.html").read_text())


def test_pictures_are_no_larger_than_asked_although_the_pack_keeps_more(synth, tmp_path):
    """Training images of 64 pixels, of which a pack for 32 keeps 40."""
    for label, name in enumerate(CLASSES):
        (tmp_path / "large" / name).mkdir(parents=True)
        for number in range(10):
            Image.fromarray(shape(label, number, 64)).save(tmp_path / "large" / name / f"{number}.png")
    task = load_task(str(tmp_path / "large"))
    pack = open_pack(task, tmp_path / "cache", 32)
    assert pack.size == 40
    spec = OWN.model_copy(update={"training": OWN.training.model_copy(update={"steps": 1})})
    teacher = TeacherSpec(model="any")
    asked = {"data": "large", "fingerprint": "f", "teacher": teacher, "train_images": 9, "seed": 0, "per_class": 1}
    plan = SynthPlan(**asked, generator=spec)
    ready = opening.train_own(plan, pack, task.splits.train, tmp_path / "generator", Device("cpu", "fp32"))
    assert ready.generator.make([Request.of("ring", 1, 0, 0)])[0].pixels.shape == (32, 32, 3)


def test_random_weights_are_refused_with_the_page_and_provenance_left(synth, stable_diffusion, tmp_path):
    """The real diffusers path: an untrained pipeline knows nothing of the task, and the teacher says so."""
    generator = GeneratorSpec(kind="text", model=str(stable_diffusion), steps=2)
    with pytest.raises(RunFailed) as refused:
        synth(tmp_path, generator=generator, per_class=12)
    said = str(refused.value)
    assert "The teacher refuses these pictures: they do not show what they should." in said
    assert "of 36 kept" in said
    folder = tmp_path / "n40-s0"
    assert pl.read_parquet(folder / "provenance.parquet")["prompt"][2] == "a photo of a stripes"
    assert (folder / "pictures.html").exists()
    assert not (folder / "synth.json").exists()


@pytest.mark.parametrize("kind", ["vary", "mix"])
def test_own_images_are_redrawn_through_diffusers(synth, stable_diffusion, tmp_path, kind):
    generator = GeneratorSpec(kind=kind, model=str(stable_diffusion), steps=2, strength=0.5)
    with pytest.raises(RunFailed):
        synth(tmp_path, generator=generator, per_class=2)
    prompts = pl.read_parquet(tmp_path / "n40-s0" / "provenance.parquet")["prompt"]
    assert all(re.match(rf"{kind} [\w-]+/\d+\.png", prompt) for prompt in prompts)


def test_a_generator_of_ones_own_is_trained_on_the_subset_and_found_again(synth, tmp_path, monkeypatch):
    """Four steps teach nothing, so the teacher refuses; what counts is what it was trained on and what is left."""
    trained = []
    real = opening.OwnTraining

    def noted(**given):
        trained.append(given)
        return real(**given)

    monkeypatch.setattr(opening, "OwnTraining", noted)
    for _ in range(2):
        with pytest.raises(RunFailed, match=r"The teacher refuses.*try more --training-steps"):
            synth(tmp_path, per_class=3)
    (given,) = trained  # the second call found it
    assert given["pictures"].shape == (40, 16, 16, 3)
    assert (tmp_path / "n40-s0/generator/unet/diffusion_pytorch_model.safetensors").exists()
    assert not (tmp_path / "n40-s0/generator/checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"per_class": None},
            "either --per-class 100 or --multiple 2x (of the training images) is needed, not neither",
        ),
        ({"multiple": 2.0}, "is needed, not both"),
        ({"per_class": 0}, "per_class: Input should be greater than or equal to 1"),
        ({"train_images": 10**6}, "A subset cannot be larger than the training images"),
    ],
)
def test_wrong_numbers_are_refused(synth, tmp_path, changes, said):
    with pytest.raises(InputError) as refused:
        synth(tmp_path / "out", Artist(), **changes)
    assert said in str(refused.value)
    assert not list((tmp_path / "out").glob("n*-s*"))


@pytest.mark.parametrize("generator", [OWN, GeneratorSpec(kind="vary", model="x")], ids=["train", "vary"])
def test_a_generator_that_sees_the_images_needs_one_of_every_class(synth, tmp_path, generator):
    with pytest.raises(InputError) as refused:
        synth(tmp_path / "out", generator=generator, train_images=2)
    assert "needs one of every class. Found: none of " in str(refused.value)
    assert "among 2. Next: take more --train-images." in str(refused.value)
    assert not (tmp_path / "out").exists()


QUICK = {"epochs": 2, "views": 2, "learning_rates": (2e-3,), "batch_images": 16}


@pytest.fixture
def compare(shapes_folder, teacher, monkeypatch):
    def run(out, arms, pictures, **changes):
        monkeypatch.setattr("azeotrope.session.comparisons.pretraining_cost.training_rate", lambda *_, **__: 100.0)
        asked = {"student": "test_resnet", "teacher": teacher, "train_images": 40, "seeds": 2, "image_size": 32}
        return azeotrope.compare(
            str(shapes_folder),
            out=out,
            arms=arms,
            pictures=pictures,
            recipe=QUICK,
            precision="fp32",
            **{**asked, **changes},
        )

    return run


def test_distill_on_made_pictures_is_an_arm_and_is_charged(compare, made, tmp_path):
    compare(tmp_path, ["distill", "distill+synth", "distill+synth=0.5x"], PicturesSpec(synth=str(made)))
    records = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("*.json")]
    assert {record["state"] for record in records} == {"done"}
    by_arm = {(record["arm"], record["seed"]): record for record in records}
    kept = [json.loads((made / f"n40-s{seed}" / "synth.json").read_text())["kept"] for seed in (0, 1)]
    for seed in (0, 1):
        plain, with_all = by_arm["distill", seed], by_arm["distill+synth", seed]
        assert (plain["synthetic_images"], with_all["synthetic_images"]) == (0, kept[seed])
        assert by_arm["distill+synth=0.5x", seed]["synthetic_images"] == 20
        assert with_all["steps"] == plain["steps"]
        assert with_all["seconds"]["generate"] > 7.0
        assert "generate" not in plain["seconds"]
        assert with_all["flops"] > plain["flops"]
        assert with_all["unlabelled_images"] == 0


def test_made_pictures_teach_their_intended_class_without_a_teacher(compare, made, tmp_path, monkeypatch):
    shown = []

    def spied(resources, spec, data):
        extra = extra_of(resources, spec, data)
        if extra is not None:
            shown.append((spec.arm.name, extra))
        return extra

    monkeypatch.setattr(training, "extra_of", spied)
    arms = ["scratch", "scratch+synth=0.5x"]
    compare(tmp_path, arms, PicturesSpec(synth=str(made)), teacher=None, seeds=1)
    plain, more = sorted(
        (json.loads(path.read_text()) for path in (tmp_path / "runs").glob("*.json")), key=lambda record: record["arm"]
    )
    assert (plain["state"], more["state"], more["arm"]) == ("done", "done", "scratch+synth=0.5x")
    assert (plain["synthetic_images"], more["synthetic_images"]) == (0, 20)
    assert (more["steps"], more["teacher"]) == (plain["steps"], None)
    assert more["seconds"]["generate"] > 0
    assert "teacher" not in more["seconds"]
    assert more["flops"] > plain["flops"]
    (name, extra), *_ = shown
    batch = extra.batch(0, 0, 40, slice(None), 16)
    places = batch.places - 40
    assert name == "scratch+synth=0.5x"
    assert not batch.stored
    assert extra.images.judged is extra.images.pack  # not the pictures that judge the labelled task
    assert batch.labels.tolist() == extra.images.pack.task.labels[extra.rows[places]].tolist()


def test_what_was_left_out_of_unlabelled_pictures_is_said(compare, shapes, shapes_folder, tmp_path):
    """The task's own folder: its held-out images are left out, and a run's own images teach as labelled ones only."""
    made = compare(tmp_path, ["distill", "distill+unlabelled"], PicturesSpec(unlabelled=str(shapes_folder)), seeds=1)
    held = len(shapes.splits.val) + len(shapes.splits.test)
    (said,) = [warning for warning in made.warnings if "unlabelled pictures" in warning]
    assert re.match(
        rf"Of 120 unlabelled pictures {120 - held} may teach; left out: {held} same picture as a validation", said
    )
    records = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("*.json")]
    assert sorted(record["unlabelled_images"] for record in records) == [0, 120 - held - 40]


@pytest.mark.parametrize(
    ("arm", "pictures", "said"),
    [
        (
            "distill+synth",
            {},
            "The arm distill+synth needs pictures that were not named",
        ),
        ("distill+unlabelled", {}, "name a folder with --unlabelled"),
        ("distill+synth=9x", {"synth": "made"}, "There are not enough pictures for the arm distill+synth=9x."),
        (
            "scratch+unlabelled",
            {"unlabelled": "made"},
            "scratch trains on labels only; unlabelled pictures go with distill",
        ),
        ("scratch+synth", {}, "The arm scratch+synth needs pictures that were not named"),
        ("distill+photos", {"synth": "made"}, "'unlabelled' or 'synth'"),
        ("distill+synth=0x", {"synth": "made"}, "greater than 0"),
        ("distill", {"synth": "made"}, "The pictures of --synth are used by no arm. Found: distill."),
        ("distill+synth", {"synth": "made", "unlabelled": "made"}, "The pictures of --unlabelled are used by no arm"),
    ],
)
def test_arms_without_their_pictures_are_refused(compare, made, tmp_path, arm, pictures, said):
    named = PicturesSpec(**{key: str(made) for key in pictures}) if pictures else None
    with pytest.raises(InputError) as refused:
        compare(tmp_path / "out", [arm], named)
    assert said in str(refused.value)


def test_a_set_of_another_subset_is_refused(shapes, made):
    with pytest.raises(InputError) as refused:
        open_set(made, shapes, 40, seed=2)
    said = str(refused.value)
    assert "There are no pictures for 40 training images of seed 2" in said
    assert "azeotrope synth DATA -n 40 --seed 2" in said
    with pytest.raises(InputError, match="There are no pictures for 30 training images"):
        open_set(made, shapes, 30, seed=0)  # its generator saw images that such a run must not know


def test_a_smaller_subsets_set_serves_a_larger_run(shapes, made):
    assert open_set(made, shapes, 60, seed=1).plan.train_images == 40


def test_a_set_for_other_images_is_refused(made, digits):
    with pytest.raises(InputError, match=r"were made for other images. Found: fingerprint"):
        open_set(made, digits, 40, seed=0)


def test_a_picture_exchanged_for_a_test_image_afterwards_is_dropped(shapes, made, tmp_path):
    out = shutil.copytree(made, tmp_path / "sets")
    before = open_set(out, shapes, 40, 0)
    file = out / "n40-s0" / before.pool.task.manifest.keys[int(before.pool.rows[0])]
    file.write_bytes(shapes.source.read(int(shapes.splits.test[0])))
    after = open_set(out, shapes, 40, 0).pool
    assert after.counts() == {HELD_OUT: 1}
    assert len(after.rows) == len(before.pool.rows) - 1


def test_an_unfinished_set_is_refused(made, shapes, tmp_path):
    out = shutil.copytree(made, tmp_path / "sets")
    (out / "n40-s0" / "provenance.parquet").unlink()
    with pytest.raises(InputError, match=r"holds no finished set.*it goes on where it stopped"):
        open_set(out, shapes, 40, 0)


@pytest.fixture
def notes(shapes_folder, teacher, cache):
    """What is said before training on these sets."""

    def said(out, **changes):
        asked = {"teacher": teacher, "train_images": [40, 60], "arms": ["distill+synth"], "seeds": (0,), **changes}
        plan = comparison_plan(
            shapes_folder,
            student="test_resnet",
            **asked,
            image_size=32,
            recipe=QUICK,
            precision="fp32",
            pictures=PicturesSpec(synth=str(out)),
        )
        return before_training(open_plan(plan, Silent(), {"cache": cache}))

    return said


def test_of_a_set_as_it_was_made_nothing_is_said(made, notes):
    assert notes(made) == ()


def test_pictures_that_are_gone_are_said_once(made, notes, tmp_path):
    out = shutil.copytree(made, tmp_path / "sets")
    rows = pl.read_parquet(out / "n40-s0" / "provenance.parquet").filter("kept")
    (out / "n40-s0" / rows["file"][0]).unlink()
    (note,) = notes(out)
    kept = rows.height
    assert note == (
        f"Of {kept} pictures kept in n40-s0 {kept - 1} may teach; left out since they were judged: 1 unreadable."
    )


def test_near_duplicates_that_were_not_measured_are_said_before_training_too(made, notes, monkeypatch):
    monkeypatch.setattr("azeotrope.data.unlabelled.near_pairs", lambda *_: None)
    assert notes(made) == (f"{NEAR_UNKNOWN} (n40-s0).",)


def test_a_teacher_that_did_not_judge_the_pictures_is_said(made, notes, teacher):
    (note,) = notes(made, teacher=teacher.model_copy(update={"image_size": 64}))
    assert note.startswith(f"The pictures in n40-s0 were judged by {teacher.model} at 32 pixels, which is not what")
