"""Parts of a batch and processes must change memory and time, and not what is minimised."""

import copy
import math
import pickle
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import distributed, nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed
from azeotrope.losses._contract import Setup, build
from azeotrope.models.network import Network
from azeotrope.recipe import Recipe
from azeotrope.spec import validated
from azeotrope.train.parallel.batch_norm import OverWholeBatch
from azeotrope.train.parallel.processes import ALONE, Processes
from azeotrope.train.step import Step

from . import _together
from ._together import BATCH, CLASSES, CPU, LOSSES, TEACHER_FEATURES, Pictures, network, trained


def step(model, parts=1, device=CPU):
    torch.manual_seed(1)
    losses = build(LOSSES, Setup(model.head.in_features, TEACHER_FEATURES, CLASSES))
    return Step(model, losses, device, ALONE, parts)


def gradients(step, batch):
    for module in (step.network, step.losses):
        module.zero_grad()
    values = step.gradients(batch, 1.0)
    return values, [p.grad.clone() for module in (step.network, step.losses) for p in module.parameters()]


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_give_the_gradients_of_the_whole_batch(parts):
    model, batch = network(), Pictures().on_cpu(np.arange(BATCH))
    values, whole = gradients(step(model), batch)
    values_in_parts, in_parts = gradients(step(model, parts), batch)
    torch.testing.assert_close(values_in_parts, values)
    torch.testing.assert_close(in_parts, whole, rtol=1e-4, atol=1e-6)


def test_in_bf16_too_where_a_depthwise_convolution_takes_its_gradient_another_way():
    model, batch = network(), Pictures().on_cpu(np.arange(BATCH))
    model.backbone.insert(0, nn.Conv2d(3, 3, 3, stride=2, padding=1, groups=3))
    _, whole = gradients(step(model, device=Device("cpu", "bf16")), batch)
    _, in_parts = gradients(step(model, 2, Device("cpu", "bf16")), batch)
    for one, other in zip(in_parts, whole, strict=True):
        assert (one - other).norm() < 0.05 * other.norm() + 1e-3


def test_the_mean_of_the_parts_gradients_is_another_loss():
    """Why gradients are not simply accumulated: each part has fewer negatives."""
    model, pictures = network(), Pictures()
    _, whole = gradients(step(model), pictures.on_cpu(np.arange(BATCH)))
    halves = [gradients(step(model), pictures.on_cpu(half))[1] for half in np.split(np.arange(BATCH), 2)]
    gaps = [((a + b) / 2 - c).norm() / c.norm() for a, b, c in zip(*halves, whole, strict=True)]
    assert max(gaps) > 0.1


def test_dropout_is_replayed_when_a_part_is_computed_again():
    model, batch = network(), Pictures().on_cpu(np.arange(BATCH))
    model.backbone.append(nn.Dropout(0.5))
    made = step(model, parts=2)
    torch.manual_seed(5)
    _, replayed = gradients(made, batch)
    torch.manual_seed(5)
    outputs = [model(part) for part in batch.images.tensor_split(2)]
    kept = type(outputs[0])(*(torch.cat(both) for both in zip(*outputs, strict=True)))
    made.network.zero_grad()
    made.losses(made._signals(kept, batch, 1.0))[0].backward()
    torch.testing.assert_close([p.grad for p in model.parameters()], replayed[: len(list(model.parameters()))])


def test_batch_norm_counts_each_part_once():
    model = Network(nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), nn.Linear(3, CLASSES))
    batch = Pictures().on_cpu(np.arange(BATCH))
    gradients(step(model.train(), parts=4), batch)
    norm, expected = model.backbone[0], nn.BatchNorm2d(3)
    for part in batch.images.tensor_split(4):
        expected(part)
    assert norm.num_batches_tracked == 4
    torch.testing.assert_close(norm.running_var, expected.running_var)


def test_parts_train_to_the_same_weights(tmp_path):
    torch.testing.assert_close(trained(tmp_path, accumulate=2), trained(tmp_path), rtol=1e-3, atol=1e-5)


def test_a_part_must_hold_a_pair():
    with pytest.raises(InputError, match="accumulate must leave 2 images a part: at most 4 here"):
        validated(Recipe, {"epochs": 1, "batch_images": 8, "accumulate": 5})


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(InputError) as error:
        Processes(0, 3).share(16)
    assert str(error.value) == (
        "A batch must be shared equally by the processes. Found: 16 images a batch, 3 processes. "
        "Next: take --batch-images 15, or other processes."
    )


