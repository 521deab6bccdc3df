import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from azeotrope.api.training_curves import training_curves
from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed, StoreError
from azeotrope.record.storage.training_curve import curve_of
from azeotrope.sweeping.runs import runner as module
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner, images_trained
from azeotrope.sweeping.runs.training_folder import Trained, TrainingFolder
from azeotrope.teacher.teacher import Teacher
from azeotrope.train import loop

from .conftest import IMAGES


@pytest.fixture
def trained_rates(monkeypatch):
    """The (seed, learning rate) of every training that is really made."""
    seen = []
    train_once = module.train_once

    def spy(resources, spec, work, **options):
        seen.append((spec.seed, spec.recipe.learning_rates[0]))
        return train_once(resources, spec, work, **options)

    monkeypatch.setattr(module, "train_once", spy)
    return seen


def test_the_record_says_what_was_done(runner, specs, digits, teacher):
    spec = specs("distill")["distill", 0]
    images = []
    runner.advance = images.append
    record = runner.run(spec)
    assert (record.state, record.run_id, record.arm, record.strategy) == ("done", spec.digest(), "distill", "distill")
    assert (record.train_images, record.val_images, record.pretrain_images) == (IMAGES, 20, 0)
    assert record.losses == {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0}
    assert record.task.fingerprint == digits.fingerprint
    assert record.teacher.name == teacher.model
    assert 0 < record.teacher.head_error < 0.9
    correct = record.correctness()
    assert record.test_images == len(correct) == len(digits.splits.test)
    assert record.test_error == pytest.approx(1 - correct.mean())
    assert record.steps == 2 * (IMAGES // spec.recipe.batch_images)
    assert sum(images) == images_trained(spec) == record.steps * spec.recipe.batch_images
    assert record.seconds.keys() == {"decode", "teacher", "head", "tuning", "train", "evaluate", "test"}
    assert record.seconds["teacher"] > 0
    assert record.seconds["tuning"] == 0
    assert runner.store.get(record.run_id) == record
    assert (runner.out / "predictions" / f"{record.run_id}.npz").exists()
    first, last = curve_of(runner.out, record.run_id)
    assert first.losses.keys() == last.losses.keys() == record.losses.keys()
    assert (last.val_error, first.val_error) == (pytest.approx(record.val_error), None)  # weights are averaged
    frame = training_curves(runner.out)
    assert frame["run_id"].unique().to_list() == [record.run_id]
    assert frame["loss:kl"].to_list() == [first.losses["kl"], last.losses["kl"]]
    named = ["run_id", "state", "task", "arm", "student", "teacher", "train_images", "seed", "epoch"]
    assert frame.columns[:9] == named


def test_a_run_that_diverges_leaves_the_epochs_before(runner, specs, monkeypatch):
    def diverged(values, names, first_step, learning_rate):
        if first_step:
            raise RunFailed(f"The loss is not finite at step {first_step + 1}")

    monkeypatch.setattr(loop, "require_finite", diverged)
    record = runner.run(specs("scratch")["scratch", 0])
    assert record.state == "failed"
    assert [each.epoch for each in curve_of(runner.out, record.run_id)] == [0]
    assert training_curves(runner.out)["state"].to_list() == ["failed"]


def test_a_folder_without_curves_says_so(runner, specs):
    runner.store.put(runner._failed(specs("scratch")["scratch", 0], "made up"))
    with pytest.raises(InputError, match="There are no training curves here"):
        training_curves(runner.out)


def test_flops_are_two_a_multiply_accumulate_forward_and_backward(runner, specs):
    record = runner.run(specs("scratch")["scratch", 0])
    assert record.flops == 2 * 3 * record.student.macs * record.steps * record.recipe["batch_images"]


def test_flops_are_not_known_when_the_teachers_are_not(runner, specs, monkeypatch):
    monkeypatch.setattr(Teacher, "macs", None)
    found = specs("scratch", "distill:kl")
    assert runner.run(found["distill:kl", 0]).flops is None
    assert runner.run(found["scratch", 0]).flops is not None


def test_a_batch_in_parts_is_charged_the_second_forward_pass(runner, specs):
    spec = specs("scratch")["scratch", 0]
    spec = spec.model_copy(update={"recipe": spec.recipe.model_copy(update={"accumulate": 2})})
    record = runner.run(spec)
    assert record.flops == 2 * 4 * record.student.macs * record.steps * record.recipe["batch_images"]


@pytest.fixture
def failing(monkeypatch):
    """Every training ends with this error."""

    def fail(error):
        def training(*_, **__):
            raise error

        monkeypatch.setattr(module, "train_once", training)

    return fail


def test_out_of_memory_is_a_failed_record_that_names_what_helps(runner, specs, failing):
    failing(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of"))
    record = runner.run(specs("scratch")["scratch", 0])
    assert record.state == "failed"
    assert record.reason == (
        "The run does not fit into the memory of the card. Found: CUDA out of memory. "
        "Next: give --accumulate 2 or more, which goes through each batch in parts with the same loss, "
        "or a smaller --batch-images."
    )


def test_a_card_that_fails_leaves_no_record(runner, specs, failing):
    failing(torch.AcceleratorError("CUDA error: unspecified launch failure"))
    spec = specs("scratch")["scratch", 0]
    with pytest.raises(torch.AcceleratorError):
        runner.run(spec)
    assert runner.store.get(spec.digest()) is None


def test_the_same_run_elsewhere_is_equal_to_the_bit(specs, digits, resources, tmp_path):
    """Other folder, other cache, other history of the process."""
    spec = specs("distill")["distill", 0]
    first = Runner(resources, tmp_path / "a").run(spec)
    torch.rand(3)
    fresh = Resources(tmp_path / "cache", Device("cpu", "fp32"), {digits.fingerprint: digits})
    second = Runner(fresh, tmp_path / "b").run(spec)
    assert first.without_times() == second.without_times()
    weights = [TrainingFolder.of(tmp_path / where / "work", spec.trial(2e-3, 0)).weights() for where in ("a", "b")]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_a_stored_run_is_not_made_again(runner, specs, trained_rates):
    spec = specs("scratch")["scratch", 0]
    first = runner.run(spec)
    images = []
    again = Runner(runner.resources, runner.out, images.append).run(spec)
    assert again == first
    assert len(trained_rates) == 1
    assert images == [images_trained(spec)]


def test_a_student_whose_weights_are_gone_is_trained_again_to_the_bit(runner, specs):
    spec = specs("scratch")["scratch", 0]
    runner.run(spec)
    first = runner.student(spec).network.state_dict()
    shutil.rmtree(runner.work)
    again = runner.student(spec).network.state_dict()
    assert all(torch.equal(value, again[key]) for key, value in first.items())


class TestTuning:
    RATES = (1e-4, 1e-3, 1e-2)

    @pytest.fixture
    def scripted(self, monkeypatch):
        """Trainings that only say what validation said: (error, cross-entropy) of each rate."""
        scores, made = {1e-4: (0.5, 1.0), 1e-3: (0.2, 1.0), 1e-2: (0.3, 1.0)}, []

        def train_once(resources, spec, work, **_):
            (rate,) = spec.recipe.learning_rates
            made.append((spec.seed, rate))
            error, cross_entropy = scores[rate]
            failure = "The loss is not finite at step 3." if error is None else None
            trained = Trained(error, cross_entropy, 0, 10, {"train": 1.0}, failure=failure)
            TrainingFolder.of(work, spec).finish(trained, None)
            return trained

        monkeypatch.setattr(module, "train_once", train_once)
        return scores, made

    def both_seeds(self, specs):
        found = specs("scratch", seeds=[0, 1], recipe={"epochs": 2, "learning_rates": self.RATES})
        return found["scratch", 0], found["scratch", 1]

    def test_validation_chooses(self, runner, specs, scripted):
        best = runner.best(self.both_seeds(specs)[0])
        assert best.choices.tuning.chosen == 1e-3
        assert best.choices.tuning.val_errors == (0.5, 0.2, 0.3)
        assert best.spec.recipe.learning_rates == (1e-3,)
        assert scripted[1] == [(0, rate) for rate in self.RATES]

    def test_other_seeds_take_the_rate_of_the_tuning_seed(self, runner, specs, scripted):
        best = runner.best(self.both_seeds(specs)[1])
        assert scripted[1] == [*((0, rate) for rate in self.RATES), (1, 1e-3)]
        assert best.spec.seed == 1

    def test_cross_entropy_breaks_a_tie(self, runner, specs, scripted):
        scripted[0].update({1e-4: (0.2, 0.9), 1e-3: (0.2, 0.8), 1e-2: (0.2, 0.7)})
        assert runner.best(self.both_seeds(specs)[0]).choices.tuning.chosen == 1e-2

    def test_a_rate_that_diverged_is_passed_over(self, runner, specs, scripted):
        scripted[0][1e-3] = (None, None)
        best = runner.best(self.both_seeds(specs)[0])
        assert best.choices.tuning.chosen == 1e-2
        assert best.choices.tuning.val_errors == (0.5, None, 0.3)

    def test_a_run_whose_every_rate_diverged_fails_with_the_reason(self, runner, specs, scripted):
        scripted[0].update(dict.fromkeys(self.RATES, (None, None)))
        with pytest.raises(RunFailed, match="not finite at step 3"):
            runner.best(self.both_seeds(specs)[0])

    def test_the_record_tells_the_choice_and_charges_what_was_rejected(self, runner, specs, trained_rates):
        rates = (5e-4, 2e-3)
        found = specs("scratch", seeds=[0, 1], recipe={"epochs": 2, "learning_rates": rates})
        records = [runner.run(spec) for spec in found.values()]
        tuning = records[0].tuning
        assert (tuning.seed, tuning.learning_rates) == (0, rates)
        assert tuning.val_errors[rates.index(tuning.chosen)] == min(tuning.val_errors)  # ties: the lower log-loss
        assert records[0].val_error == min(tuning.val_errors)
        assert records[1].tuning == tuning
        assert trained_rates == [(0, 5e-4), (0, 2e-3), (1, tuning.chosen)]
        assert all(record.seconds["tuning"] > 0 for record in records)


class TestFailures:
    def test_a_failed_run_is_a_record_with_its_reason(self, runner, specs, monkeypatch):
        monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda logits, *_, **__: logits.sum() * float("nan"))
        record = runner.run(specs("scratch")["scratch", 0])
        assert record.state == "failed"
        assert record.reason.startswith("The loss is not finite at step 1. Found: cross_entropy at learning rate 0.002")
        assert record.test_error is record.val_error is record.correct is None
        assert runner.store.get(record.run_id) == record

    def test_a_teacher_at_the_gate_fails_only_the_arms_that_need_it(self, runner, specs, monkeypatch):
        def refuse(*_):
            raise RunFailed("The teacher is near chance")

        monkeypatch.setattr(runner.resources, "taught", refuse)
        records = {arm: runner.run(spec) for (arm, _), spec in specs("scratch", "distill").items()}
        assert {arm: record.state for arm, record in records.items()} == {"scratch": "done", "distill": "failed"}
        assert records["distill"].reason == "The teacher is near chance."

    def test_a_failed_run_is_tried_again(self, runner, specs, monkeypatch):
        spec = specs("distill")["distill", 0]
        with monkeypatch.context() as patch:
            patch.setattr(runner.resources, "taught", _raise(RunFailed("not today")))
            assert runner.run(spec).state == "failed"
        assert runner.run(spec).state == "done"
        assert runner.store.get(spec.digest()).state == "done"

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), StoreError("The disk is full"), MemoryError()])
    def test_what_is_not_the_runs_own_fault_stops_the_program_without_a_record(self, runner, specs, monkeypatch, error):
        spec = specs("scratch")["scratch", 0]
        monkeypatch.setattr(module, "train_once", _raise(error))
        with pytest.raises(type(error)):
            runner.run(spec)
        assert runner.store.get(spec.digest()) is None


