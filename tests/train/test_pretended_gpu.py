"""Training, judging and the teacher's pass on a device that is not there: fake tensors say where each would be, and
refuse to mix places.

No kernel runs, so nothing is said of values or speed. Backward is left out: torch's engine asks for a real device. Fake
tensors of MPS need a Mac; torch's own table of operators says which of those that CUDA ran have a kernel there.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchgen
import yaml
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from azeotrope.data.augmentation.views import draw
from azeotrope.devices.device import Device
from azeotrope.lookup import members
from azeotrope.models.load import load_network
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.embedder import Frozen
from azeotrope.train.dataset import Extra
from azeotrope.train.loop import Training
from azeotrope.train.prepare import Prepare
from azeotrope.train.stage import Stage

from .conftest import POLICY, RECIPE, SIZE, with_targets

MOST_COPIES = 4  # a batch: bytes, numbers, float32 and float16
STALLS = ("_local_scalar_dense", "aten.nonzero", "aten.equal")
CUDA = Device("cuda:0", "bf16")


class Watch(TorchDispatchMode):
    """Counts what goes from host to device and what makes the host wait for a value."""

    def __init__(self):
        super().__init__()
        self.copies, self.stalls, self.operators, self.doubles = 0, Counter(), set(), 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out, name = func(*args, **(kwargs or {})), str(func)
        if name.startswith("aten._to_copy"):
            self._moved(args[0], out)
        if name.startswith("aten.copy_"):
            self._moved(args[1], args[0])
        self.stalls[name] += any(stall in name for stall in STALLS)
        self.operators.add(name.removeprefix("aten.").removesuffix(".default"))
        self.doubles += isinstance(out, torch.Tensor) and out.device.type != "cpu" and out.dtype == torch.float64
        return out

    def _moved(self, source, target):
        self.copies += source.device.type == "cpu" and target.device.type != "cpu"
        self.stalls["device to host"] += source.device.type != "cpu" and target.device.type == "cpu"


def without_mps(operators):
    """Those of torch's operators that no kernel computes on MPS."""
    table = Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml"
    entries = {}
    for entry in yaml.load(table.read_text(encoding="utf-8"), yaml.CSafeLoader):
        entries[entry["func"].partition("(")[0]] = entry

    def served(name):
        entry = entries[name]
        if delegate := entry.get("structured_delegate"):
            return served(delegate)
        keys = ", ".join(entry.get("dispatch", {"CompositeImplicitAutograd": ""}))
        return "MPS" in keys or "Composite" in keys

    return {name for name in operators if name in entries and not served(name)}


def replaced(self, function, recurse=True):
    """`Module._apply` without torch's swap in place, which fake tensors refuse."""
    for child in self.children():
        replaced(child, function)
    for key, value in self._parameters.items():
        if value is not None:
            self._parameters[key] = nn.Parameter(function(value.detach()), value.requires_grad)
    for key, value in self._buffers.items():
        if value is not None:
            self._buffers[key] = function(value)
    return self


@pytest.fixture
def pretence(monkeypatch):
    """The context in which a device is believed to be there. Constants are made before it: they are real."""
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    monkeypatch.setattr(torch, "Generator", lambda device=None, real=torch.Generator: real())
    monkeypatch.setattr(torch, "randint", lambda *a, real=torch.randint, generator=None, **k: real(*a, **k))
    monkeypatch.setattr(nn.Module, "_apply", replaced)
    return FakeTensorMode(allow_non_fake_inputs=True)


