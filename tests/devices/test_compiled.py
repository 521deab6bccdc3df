"""torch's compiler takes minutes: it is replaced by one that changes nothing where only the way there is tested."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from azeotrope.api.compare import compare
from azeotrope.devices.compiled import compiled, require_compiler
from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore

CPU = Device("cpu", "fp32", compiles=True)


@pytest.fixture
def calls(monkeypatch):
    """The modules and functions that were given to torch to compile."""
    given = []

    def unchanged(what, **options):
        given.append(what)
        return lambda *inputs: what(*inputs)

    monkeypatch.setattr(torch, "compile", unchanged)
    return given


def failing(what, **options):
    def call(*_):
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nSet TORCHDYNAMO_VERBOSE=1")

    return call


def test_a_machine_without_a_compiler_is_told(monkeypatch):
    monkeypatch.setattr(torch, "compile", failing)
    with pytest.raises(InputError) as refused:
        require_compiler(CPU)
    assert str(refused.value) == (
        "torch cannot compile for cpu here. Found: RuntimeError: InvalidCxxCompiler: No working C++ compiler found. "
        "Allowed: a C++ compiler such as g++ for the processor; Triton for CUDA, which torch brings on Linux. "
        "Next: install it, or leave --compile out."
    )


def test_cards_that_share_a_run_are_not_compiled():
    with pytest.raises(InputError, match=r"exchange BatchNorm's statistics.*Found: --compile on cpu and cpu"):
        require_compiler(replace(CPU, cards=("cpu", "cpu")))


def test_a_network_is_itself_unless_it_is_to_be_compiled(calls):
    network = nn.Linear(2, 2)
    assert compiled(network, Device("cpu", "fp32")) is network
    assert compiled(network, CPU) is not network
    assert calls == [network]


def trained(tmp_path, **asked):
    """The record of one run, or of its failure."""
    out = tmp_path / ("compiled" if asked.get("compile") else "plain")
    recipe = {"epochs": 1, "views": 1, "learning_rates": (1e-3,), "batch_images": 32, **asked.pop("recipe", {})}
    compare(
        "digits",
        student="test_resnet",
        teacher=None,
        train_images=100,
        arms=["scratch"],
        seeds=1,
        image_size=32,
        precision="fp32",
        recipe=recipe,
        cache=tmp_path / "cache",
        out=out,
        **asked,
    )
    (record,) = RunStore(str(out))
    return record, out


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_compiled_run_is_the_run_and_says_so(calls, tmp_path, accumulate):
    """With a compiler that changes nothing, to the bit; trying out leaves neither statistics nor gradients."""
    recipe = {"accumulate": accumulate}
    (plain, _), (record, out) = trained(tmp_path, recipe=recipe), trained(tmp_path, compile=True, recipe=recipe)
    assert calls
    assert record.run_id == plain.run_id
    assert record.without_times() == plain.without_times()
    assert (record.environment.compiled, plain.environment.compiled) == (True, False)
    assert record.seconds["compile"] > 0
    assert "compile" not in plain.seconds
    assert "compile: true" in (out / "plan.yaml").read_text()


def test_a_student_that_cannot_be_compiled_fails_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr("azeotrope.session.opening.require_compiler", lambda device: None)
    monkeypatch.setattr(torch, "compile", failing)
    record, _ = trained(tmp_path, compile=True)
    assert record.state == "failed"
    assert record.reason == (
        "The student could not be compiled. Found: RuntimeError: InvalidCxxCompiler: No working C++ compiler found. "
        "Next: leave --compile out."
    )


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 2])
def test_compiled_code_trains_to_the_same_answers(tmp_path, accumulate):
    recipe = {"accumulate": accumulate}
    (plain, _), (record, _) = trained(tmp_path, recipe=recipe), trained(tmp_path, compile=True, recipe=recipe)
    assert record.environment.compiled
    assert record.test_nll == pytest.approx(plain.test_nll, rel=1e-3)