def _raise(error):
    def stop(*_, **__):
        raise error

    return stop


class TestPretrained:
    def test_a_probe_keeps_the_hubs_body(self, runner, specs, teacher_model):
        spec = specs("linear_probe", student=teacher_model)["linear_probe", 0]
        record = runner.run(spec)
        assert (record.state, record.init) == ("done", "hub")
        trained = runner.student(spec).network.backbone.state_dict()
        file = load_file(teacher_model.partition("@")[2])
        shared = trained.keys() & file.keys()
        assert len(shared) > 20
        assert all(torch.equal(trained[key], file[key]) for key in shared)

    def test_a_probe_of_the_upstream_keeps_the_body_that_was_pretrained_here(self, runner, specs, shapes):
        spec = specs("linear_probe@upstream")["linear_probe@upstream", 0]
        record = runner.run(spec)
        assert (record.state, record.init, record.pretrain_images) == ("done", "upstream", 20)
        assert (record.resize, record.upstream_resize) == (None, "once")  # digits of 8 pixels, pictures of 12 x 16
        assert record.upstream == shapes.name
        assert record.seconds["pretrain"] > 0
        before = runner.student(spec.pretraining()).network
        after = runner.student(spec).network
        assert before.head.out_features == 3
        assert after.head.out_features == 10
        body = before.backbone.state_dict()
        assert all(torch.equal(value, body[key]) for key, value in after.backbone.state_dict().items())

    def test_upstream_arms_share_one_pretraining(self, runner, specs, trained_rates):
        found = specs("finetune@upstream", "distill@upstream:kl")
        records = [runner.run(spec) for spec in found.values()]
        assert all(record.state == "done" for record in records)
        pretraining = found["finetune@upstream", 0].pretraining()
        assert len(trained_rates) == len(pretraining.recipe.learning_rates) + 2
        assert records[0].flops > records[0].steps * records[0].recipe["batch_images"] * 6 * records[0].student.macs


def test_the_record_on_disk_is_plain_json(runner, specs):
    record = runner.run(specs("scratch")["scratch", 0])
    content = json.loads((runner.out / "runs" / f"{record.run_id}.json").read_text())
    assert content["schema"] == 1
    assert content["test_error"] == record.test_error
