import copy
import dataclasses
import math
import threading
from functools import partial

import pytest
import torch

from azeotrope.data.packing.rowstore import RowStore
from azeotrope.devices.device import Device
from azeotrope.errors import RunFailed, StoreError
from azeotrope.train import loop
from azeotrope.train.evaluate import Score, validate
from azeotrope.train.faults import require_taken_steps

from .conftest import RECIPE

PER_EPOCH, EPOCHS = 5, 3  # 80 images, 16 at a time
DISTILLED = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0}


class Killed(BaseException):
    """As sudden as a signal: nothing in the program catches it."""


def killed_at(batch):
    """A callback that ends the training at its n-th batch."""
    seen = []

    def advance(images):
        seen.append(images)
        if len(seen) == batch:
            raise Killed

    return advance


def same(progress, other):
    assert (progress.epoch, progress.best, progress.best_epoch) == (other.epoch, other.best, other.best_epoch)
    assert progress.best_weights.keys() == other.best_weights.keys()
    assert all(torch.equal(progress.best_weights[key], other.best_weights[key]) for key in progress.best_weights)
    assert without_times(progress.curve) == without_times(other.curve)


def without_times(curve):
    return [dataclasses.replace(each, images_per_second=0.0) for each in curve]


@pytest.fixture
def checkpoint_every_epoch(monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)


def test_training_learns(training, data, rows):
    made = training(recipe=RECIPE.model_copy(update={"epochs": 8}))
    before = validate(made.network, data, rows.val, made.device)
    progress = made.run()
    assert progress.epoch == 8
    assert progress.best.error < before.error - 0.2
    assert validate(made.network, data, rows.val, made.device) == progress.best


@pytest.mark.parametrize("losses", [{"cross_entropy": 1.0}, DISTILLED], ids=["labels", "teacher"])
def test_the_same_seed_gives_the_same_weights_to_the_bit(training, targets, losses):
    taught = targets if "kl" in losses else None
    torch.manual_seed(1)
    first = training(losses=losses, targets=taught, file="a.pt").run()
    torch.manual_seed(2)
    same(first, training(losses=losses, targets=taught, file="b.pt").run())


def test_another_seed_gives_other_weights(training):
    first, second = (training(seed=seed, file=f"{seed}.pt").run().best_weights for seed in (0, 1))
    assert not torch.equal(first["head.weight"], second["head.weight"])


@pytest.mark.usefixtures("checkpoint_every_epoch")
@pytest.mark.parametrize("batch", [1, PER_EPOCH + 1, 2 * PER_EPOCH, 3 * PER_EPOCH - 1])
def test_a_killed_training_goes_on_to_the_same_result(training, targets, batch):
    unbroken = training(losses=DISTILLED, targets=targets, file="unbroken.pt").run()
    with pytest.raises(Killed):
        training(losses=DISTILLED, targets=targets, advance=killed_at(batch)).run()
    images = []
    same(training(losses=DISTILLED, targets=targets, advance=images.append).run(), unbroken)
    assert sum(images) == EPOCHS * PER_EPOCH * 16
    done_before = (batch - 1) // PER_EPOCH
    assert images[:1] == ([done_before * PER_EPOCH * 16] if done_before else [16])


def test_the_curve_has_each_loss_and_what_validation_said(training, targets, data, rows, monkeypatch):
    """Against the values of each step, and the score of each epoch, as the loop met them."""
    recipe = RECIPE.model_copy(update={"weight_average": 0.0})
    made = training(losses={"cross_entropy": (1.0, 0.5), "kl": 2.0}, targets=targets, recipe=recipe)
    steps, scores = [], []
    step, judge = made._step, made._judge
    monkeypatch.setattr(made, "_step", lambda batch, done: steps.append(step(batch, done).tolist()) or step_of(steps))
    monkeypatch.setattr(made, "_judge", lambda epoch: scores.append(judge(epoch)) or scores[-1])
    curve = made.run().curve
    assert [each.epoch for each in curve] == [0, 1, 2]
    assert [(each.val_error, each.val_loss) for each in curve] == [(s.error, s.cross_entropy) for s in scores]
    for epoch, each in enumerate(curve):
        own = list(enumerate(steps))[epoch * PER_EPOCH : (epoch + 1) * PER_EPOCH]
        entropy, kl = (sum(values[place] for _, values in own) / PER_EPOCH for place in (0, 1))
        assert each.losses == {"cross_entropy": pytest.approx(entropy, rel=1e-6), "kl": pytest.approx(kl, rel=1e-6)}
        done = [(place + 1) / (EPOCHS * PER_EPOCH) for place, _ in own]
        total = sum((1 - 0.5 * at) * e + 2 * k for at, (_, (e, k)) in zip(done, own, strict=True)) / PER_EPOCH
        assert each.loss == pytest.approx(total, rel=1e-6)
        assert each.images_per_second > 0
    assert curve[0].learning_rate > curve[2].learning_rate >= 0


