"""`compare` as a person uses it: from images to records, verdict, report and a model that predicts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from azeotrope.api.foresee import foresee
from azeotrope.api.predict import predict
from azeotrope.errors import InputError, StoreError
from azeotrope.plan import UpstreamSpec
from azeotrope.record.storage.answers import answers_of
from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.page import files
from azeotrope.sweeping.runs import runner


@pytest.fixture(scope="module")
def finished(compare, tmp_path_factory):
    """(comparison, folder) of a comparison that nothing interrupted."""
    out = tmp_path_factory.mktemp("compared") / "out"
    return compare("digits", out), out


def records(out):
    return {record.run_id: record for record in RunStore(str(out))}


def bytes_of(out):
    return {str(path): path.read_bytes() for path in sorted(Path(out, "runs").iterdir())}


def photos(root, counts):
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(root / name / f"{number}.png")
    return root


def test_every_arm_and_seed_is_a_record(finished):
    comparison, out = finished
    found = records(out)
    assert {(record.arm, record.seed) for record in found.values()} == {
        (arm, seed) for arm in ("scratch", "distill") for seed in (0, 1)
    }
    assert all(record.state == "done" for record in found.values())
    for arm in comparison.arms:
        errors = [found[run_id].test_error for run_id in arm.run_ids]
        assert arm.test_error.value == pytest.approx(np.mean(errors))


def test_the_curves_of_its_runs_are_a_table_and_on_the_page(finished):
    comparison, out = finished
    curves = comparison.curves()
    assert sorted(set(curves["run_id"])) == sorted(records(out))
    assert curves.filter(arm="distill", seed=1)["epoch"].to_list() == [0, 1]
    assert curves.filter(epoch=1)["val_error"].null_count() == 0
    assert "Training by epoch" in (out / "report.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="in the folder of its runs"):
        files.read_comparisons(out)[0].curves()


def test_several_sizes_make_one_report_and_its_plan_is_one_of_a_sweep(compare, tmp_path):
    """What the sweep of the written plan would make is what the comparison has made."""
    asked = {"arms": ["scratch"], "seeds": 1}
    small, large = compare("digits", tmp_path / "out", train_images=[40, 60], **asked)
    assert (small.train_images, large.train_images) == (40, 60)
    stored = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [each["train_images"] for each in stored["sizes"]] == [40, 60]
    planned = foresee(tmp_path / "out" / "plan.yaml", out=tmp_path / "out")
    assert [(cell.run_id, cell.state) for cell in planned.cells] == [
        (each.arms[0].run_ids[0], "done") for each in (small, large)
    ]
    assert planned.seconds == 0
    (alone,) = compare("digits", tmp_path / "alone", train_images=[40], **asked)
    assert alone.arms[0].run_ids == small.arms[0].run_ids
    assert [folder.name for folder in (tmp_path / "out" / "models").iterdir()] == list(large.arms[0].run_ids)


def test_arms_of_a_seed_are_judged_on_the_same_images_after_equal_steps(finished):
    found = records(finished[1]).values()
    assert len({record.test_images for record in found}) == 1
    assert len({record.steps for record in found}) == 1
    assert len({record.val_images for record in found}) == 1


def test_two_seeds_are_inconclusive(finished):
    (verdict,) = finished[0].verdicts
    assert {verdict.a, verdict.b} == {"scratch", "distill"}
    assert verdict.verdict == "INCONCLUSIVE"


def test_the_folder_holds_what_the_design_says(finished):
    comparison, out = finished
    content = json.loads((out / "compare.json").read_text())
    assert [arm["name"] for arm in content["arms"]] == ["scratch", "distill"]
    assert content["verdicts"][0]["verdict"] == "INCONCLUSIVE"
    page = (out / "report.html").read_text()
    assert "<html" in page
    assert "distill" in page
    assert (out / "plan.yaml").read_text().startswith("data: digits")
    (model,) = (out / "models").iterdir()
    assert {path.name for path in model.iterdir()} == {"model.safetensors", "model.yaml", "card.md"}
    assert model.name in comparison.arm(comparison.winner).run_ids


def test_the_winner_is_chosen_on_validation(finished):
    comparison, out = finished
    errors = {arm.name: arm.val_error for arm in comparison.arms}
    assert errors[comparison.winner] == min(errors.values())
    (model,) = (out / "models").iterdir()
    winners = [record for record in records(out).values() if record.arm == comparison.winner]
    assert records(out)[model.name].val_error == min(record.val_error for record in winners)


def test_the_saved_model_predicts_what_the_test_said(finished, digits, tmp_path):
    """The images as files, through `predict`, against the predictions stored when the test split was read."""
    (model,) = (finished[1] / "models").iterdir()
    stored = answers_of(finished[1], model.name).said
    shown = digits.splits.test[:40]
    files = []
    for place, row in enumerate(shown):
        files.append(tmp_path / f"{place:02}.png")
        Image.fromarray(digits.source.read(row)).save(files[-1])
    said = [prediction.classes[0] for prediction in predict(model, files)]
    expected = [digits.classes[stored[place]] for place in range(len(shown))]
    assert said == expected


def test_the_same_command_makes_nothing_new(finished, compare, monkeypatch):
    comparison, out = finished
    before = bytes_of(out)
    monkeypatch.setattr(runner, "train_once", lambda *_, **__: pytest.fail("a training was made"))
    monkeypatch.setattr(runner, "final_test", lambda *_, **__: pytest.fail("the test split was read"))
    again = compare("digits", out)
    assert bytes_of(out) == before
    assert again.arms == comparison.arms
    assert again.verdicts == comparison.verdicts


def test_one_more_seed_makes_only_its_own_runs(finished, compare, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(finished[1], out)
    before = bytes_of(out)
    comparison = compare("digits", out, seeds=3)
    after = bytes_of(out)
    assert len(after) == len(before) + 2
    assert before.items() <= after.items()
    assert all(arm.seeds == (0, 1, 2) for arm in comparison.arms)


def test_a_comparison_elsewhere_by_two_workers_gives_equal_records_and_a_model(finished, compare, tmp_path):
    comparison = compare("digits", tmp_path / "out", cache=tmp_path / "cache", seeds=1, workers=2)
    assert comparison.arm(comparison.winner).run_ids == (next((tmp_path / "out" / "models").iterdir()).name,)
    for run_id, record in records(tmp_path / "out").items():
        assert record.without_times() == records(finished[1])[run_id].without_times()


def test_pretrained_arms_are_there_when_the_student_has_weights(compare, teacher_model, tmp_path):
    comparison = compare("digits", tmp_path / "out", student=teacher_model, arms=None, seeds=1)
    assert {arm.name for arm in comparison.arms} == {"scratch", "distill", "linear_probe", "finetune", "distill@hub"}
    assert comparison.not_tested == ()


def test_arms_that_cannot_be_tested_are_listed_with_the_reason(compare, tmp_path):
    student = f"test_resnet@{tmp_path}/none.safetensors"
    comparison = compare("digits", tmp_path / "out", student=student, arms=None, seeds=1, teacher=None)
    assert [arm.name for arm in comparison.arms] == ["scratch"]
    reasons = {left.arm: left.reason for left in comparison.not_tested}
    assert reasons["distill"] == "no teacher was named"
    assert "none.safetensors" in reasons["finetune"]


def test_a_teacher_that_fails_the_gate_leaves_failed_records_and_a_report(compare, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.teacher.heads.gate.STANDARD_ERRORS", 1e6)
    comparison = compare("digits", tmp_path / "out", seeds=1)
    (failed,) = comparison.failed
    assert failed.arm == "distill"
    assert "is not shown to know more than chance" in failed.reason
    assert comparison.winner == "scratch"
    assert (tmp_path / "out" / "report.html").exists()


class TestBadInput:
    def refused(self, compare, out, data="digits", **changes):
        with pytest.raises((InputError, StoreError)) as refusal:
            compare(data, out, **changes)
        assert not (out / "runs").exists(), "something was trained"
        return str(refusal.value)

    def test_more_images_than_there_are(self, compare, tmp_path):
        message = self.refused(compare, tmp_path / "out", train_images=5000)
        assert message.startswith("A subset cannot be larger than the training images, nor empty. Found: 5000 asked.")
        assert "Allowed: 1 to 1" in message

    def test_images_smaller_than_the_stride(self, compare, tmp_path):
        message = self.refused(compare, tmp_path / "out", image_size=16)
        assert "smaller than the stride of timm:test_resnet. Found: 16 px. Allowed: 32 px or more" in message

    def test_one_class(self, compare, tmp_path):
        message = self.refused(compare, tmp_path / "out", data=str(photos(tmp_path / "photos", {"cat": 9})))
        assert message.startswith("A task needs at least two classes. Found: 1 in")
        assert "'cat'" in message

    def test_no_seed(self, compare, tmp_path):
        assert "At least one seed is needed. Found: 0." in self.refused(compare, tmp_path / "out", seeds=0)

    def test_no_images(self, compare, tmp_path):
        message = self.refused(compare, tmp_path / "out", train_images=0)
        assert "A training needs images. Found: 0. Allowed: 2 or more" in message

    def test_an_unknown_teacher(self, compare, tmp_path):
        assert "test_resnet" in self.refused(compare, tmp_path / "out", teacher="test_resnett")

    def test_an_unknown_loss(self, compare, tmp_path):
        message = self.refused(compare, tmp_path / "out", arms=["scratch", "distill:kll"])
        assert "There is no loss named 'kll'. Allowed: nearest: kl" in message

    def test_more_upstream_images_than_there_are(self, compare, tmp_path):
        source = str(photos(tmp_path / "photos", {"cat": 12, "dog": 12}))
        message = self.refused(
            compare,
            tmp_path / "out",
            arms=["scratch", "finetune@upstream"],
            upstream=UpstreamSpec(data=source, pretrain_images=500),
        )
        assert "A subset cannot be larger than the training images" in message
        assert "500 asked" in message

    def test_images_that_changed_between_two_runs(self, compare, tmp_path):
        folder, out = photos(tmp_path / "photos", {"cat": 12, "dog": 12}), tmp_path / "out"
        small = {"train_images": 8, "arms": ["scratch"], "seeds": 1, "teacher": None}
        compare(str(folder), out, **small)
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
        Image.new("RGB", (12, 12), "red").save(folder / "cat" / "0.png")
        with pytest.raises(StoreError) as refusal:
            compare(str(folder), out, **small)
        assert str(refusal.value).startswith(
            f"The images have changed since the runs in {out} were made. Found: fingerp"
        )
        after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
        assert after == before

    def test_a_folder_in_use(self, compare, tmp_path):
        with claimed(tmp_path / "out"):
            assert "is in use by another process" in self.refused(compare, tmp_path / "out")

    def test_a_folder_of_something_else(self, compare, tmp_path):
        (tmp_path / "thesis.tex").write_text("precious")
        assert "holds files that are not azeotrope's" in self.refused(compare, tmp_path)

    def test_a_path_that_is_a_file(self, compare, tmp_path):
        (tmp_path / "out").write_text("")
        assert "cannot be written" in self.refused(compare, tmp_path / "out")

    def test_hostile_class_names_stay_text(self, compare, tmp_path):
        names = ["<script>alert(1)</script>".replace("/", "\u2215"), "o'\"quote", "🐈" * 3]
        folder = photos(tmp_path / "photos", dict.fromkeys(names, 12))
        compare(str(folder), tmp_path / "out", train_images=12, arms=["scratch"], seeds=2, teacher=None)
        page = (tmp_path / "out" / "report.html").read_text()
        assert "<script>alert" not in page
        assert json.loads((tmp_path / "out" / "compare.json").read_text())
