import gc
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from azeotrope.devices import memory
from azeotrope.devices.device import Device
from azeotrope.devices.memory import keep_freed_memory, peak_memory_mb, reset_peak_memory
from azeotrope.devices.process import make_repeatable

CPU = Device("cpu", "fp32")


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_autocast_runs_matrix_work_in_the_precision(precision, dtype):
    layer = torch.nn.Linear(4, 4)
    with Device("cpu", precision).autocast():
        assert layer(torch.ones(2, 4)).dtype == dtype


def test_cards_of_several_models_are_all_named(monkeypatch):
    made = {"cuda:0": "NVIDIA A100", "cuda:1": "NVIDIA A100", "cuda:2": "Tesla T4"}
    monkeypatch.setattr(torch.cuda, "get_device_name", made.get)
    assert Device("cuda:0", "fp32", cards=("cuda:0", "cuda:1")).accelerator == "NVIDIA A100"
    assert Device("cuda:2", "fp32", cards=("cuda:0", "cuda:2")).accelerator == "NVIDIA A100 and Tesla T4"
    assert Device("cuda:2", "fp32").accelerator == "Tesla T4"


def test_an_autocast_that_another_thread_closes_changes_no_gradient():
    torch.manual_seed(0)
    layer, images = torch.nn.Linear(64, 64), torch.randn(2, 256, 64)

    def gradient(between):
        layer.zero_grad()
        with Device("cpu", "bf16").autocast():
            first = layer(images[0])
            between()
            second = layer(images[1])
        (first.float().square().sum() + second.float().square().sum()).backward()
        return layer.weight.grad

    def opened_and_closed():
        with Device("cpu", "bf16").autocast():
            pass

    def in_a_thread():
        with ThreadPoolExecutor(1) as thread:
            thread.submit(opened_and_closed).result()

    assert torch.equal(gradient(lambda: None), gradient(in_a_thread))


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_a_gradient_that_float16_cannot_hold_survives(precision):
    gradient = 1e-9
    device, layer = Device("cpu", precision), torch.nn.Linear(4, 1, bias=False)
    optimizer, scaler = torch.optim.AdamW(layer.parameters(), fused=True), device.scaler()
    assert torch.tensor(gradient, dtype=torch.float16) == 0
    with device.autocast():
        said = layer(torch.ones(1, 4)).float()
    scaler.scale(gradient * said.sum()).backward()
    scaler.unscale_(optimizer)
    assert torch.allclose(layer.weight.grad, torch.full((1, 4), gradient), rtol=0.01, atol=0)


def test_a_placed_module_lies_channels_last():
    placed = CPU.place(torch.nn.Conv2d(3, 8, 3))
    assert placed.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the peak be reset")
def test_peak_memory_sees_what_was_held_and_forgets_it_on_reset():
    gc.collect()  # what other tests left may be freed meanwhile: hold much more than that
    reset_peak_memory(CPU)
    before = peak_memory_mb(CPU)
    held = np.ones(300_000_000, np.uint8)  # 300 MB, touched
    assert peak_memory_mb(CPU) > before + 150
    del held
    reset_peak_memory(CPU)
    assert peak_memory_mb(CPU) < before + 150


def test_repeatable_asks_for_deterministic_algorithms():
    make_repeatable()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


FAULTS = """
import resource, torch
from azeotrope.devices.device import Device
from azeotrope.devices.memory import peak_memory_mb, reset_peak_memory
from azeotrope.devices.process import prepare
prepare()
def page_faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for step in range(20):
    if step == 2: before = page_faults()
    made = [torch.ones(4_000_000) for _ in range(4)]  # 16 MB each, freed before the next step
    del made
faults = page_faults() - before
kept = peak_memory_mb(Device("cpu", "fp32"))
reset_peak_memory(Device("cpu", "fp32"))
print(faults, kept - peak_memory_mb(Device("cpu", "fp32")))
"""


def faults_and_memory_given_back(**environment):
    """Page faults of eighteen steps that need 64 MB each, and MB that a new measurement gives back."""
    others = {name: value for name, value in os.environ.items() if "MALLOC" not in name and name != "GLIBC_TUNABLES"}
    answer = subprocess.run(
        [sys.executable, "-c", FAULTS], env=others | environment, capture_output=True, text=True, check=True
    )
    return [float(number) for number in answer.stdout.split()]


GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only of glibc is it asked")


@GLIBC
def test_freed_memory_is_kept_for_the_next_step_unless_the_user_says_otherwise():
    faults, given_back = faults_and_memory_given_back()
    assert given_back > 50  # when a new measurement begins
    for setting in ({"MALLOC_TRIM_THRESHOLD_": "131072"}, {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=131072"}):
        otherwise, _ = faults_and_memory_given_back(**setting)
        assert otherwise > 18 * 25  # 16,384 pages a step where pages are small, 32 where they are huge
        assert faults < otherwise / 4


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    keep_freed_memory()
    reset_peak_memory(CPU)