def test_shares_are_the_batch():
    shares = [list(range(16))[Processes(rank, 4).share(16)] for rank in range(4)]
    assert [image for share in shares for image in share] == list(range(16))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two real processes over gloo end with; takes seconds because each imports torch."""
    out = tmp_path_factory.mktemp("two")
    started = [subprocess.Popen([sys.executable, _together.__file__, str(out), str(rank)]) for rank in range(2)]
    try:
        assert [process.wait(timeout=100) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert {(out / f"{rank}.txt").read_text() for rank in range(2)} == {"integer division or modulo by zero, heard"}
    assert (out / "lost.txt").read_text() == "False False False False"  # OutOfStepError, to be tried again
    return [torch.load(out / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("name", _together.TRAININGS)
def test_two_processes_take_the_steps_of_one(two, tmp_path, name):
    """BatchNorm, projectors and losses that relate images see the whole batch."""
    first, second = (each[name] for each in two)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.testing.assert_close(first, trained(tmp_path, **_together.TRAININGS[name]), rtol=1e-4, atol=1e-5)


def test_two_processes_go_on_to_the_same_end_after_a_kill(two):
    for each in two:
        torch.testing.assert_close(each["resumed"], two[0]["crd, averaged"], rtol=0, atol=0)


def test_two_processes_agree_in_bf16_too(two, tmp_path):
    first, second = (each["bf16"] for each in two)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    alone = trained(tmp_path, device=Device("cpu", "bf16"), **_together.TRAININGS["labels"])
    torch.testing.assert_close(first, alone, rtol=0.05, atol=0.02)  # 2 or 3 digits


def test_scripted_parts_are_refused_where_a_batch_is_shared(tmp_path):
    """Their BatchNorm would take the statistics of a share without a word."""
    norm = nn.BatchNorm2d(3)
    norm.__class__ = type("Scripted", (torch.jit.ScriptModule, nn.BatchNorm2d), {})

    def scripted():
        model = network()
        model.backbone.insert(0, norm)
        return model

    with pytest.raises(RunFailed, match=r"torch.jit.script.*by several cards. Found: backbone.0. Next: take one"):
        trained(tmp_path, Processes(0, 2), made=scripted)


def test_what_the_leader_measured_is_judged(tmp_path):
    """A card of another kind may overflow alone: all must end, or none."""

    class Helper(Processes):
        def told(self, word):
            return torch.full_like(word, math.inf) if isinstance(word, torch.Tensor) else word

    with pytest.raises(RunFailed, match="The loss is not finite at step 1"):
        trained(tmp_path, Helper())


def test_batch_norm_of_one_process_is_torchs(monkeypatch):
    """Values, gradients and running statistics, in four dimensions and in two."""
    monkeypatch.setattr(Processes, "gathered", lambda self, tensor: [tensor])
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: None)
    for norm, shape in ((nn.BatchNorm2d(5), (6, 5, 4, 3)), (nn.BatchNorm1d(5, affine=False), (6, 5))):
        torch.manual_seed(0)
        images, direction = torch.randn(shape) + 3, torch.randn(shape)
        found = []
        for context in (nullcontext(), OverWholeBatch(ALONE)):
            model, seen = copy.deepcopy(norm), images.clone().requires_grad_()
            with context:
                (model(seen) * direction).sum().backward()
            found.append([seen.grad, *(p.grad for p in model.parameters()), *model.buffers()])
        torch.testing.assert_close(found[1], found[0])


class TwoWordsError(Exception):
    """Pickle makes it again from one word, and its constructor wants two."""

    def __init__(self, one, other):
        super().__init__(f"{one} {other}")


def test_an_error_that_cannot_be_sent_is_told_in_words(monkeypatch):
    """The other process would wait for it for ever."""

    def gather(shared, own):
        shared[:] = [pickle.loads(pickle.dumps(own)), None]

    def fails():
        raise TwoWordsError("no", "room")

    monkeypatch.setattr(distributed, "all_gather_object", gather)
    with pytest.raises(RuntimeError, match=r"^TwoWordsError: no room\nIn process 0:"):
        Processes(0, 2).agreed(fails)
