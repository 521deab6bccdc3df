import math
import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from azeotrope.losses._contract import Setup, build
from azeotrope.models.load import load_network
from azeotrope.recipe import Recipe
from azeotrope.train.optimizer import build_optimizer, rate_factor, set_rate
from azeotrope.train.stage import Stage

RECIPE = Recipe(epochs=1, batch_images=2, weight_decay=0.07)


def test_the_rate_rises_linearly_then_falls_as_half_a_cosine():
    """100 steps, 10 of warm-up: step 4 has half the rate, step 55 is half-way down."""
    recipe = Recipe(epochs=1, batch_images=2, warmup_share=0.1)
    factors = [rate_factor(step, 100, recipe) for step in range(100)]
    assert factors[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[77] == pytest.approx(0.5 * (1 + math.cos(math.pi * 67 / 90)))
    assert 0 < factors[99] < 0.001
    assert rate_factor(100, 100, recipe) == pytest.approx(0)
    assert all(before > after for before, after in pairwise(factors[10:]))


@pytest.mark.parametrize(("steps", "share"), [(1, 0.05), (3, 0.05), (3, 0.0), (2, 0.9)])
def test_short_trainings_still_learn_at_every_step(steps, share):
    recipe = Recipe(epochs=1, batch_images=2, warmup_share=share)
    factors = [rate_factor(step, steps, recipe) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1


def test_a_constant_rate_stays_after_its_warm_up():
    recipe = Recipe(epochs=1, batch_images=2, warmup_share=0.1, schedule="constant")
    factors = [rate_factor(step, 100, recipe) for step in range(100)]
    assert factors[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert factors[10:] == [1.0] * 90


@pytest.fixture
def parts():
    network = load_network("test_resnet", 10, image_size=32, pretrained=False, seed=0).network
    losses = build({"cross_entropy": 1.0, "align_uniform": 1.0}, Setup(network.head.in_features, 8, 10))
    return network, losses


def group_of(optimizer, parameter):
    return next(group for group in optimizer.param_groups if any(parameter is other for other in group["params"]))


def test_matrices_decay_and_vectors_do_not(parts):
    network, losses = parts
    optimizer = build_optimizer(network, losses, Stage(data="task", init="random", recipe=RECIPE), 1e-3)
    parameters = [*network.named_parameters(), *losses.named_parameters()]
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(parameters)
    for name, parameter in parameters:
        vector = name.endswith("bias") or parameter.ndim == 1
        assert group_of(optimizer, parameter)["weight_decay"] == (0 if vector else 0.07), name


def test_the_head_goes_at_its_own_rate_and_projectors_at_the_bodys(parts):
    network, losses = parts
    stage = Stage(data="task", init="hub", recipe=RECIPE, head_rate=10)
    optimizer = build_optimizer(network, losses, stage, 1e-3)
    set_rate(optimizer, 0.002)
    assert {group_of(optimizer, p)["lr"] for p in network.head.parameters()} == {0.02}
    assert {group_of(optimizer, p)["lr"] for p in network.backbone.parameters()} == {0.002}
    assert {group_of(optimizer, p)["lr"] for p in losses.parameters()} == {0.002}


def test_when_only_the_head_trains_the_body_is_in_no_group(parts):
    network, losses = parts
    optimizer = build_optimizer(network, losses, Stage(data="task", init="hub", recipe=RECIPE, trains="head"), 1e-3)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in (*network.head.parameters(), *losses.parameters())}
    assert not any(parameter.requires_grad for parameter in network.backbone.parameters())


def test_a_body_frozen_before_is_freed_by_a_stage_that_trains_all(parts):
    network, losses = parts
    for trains in ("head", "all"):
        build_optimizer(network, losses, Stage(data="task", init="hub", recipe=RECIPE, trains=trains), 1e-3)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_the_first_step_moves_by_the_rate():
    """AdamW, Loshchilov & Hutter 2019: the first update is rate · (sign of gradient + decay · weight)."""
    network = load_network("test_resnet", 10, image_size=32, pretrained=False, seed=0).network
    optimizer = build_optimizer(network, torch.nn.Module(), Stage(data="task", init="random", recipe=RECIPE), 1e-3)
    set_rate(optimizer, 0.004)
    before = network.head.weight.detach().clone()
    gradient = torch.randn(before.shape, generator=torch.Generator().manual_seed(0))
    network.head.weight.grad = gradient
    optimizer.step()
    expected = before - 0.004 * (gradient.sign() + 0.07 * before)
    torch.testing.assert_close(network.head.weight.detach(), expected, rtol=0, atol=1e-6)


def test_after_loading_optimisers_the_first_of_a_process_imports_nothing_more():
    """What the first imports would be charged to whatever part of a run builds it."""
    code = (
        "import sys, torch; from azeotrope.train.optimizer import load_optimizers; load_optimizers(); "
        "before = set(sys.modules); torch.optim.LBFGS([torch.zeros(1, requires_grad=True)]); "
        "print(len(set(sys.modules) - before))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"
