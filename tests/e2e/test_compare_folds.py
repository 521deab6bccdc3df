"""`compare --folds` as a person uses it: each image is tested once a seed, and what reads the store is right."""

import json

import numpy as np
import pytest
from PIL import Image

from azeotrope.analysis.comparisons import compared
from azeotrope.api.report import report
from azeotrope.data.task import load_folds
from azeotrope.errors import InputError, StoreError
from azeotrope.labels import LabelSpec
from azeotrope.models.saved import load_model
from azeotrope.plan import PicturesSpec
from azeotrope.record.storage.answers import stored_test_set
from azeotrope.record.storage.store import RunStore
from azeotrope.session.exports.export_images import images_of
from azeotrope.session.progress import Silent
from azeotrope.sweeping.runs import runner
from azeotrope.tables.frame import read_runs

FOLDS, SEEDS = 3, 2


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two classes of 24 small pictures that differ in brightness."""
    folder, rng = tmp_path_factory.mktemp("pictures") / "shades", np.random.default_rng(0)
    for name, base in (("dark", 40), ("light", 160)):
        (folder / name).mkdir(parents=True)
        for number in range(24):
            pixels = rng.integers(base, base + 90, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def finished(compare, pictures, tmp_path_factory):
    """(comparison, folder) of folds and two seeds."""
    out = tmp_path_factory.mktemp("folded") / "out"
    asked = {"train_images": 16, "teacher": None, "arms": ["scratch", "scratch:cross_entropy=0.5"]}
    return compare(str(pictures), out, folds=FOLDS, seeds=SEEDS, **asked), out


@pytest.fixture(scope="module")
def again(compare, pictures, finished):
    """The same command once more, with changes."""

    def run(**changes):
        asked = {"train_images": 16, "teacher": None, "arms": ["scratch", "scratch:cross_entropy=0.5"], "seeds": SEEDS}
        return compare(str(pictures), finished[1], **{**asked, "folds": FOLDS, **changes})

    return run


def test_a_run_is_an_arm_a_seed_and_a_fold_and_each_image_is_tested_once(finished):
    comparison, out = finished
    records = list(RunStore(str(out)))
    assert len(records) == 2 * SEEDS * FOLDS
    assert {(run.seed, run.fold.number, run.fold.of) for run in records} == {
        (seed, number, FOLDS) for seed in range(SEEDS) for number in (1, 2, 3)
    }
    assert len({run.fold.over_folds for run in records}) == 2 * SEEDS
    assert len({run.task.fingerprint for run in records}) == 1
    tested = stored_test_set(out, FOLDS).keys
    assert len(tested) == len(set(tested)) == 48
    assert (comparison.folds, comparison.test_images) == (FOLDS, 48)


def test_errors_are_means_over_all_images_and_verdicts_rest_on_folds(finished):
    comparison, out = finished
    records = {run.run_id: run for run in RunStore(str(out))}
    for arm in comparison.arms:
        for seed, ids in comparison.runs_of(arm).items():
            assert [(records[one].seed, records[one].fold.number) for one in ids] == [(seed, 1), (seed, 2), (seed, 3)]
            wrong = np.concatenate([~records[one].correctness() for one in ids])
            assert arm.seed_errors[seed] == pytest.approx(wrong.mean())
    (verdict,) = comparison.verdicts
    assert verdict.folds == FOLDS
    assert "2 paired seeds of each of 3 folds, 48 test images" in (out / "report.html").read_text(encoding="utf-8")


def test_what_was_made_is_not_made_again_and_a_report_of_it_says_the_same(finished, again, monkeypatch, tmp_path):
    comparison, out = finished
    monkeypatch.setattr(runner, "train_once", lambda *_, **__: pytest.fail("trained again"))
    assert again().verdicts == comparison.verdicts
    (read,) = compared(out)
    assert (read.arms, read.verdicts, read.diagnosis) == (comparison.arms, comparison.verdicts, comparison.diagnosis)
    assert read.diagnosis.arms[0].classes[0].support == 24
    assert report(out, tmp_path / "page.html").stat().st_size > 10_000
    assert json.loads((out / "compare.json").read_text(encoding="utf-8"))["folds"] == FOLDS


def test_as_a_table_an_arm_and_seed_is_one_row_over_all_images(finished):
    table = read_runs(str(finished[1])).table
    assert table.height == 2 * SEEDS
    assert set(table["test_images"]) == {48}


def test_the_model_that_is_saved_says_which_images_it_never_saw(finished, pictures):
    comparison, out = finished
    (folder,) = (out / "models").iterdir()
    facts, record = load_model(folder).facts, RunStore(str(out)).get(folder.name)
    assert (facts["fold"], facts["folds"]) == (record.fold.number, FOLDS)
    assert facts["fingerprint"] == load_folds(str(pictures), FOLDS)[0].set_fingerprint
    assert f"fold: {record.fold.number}" in (folder / "card.md").read_text(encoding="utf-8")
    assert folder.name in comparison.arm(comparison.winner).run_ids


def test_an_export_is_verified_on_the_images_of_the_models_own_fold(finished, pictures, tmp_path):
    (folder,) = (finished[1] / "models").iterdir()
    model = load_model(folder)
    asked = {"data": None, "labels": None, "held_out": None, "calibration": 5, "validation": 4}
    images = images_of(model, folder, **asked, cache=tmp_path, progress=Silent())
    splits = load_folds(str(pictures), FOLDS)[model.facts["fold"] - 1].splits
    assert set(images.test) <= set(splits.test)
    assert set(images.validation) <= set(splits.val)
    assert set(images.calibration) <= set(splits.train)
    with pytest.raises(InputError, match="holds others"):
        images_of(model, folder, **{**asked, "data": "digits"}, cache=tmp_path, progress=Silent())


def test_a_store_of_other_folds_is_left_alone(again):
    with pytest.raises(StoreError, match=r"made with other test images.*4 folds asked, the folder has 3 folds"):
        again(folds=4)
    with pytest.raises(StoreError, match=r"one test split asked, the folder has 3 folds.*another folder with --out"):
        again(folds=None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"folds": 1}, r"folds 1: folds take turns as the test set, so take 2 or more"),
        ({"seeds": "auto"}, r"seeds of a fold share its test images.*--seeds auto --folds 3.*a number of seeds"),
        ({"held_out": 0.3}, r"folds and held_out exclude each other: with 3 folds one part in 3 is the test set"),
        ({"train_images": 40}, r"from what a fold leaves: 2 of 3 parts.*--train-images 40.*2 to 2\d.*more folds"),
        ({"folds": 30}, r"as many images as there are folds.*--folds 30; 'dark' in 24.*2 to 24 folds here"),
    ],
)
def test_what_folds_cannot_do_is_refused(again, changes, said):
    with pytest.raises(InputError, match=said):
        again(**changes)


def test_a_small_set_is_told_what_folds_would_give(compare, pictures, tmp_path):
    comparison = compare(str(pictures), tmp_path / "out", train_images=16, teacher=None, arms=["scratch"], seeds=1)
    assert any(
        "Only 10 of 48 labelled images are test images and decide. With compare --folds 5 each of 48" in said
        for said in comparison.warnings
    )


def test_the_teacher_looks_once_at_what_all_folds_share(compare, tmp_path):
    asked = {"arms": ["distill"], "seeds": 1, "cache": tmp_path / "cache"}
    comparison = compare("digits", tmp_path / "out", folds=2, **asked)
    assert not comparison.failed
    assert len(list((tmp_path / "cache").glob("teacher-*"))) == 1


def test_what_is_a_folds_own_keeps_no_runs_apart(compare, tmp_path):
    """A range measured on a fold's training images, and unlabelled pictures of which some are its test images."""
    rng, labelled, loose = np.random.default_rng(0), tmp_path / "deep", tmp_path / "loose"
    loose.mkdir()
    for name, base in (("dark", 2000), ("light", 30000)):
        (labelled / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(base, base + 1500 * (number + 1), (16, 16)).astype(np.uint16)
            for folder in (labelled / name, *([loose] if number < 3 else [])):
                Image.fromarray(pixels).save(folder / f"{name}-{number}.png")
    for number in range(20):
        Image.fromarray(rng.integers(0, 60000, (16, 16)).astype(np.uint16)).save(loose / f"more-{number}.png")
    asked = {
        "train_images": 8,
        "arms": ["scratch", "distill+unlabelled"],
        "seeds": 1,
        "pictures": PicturesSpec(unlabelled=str(loose)),
    }
    out = tmp_path / "out"
    comparison = compare(
        str(labelled), out, folds=FOLDS, labels=LabelSpec(value_range="percentile"), cache=tmp_path / "cache", **asked
    )
    assert not comparison.failed
    records = list(RunStore(str(out)))
    assert len({run.fold.over_folds for run in records}) == 2
    assert len({run.task.fingerprint for run in records}) == 1
    assert len({run.unlabelled_images for run in records if run.teacher}) == 1
    (folder,) = (out / "models").iterdir()
    model = load_model(folder)
    folds = load_folds(str(labelled), FOLDS, labels=LabelSpec(value_range="percentile"))
    assert len({task.manifest.value_range for task in folds}) > 1
    assert model.preprocessing.value_range == folds[model.facts["fold"] - 1].manifest.value_range