def step_of(steps):
    return torch.tensor(steps[-1])


def test_with_an_average_only_the_last_epoch_is_judged(training):
    progress = training().run()
    assert [each.val_error for each in progress.curve] == [None, None, progress.best.error]


@pytest.fixture
def fp16(training):
    """Makes trainings in float16, which a processor can do and nobody would ask of it."""
    recipe = RECIPE.model_copy(update={"epochs": 2})
    return partial(training, device=Device("cpu", "fp16"), recipe=recipe)


@pytest.mark.usefixtures("checkpoint_every_epoch")
def test_a_killed_training_in_fp16_goes_on_with_its_scale(fp16):
    def grown(training):
        training.step.scaler._init_scale = 2.0**8  # too small to overflow, so that it doubles every epoch
        training.step.scaler.set_growth_interval(PER_EPOCH)
        return training

    unbroken = grown(fp16(file="unbroken.pt"))
    before = unbroken.run()
    with pytest.raises(Killed):
        grown(fp16(advance=killed_at(PER_EPOCH))).run()
    resumed = grown(fp16())
    same(resumed.run(), before)
    assert resumed.step.scaler.get_scale() == unbroken.step.scaler.get_scale() == 2.0 ** (8 + 2)


def test_a_step_whose_gradients_overflow_in_fp16_is_left_out_and_the_scale_falls(fp16):
    made = fp16()
    host = next(made.data.epoch(made.rows.train, RECIPE.batch_images, 0, 0))
    batch = made.prepare(made.device.send(host))
    made.step.scaler._init_scale = 2.0**60  # float16 ends at 65,504
    before = copy.deepcopy(list(made.network.parameters()))
    made._step(batch, 0.0)
    assert all(torch.equal(one, other) for one, other in zip(made.network.parameters(), before, strict=True))
    assert made.step.scaler.get_scale() == 2.0**59


def test_steps_left_out_in_fp16_are_counted(fp16):
    """Each halves the scale, which says their number too."""
    made = fp16()
    made.step.scaler._init_scale = 2.0**20
    assert made.run().skipped == 20 - math.log2(made.step.scaler.get_scale()) > 0


def test_a_training_that_leaves_out_most_steps_in_fp16_fails_with_the_way_out(fp16):
    made = fp16()
    made.step.scaler._init_scale = 2.0**60
    with pytest.raises(RunFailed) as told:
        made.run()
    assert str(told.value) == (
        "Most steps were left out, because their gradients overflow float16. "
        f"Found: {2 * PER_EPOCH} of {2 * PER_EPOCH} steps at learning rate {made.learning_rate:g}. "
        "Allowed: half of them: the first few always overflow, until their scale is found. "
        "Next: take --precision bf16 where the card multiplies it, else fp32; or train more steps."
    )


@pytest.mark.parametrize(("skipped", "done", "steps"), [(50, 99, 1000), (10, 20, 20), (50, 100, 1000), (0, 5, 5)])
def test_few_steps_left_out_are_no_fault_and_nobody_judges_early(skipped, done, steps):
    require_taken_steps(skipped, done, steps, 1e-3)


@pytest.mark.usefixtures("checkpoint_every_epoch")
def test_a_torn_checkpoint_means_from_the_start(training):
    unbroken = training(file="unbroken.pt").run()
    with pytest.raises(Killed):
        training(advance=killed_at(8)).run()
    file = training().file
    file.write_bytes(file.read_bytes()[:-100])
    images = []
    same(training(advance=images.append).run(), unbroken)
    assert len(images) == EPOCHS * PER_EPOCH


@pytest.mark.usefixtures("checkpoint_every_epoch")
def test_seconds_add_up_over_an_interruption(training):
    with pytest.raises(Killed):
        training(advance=killed_at(8)).run()
    paid = torch.load(training().file, weights_only=True)["seconds"]["train"]
    assert 0 < paid < training().run().seconds["train"]


def test_short_trainings_write_no_checkpoint(training):
    """Epochs of milliseconds would spend their time on the disk."""
    made = training()
    made.run()
    assert not made.file.exists()