@pytest.fixture
def step(pretence, taught, rows, monkeypatch):
    """Makes (the batch's watch, the step's watch) of a second step with these losses."""

    def make(losses, device=CUDA, parts=1, data=taught):
        hosts = list(data.epoch(rows.train, RECIPE.batch_images, 0, 0))
        with pretence:
            network = load_network("test_resnet", 10, image_size=SIZE, pretrained=False, seed=0).network
            recipe = RECIPE.model_copy(update={"accumulate": parts})
            leg = Stage(data="task", init="random", recipe=recipe, losses=losses)
            training = Training(network, leg, 1e-3, 0, data, rows, device, Path("none.pt"))
            training.network.train()
            parameters = [p for group in training.optimizer.param_groups for p in group["params"]]
            gradients = lambda self: [setattr(p, "grad", torch.zeros_like(p)) for p in parameters]  # noqa: E731
            monkeypatch.setattr(torch.Tensor, "backward", gradients)
            training._step(training.prepare(device.send(hosts[0])), 0.5)  # what is made once is made now
            with Watch() as before:
                batch = training.prepare(device.send(hosts[1]))
            with Watch() as during:
                values = training._step(batch, 0.5)
            assert values.device.type == batch.images.device.type == device.kind
        return before, during

    return make


def test_a_step_with_every_loss_mixes_no_places_copies_nothing_and_waits_for_nothing(step):
    batch, during = step(dict.fromkeys(members("losses"), 1.0))
    assert not +during.stalls
    assert not +batch.stalls
    assert during.copies == 0
    assert batch.copies <= MOST_COPIES
    assert not without_mps(batch.operators | during.operators)
    assert not batch.doubles + during.doubles  # MPS has none


@pytest.mark.parametrize(("precision", "parts"), [("fp32", 1), ("bf16", 2), ("fp16", 1)])
def test_precisions_and_parts(step, precision, parts):
    _, during = step({"cross_entropy": 1.0, "kl": 1.0}, Device("cuda:0", precision), parts)
    assert not +during.stalls


def test_further_pictures_need_no_further_copies(step, taught, rows, digits):
    pictures = np.setdiff1d(digits.splits.train, rows.train)[:40]
    taught.images.pack.ensure(pictures)
    taught.targets.cache.ensure(pictures, range(RECIPE.views))
    data = replace(taught, extra=Extra(taught.images, pictures, 12))
    batch, during = step({"cross_entropy": 1.0, "kl": 1.0}, data=data)
    assert batch.copies <= MOST_COPIES
    assert not +during.stalls


@pytest.fixture
def there(pretence, targets):
    """The teacher on such a device; the others of this file keep theirs."""
    module = Frozen(deepcopy(targets.cache.teacher.module.module))
    with pretence:
        return replace(targets.cache.teacher, device=CUDA, module=CUDA.place(module))


def test_a_live_teacher_looks_at_what_was_sent(step, there, taught, targets):
    cache = replace(targets.cache, teacher=there)
    asking = with_targets(taught, replace(targets, cache=cache, live=True))
    batch, during = step({"cross_entropy": 1.0, "kl": 1.0}, data=asking)
    assert batch.copies <= MOST_COPIES
    assert not +batch.stalls
    assert not +during.stalls


@pytest.mark.parametrize("policy", [POLICY, ViewPolicy(cutout=0.3)], ids=["plain", "cutout"])
def test_a_chunk_of_the_teachers_pass(pretence, there, targets, digits, rows, policy):
    drawn = draw(policy, digits.identities[rows.train], 0)
    (host,) = targets.cache.asked(rows.train, drawn)
    with pretence:
        embedder = there.embedder
        with Watch() as chunk:
            said = embedder(CUDA.send(host))
    assert said.device.type == "cuda"
    assert said.dtype == torch.float32
    assert chunk.copies <= 2  # bytes and view parameters
    assert not without_mps(chunk.operators)
    assert not chunk.doubles
    assert not +chunk.stalls


def test_judging_waits_once_at_the_end(pretence, data, rows):
    hosts = list(data.plain(rows.val, batch=8))
    with pretence:
        network = CUDA.place(load_network("test_resnet", 10, image_size=SIZE, pretrained=False, seed=0).network)
        prepare = Prepare(data.alone, CUDA)
        with torch.inference_mode(), Watch() as judging:
            for host in hosts:
                with CUDA.autocast():
                    network(prepare(CUDA.send(host)).images)
    assert judging.copies <= 3 * len(hosts)  # bytes, view parameters, labels
    assert not +judging.stalls
