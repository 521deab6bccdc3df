"""Cards are pretended: what torch says of them is replaced, never what is made of it."""

import pytest
import torch
from torch.nn import functional

from azeotrope.devices import choice
from azeotrope.devices.choice import choose
from azeotrope.devices.device import Device
from azeotrope.errors import InputError

TOO_OLD = "CUDA error: no kernel image is available for execution on the device"


@pytest.fixture
def machine(monkeypatch):
    """Pretend `cards` accelerators of a kind; with `fault` their kernels fail with these words."""

    def pretend(kind, cards=1, fault=None):
        def kernel(images, weights, real=functional.conv2d):
            if fault:
                raise torch.AcceleratorError(f"{fault}\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1")
            return real(images, weights)

        there = torch.device(kind) if kind else None
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: there)
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: cards)
        monkeypatch.setattr(torch.accelerator, "synchronize", lambda name: None)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "Tesla T4")
        monkeypatch.setattr(choice, "_multiplies_bf16", lambda name: False)
        monkeypatch.setattr(torch, "ones", lambda *size, device, real=torch.ones, **more: real(*size, **more))
        monkeypatch.setattr(functional, "conv2d", kernel)

    return pretend


@pytest.mark.parametrize(("native", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_only_where_the_processor_multiplies_it(machine, monkeypatch, native, precision):
    machine(None)
    monkeypatch.setattr(choice, "_multiplies_bf16", lambda name: native)
    assert choose("auto") == Device("cpu", precision)


def test_a_precision_asked_for_is_taken(machine):
    machine(None)
    assert choose("bf16") == Device("cpu", "bf16")


def test_without_a_card_the_processor_computes_and_nothing_is_said(machine):
    machine(None)
    assert choose().reason == ""


def test_a_card_that_works_is_taken_and_named(machine):
    machine("cuda")
    found = choose()
    assert found.name == "cuda"
    assert found.reason == "a trial on Tesla T4 worked"


def test_a_card_that_fails_leaves_the_processor_with_torchs_first_line(machine):
    machine("cuda", fault=TOO_OLD)
    found = choose()
    assert found.name == "cpu"
    assert found.reason == f"a trial on Tesla T4 failed ({TOO_OLD})"


def test_mps_is_not_taken_unasked(machine):
    machine("mps")
    assert choose().name == "cpu"
    assert "--device mps" in choose().reason
    assert choose(device="mps").name == "mps"


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_a_device_asked_for_is_taken(machine, name):
    machine("cuda", cards=2)
    assert choose(device=name).name == name


@pytest.mark.parametrize(
    ("pretended", "asked", "words"),
    [
        ((None,), "cuda", ["Torch finds no cuda device here", torch.__version__, "nvidia-smi", "--device cpu"]),
        ((None,), "mps", ["Torch finds no mps device here", "Apple silicon"]),
        (("mps",), "cuda:0", ["Torch finds no cuda device here"]),
        (("cuda", 1), "cuda:9", ["There is no cuda:9 here", "Found: one card.", "Allowed: cuda:0."]),
        (("cuda", 2), "cuda:2", ["Found: 2 cards.", "Allowed: cuda:0, cuda:1."]),
        (("cuda", 1, TOO_OLD), "cuda", ["A convolution on cuda failed", "Tesla T4", TOO_OLD, "build of torch"]),
        ((None,), "gpu", ["--device names what computes", "Found: gpu.", "cuda:N"]),
        ((None,), "cpu:0", ["Found: cpu:0."]),
    ],
)
def test_a_device_that_cannot_compute_is_refused(machine, pretended, asked, words):
    machine(*pretended)
    with pytest.raises(InputError) as refused:
        choose(device=asked)
    assert all(word in str(refused.value) for word in words)
    assert "CUDA_LAUNCH_BLOCKING" not in str(refused.value)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_fp16_on_a_processor_is_refused(machine, device):
    machine(None)
    with pytest.raises(InputError, match=r"fp16 needs a GPU. Found: the processor computes. Allowed: fp32 or bf16"):
        choose("fp16", device)


def test_fp16_on_a_card_is_taken(machine):
    machine("cuda")
    assert choose("fp16") == Device("cuda", "fp16")


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_bf16_that_a_gpu_would_emulate_is_refused(machine, monkeypatch, kind):
    machine(kind)
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M1")
    with pytest.raises(InputError, match=r"(T4|M1) does not multiply bf16 itself.*Next: take --precision fp16"):
        choose("bf16", kind)


def test_several_cards_share_a_run_where_the_work_can_be_shared(machine, monkeypatch):
    machine("cuda", cards=3)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    found = choose(device="cuda:0,2", several=True)
    assert found == Device("cuda:0", "fp32", cards=("cuda:0", "cuda:2"))
    assert (found.called, found.shares, found.reason) == ("cuda:0 and cuda:2", 2, "these 2 share every batch")
    assert found.share(1).name == "cuda:2"
    assert choose(device="cpu,cpu", several=True).cards == ("cpu", "cpu")


@pytest.mark.parametrize(
    ("asked", "several", "nccl", "words"),
    [
        ("cuda:0,1", False, True, ["Several cards share the training of a run, and nothing else", "--device cuda:0."]),
        ("cuda:0,0", True, True, ["Each card has one share of a batch. Found: cuda:0,0."]),
        ("cuda:0,2", True, True, ["There is no cuda:2 here", "Allowed: cuda:0, cuda:1."]),
        ("cuda:0,1", True, False, ["torch.distributed, NCCL for CUDA", "or --workers 2 --device cuda, a run on each"]),
        ("cuda,1", True, True, ["--device names what computes", "cuda:0,1"]),
    ],
)
def test_cards_that_cannot_share_are_refused(machine, monkeypatch, asked, several, nccl, words):
    machine("cuda", cards=2)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: nccl)
    with pytest.raises(InputError) as refused:
        choose(device=asked, several=several)
    assert all(word in str(refused.value) for word in words)


@pytest.mark.parametrize(
    ("visible", "device", "named"),
    [
        (None, Device("cuda", "fp32"), ("cuda:0",)),
        ("2,3", Device("cuda:1", "fp32"), ("cuda:3",)),  # as Ray leaves a worker its own cards
        ("5,6,7", Device("cuda:0", "fp32", cards=("cuda:0", "cuda:2")), ("cuda:5", "cuda:7")),
        ("GPU-8932f937", Device("cuda", "fp32"), ("cuda:GPU-8932f937",)),
        (None, Device("cpu", "fp32"), ()),
    ],
)
def test_cards_are_recorded_by_their_numbers_on_the_machine(monkeypatch, visible, device, named):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device.on_node == named