def test_without_an_average_the_epoch_that_validation_likes_best_is_kept(training, monkeypatch):
    seen, scores = [], iter([Score(0.5, 1.0), Score(0.2, 1.0), Score(0.2, 1.0)])  # a tie: the earlier stays

    def judge(network, *_):
        seen.append({key: value.clone() for key, value in network.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(loop, "validate", judge)
    made = training(recipe=RECIPE.model_copy(update={"weight_average": 0.0}))
    progress = made.run()
    assert progress.best_epoch == 1
    assert not torch.equal(seen[1]["head.weight"], seen[2]["head.weight"])
    assert all(torch.equal(value, seen[1][key]) for key, value in made.network.state_dict().items())


def test_a_head_trained_alone_leaves_the_body_as_it_was(training):
    made = training(trains="head", head_rate=10)
    before = {key: value.clone() for key, value in made.network.state_dict().items()}
    assert any("running_mean" in key for key in before)
    made.run()
    for key, value in made.network.state_dict().items():
        assert torch.equal(value, before[key]) == key.startswith("backbone."), key


def test_all_weights_train_otherwise(training):
    made = training(targets=None)
    before = {key: value.clone() for key, value in made.network.state_dict().items()}
    made.run()
    assert not any(torch.equal(parameter, before[key]) for key, parameter in made.network.named_parameters())


def test_arms_start_alike_and_see_the_same_batches(training, targets, data, monkeypatch):
    starts, shown = [], {"labels": [], "teacher": []}
    for arm, losses, taught in (("labels", {"cross_entropy": 1.0}, None), ("teacher", DISTILLED, targets)):
        made = training(losses=losses, targets=taught, file=f"{arm}.pt")
        starts.append(made.network.state_dict()["head.weight"].clone())
        step = made._step

        def spied(batch, progress, arm=arm, step=step):
            shown[arm].append(batch)
            return step(batch, progress)

        monkeypatch.setattr(made, "_step", spied)
        made.run()
    assert torch.equal(*starts)
    assert len(shown["labels"]) == len(shown["teacher"]) == EPOCHS * PER_EPOCH
    assert all(torch.equal(a.images, b.images) for a, b in zip(*shown.values(), strict=True))


def test_projectors_start_alike_whatever_else_was_drawn(training, targets):
    torch.manual_seed(1)
    first = training(losses=DISTILLED, targets=targets).losses.state_dict()
    torch.manual_seed(2)
    second = training(losses={"align_uniform": 1.0}, targets=targets).losses.state_dict()
    assert all(torch.equal(value, first[key]) for key, value in second.items())
    assert second


def test_a_loss_that_is_not_finite_stops_the_run_with_its_step_and_name(training):
    """The head is poisoned after the 7th batch: the 8th step is the first bad one."""
    seen = []

    def poison(images):
        seen.append(images)
        if len(seen) == 7:
            made.network.head.weight.data.fill_(float("nan"))

    made = training(advance=poison)
    with pytest.raises(RunFailed) as failure:
        made.run()
    assert str(failure.value) == (
        "The loss is not finite at step 8. Found: cross_entropy at learning rate 0.002. "
        "Next: take a smaller learning rate, or --precision fp32."
    )


def test_only_the_losses_that_are_not_finite_are_named(training, targets):
    broken = dataclasses.replace(targets.head, bias=torch.full_like(targets.head.bias, float("nan")))
    made = training(losses=DISTILLED, targets=dataclasses.replace(targets, head=broken))
    with pytest.raises(RunFailed, match=r"at step 1\. Found: kl at learning rate"):
        made.run()


def test_gradients_are_clipped(training, monkeypatch):
    norms = []
    clip = torch.nn.utils.clip_grad_norm_

    def spy(parameters, largest):
        clip(parameters, largest)
        norms.append(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm().item())

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spy)
    training(recipe=RECIPE.model_copy(update={"clip_norm": 0.01})).run()
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def averaged(share=0.2, **changes):
    return RECIPE.model_copy(update={"weight_average": share, **changes})


def test_the_average_is_judged_once_at_the_end_and_kept(training, data, rows, monkeypatch):
    judged = []
    monkeypatch.setattr(loop, "validate", lambda *given: judged.append(given) or validate(*given))
    made = training(recipe=averaged())
    progress = made.run()
    assert len(judged) == 1
    assert progress.best_epoch == EPOCHS - 1
    assert validate(made.network, data, rows.val, made.device) == progress.best


def test_the_average_is_that_of_the_weights_after_each_step(training, monkeypatch):
    made = training(recipe=averaged())
    step, seen = made._step, []

    def spied(batch, progress):
        values = step(batch, progress)
        seen.append(made.network.head.weight.detach().clone())
        return values

    monkeypatch.setattr(made, "_step", spied)
    made.run()
    expected, memory = torch.zeros_like(seen[0]), 0.2 * EPOCHS * PER_EPOCH
    for count, weight in enumerate(seen):
        expected = expected + max(1 / (count + 1), 1 / memory) * (weight - expected)
    torch.testing.assert_close(made.network.head.weight.detach(), expected)


@pytest.mark.usefixtures("checkpoint_every_epoch")
@pytest.mark.parametrize("batch", [PER_EPOCH + 1, 3 * PER_EPOCH - 1])
def test_a_killed_training_goes_on_with_its_average(training, targets, batch):
    asked = {"losses": DISTILLED, "targets": targets, "recipe": averaged()}
    unbroken = training(file="unbroken.pt", **asked).run()
    with pytest.raises(Killed):
        training(advance=killed_at(batch), **asked).run()
    same(training(**asked).run(), unbroken)


@pytest.mark.usefixtures("checkpoint_every_epoch")
@pytest.mark.parametrize(
    ("sampling", "changes"),
    [
        ("balanced", {"sampling": "balanced"}),
        ("shuffled", {"class_weights": {str(digit): 1.0 + digit for digit in range(10)}}),
    ],
    ids=["sampling", "weights"],
)
def test_a_killed_training_that_evens_out_classes_goes_on_to_the_same_result(training, sampling, changes):
    asked = {"recipe": RECIPE.model_copy(update=changes), "sampling": sampling}
    unbroken = training(file="unbroken.pt", **asked).run()
    with pytest.raises(Killed):
        training(advance=killed_at(PER_EPOCH + 1), **asked).run()
    same(training(**asked).run(), unbroken)
    plain = training(file="plain.pt").run()
    assert any(not torch.equal(weights, plain.best_weights[key]) for key, weights in unbroken.best_weights.items())


def test_weights_and_shares_are_those_of_the_training_images(training, digits, rows):
    counts = torch.bincount(torch.from_numpy(digits.labels[rows.train]), minlength=10)
    weights = {str(digit): 1.0 + digit for digit in range(10)}
    made = training(recipe=RECIPE.model_copy(update={"class_weights": weights, "logit_adjustment": 0.5}))
    loss = made.losses.losses["cross_entropy"]
    torch.testing.assert_close(loss.offsets, 0.5 * (counts / counts.sum()).log())
    assert (loss.weights * counts).sum() / counts.sum() == pytest.approx(1)
    assert not {"cross_entropy.weights", "cross_entropy.offsets"} & set(made.losses.state_dict())


@pytest.mark.usefixtures("checkpoint_every_epoch")
def test_the_last_epoch_ends_at_the_last_step(training):
    recipe = RECIPE.model_copy(update={"max_steps": 12})
    seen, again = [], []
    unbroken = training(recipe=recipe, advance=seen.append, file="unbroken.pt").run()
    assert sum(seen) == 12 * 16
    with pytest.raises(Killed):
        training(recipe=recipe, advance=killed_at(12)).run()
    same(training(recipe=recipe, advance=again.append).run(), unbroken)
    assert again[0] == 2 * PER_EPOCH * 16
    assert sum(again) == 12 * 16


@pytest.fixture
def readers(monkeypatch):
    """The threads that read pixels, after which the store is damaged."""
    usual, seen = RowStore.read, []

    def watched(store, rows):
        seen.append(threading.current_thread().name.partition("_")[0])
        if len(seen) == PER_EPOCH + 1:  # validation follows the first epoch
            raise StoreError("The cache file is damaged")
        return usual(store, rows)

    monkeypatch.setattr(RowStore, "read", watched)
    return seen


def test_batches_are_made_beside_the_step_and_a_damaged_cache_stops_it(training, readers):
    with pytest.raises(StoreError, match="damaged"):
        training().run()
    assert set(readers) == {"batches"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_a_live_teacher_on_the_cpu_does_not_look_while_the_student_trains(training, targets, readers):
    live = dataclasses.replace(targets, live=True)
    with pytest.raises(StoreError, match="damaged"):
        training(targets=live, losses={"cross_entropy": 1.0, "kl": 1.0}).run()
    assert set(readers) == {"MainThread"}
