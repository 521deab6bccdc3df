"""What each arm trains, as data."""

import pytest

from azeotrope.arm import Arm
from azeotrope.lookup import member, members
from azeotrope.recipe import Recipe

RECIPE, UPSTREAM = Recipe(epochs=2, batch_images=4), Recipe(epochs=7, batch_images=8)
TAUGHT = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0}
LABELS = {"cross_entropy": 1.0}


def stages(arm):
    arm = Arm.parse(arm)
    return member("strategies", arm.strategy, "strategy").stages(arm, RECIPE, UPSTREAM)


@pytest.mark.parametrize(
    ("arm", "init", "trains", "losses", "head_rate"),
    [
        ("scratch", "random", "all", LABELS, 1),
        ("linear_probe", "hub", "head", LABELS, 10),
        ("finetune", "hub", "all", LABELS, 10),
        ("distill", "random", "all", TAUGHT, 1),
        ("distill@hub", "hub", "all", TAUGHT, 10),
        ("distill:kl=0.5", "random", "all", {"cross_entropy": 1.0, "kl": 0.5}, 1),
    ],
)
def test_one_stage_on_the_task(arm, init, trains, losses, head_rate):
    (stage,) = stages(arm)
    assert (stage.data, stage.init, stage.trains) == ("task", init, trains)
    assert stage.losses == losses
    assert stage.head_rate == head_rate
    assert stage.recipe == RECIPE
    assert stage.needs_teacher == (losses != LABELS)


@pytest.mark.parametrize(
    ("arm", "trains", "losses"),
    [
        ("linear_probe@upstream", "head", LABELS),
        ("finetune@upstream", "all", LABELS),
        ("distill@upstream", "all", TAUGHT),
    ],
)
def test_upstream_puts_a_scratch_training_on_the_other_source_before(arm, trains, losses):
    before, last = stages(arm)
    assert (before.data, before.init, before.trains) == ("upstream", "random", "all")
    assert before.losses == LABELS
    assert before.recipe == UPSTREAM
    assert (last.data, last.init, last.trains) == ("task", "previous", trains)
    assert last.losses == losses
    assert last.head_rate == 10
    assert last.recipe == RECIPE


def test_the_weight_of_cross_entropy_may_be_given():
    (stage,) = stages("distill:cross_entropy=0.5+kl=2")
    assert stage.losses == {"cross_entropy": 0.5, "kl": 2.0}


@pytest.mark.parametrize(
    ("arm", "losses"),
    [
        ("distill:kl+cross_entropy=0", {"kl": 1.0}),
        (
            "distill:kl(T=1)+cross_entropy(label_smoothing=0)=0.5",
            {"cross_entropy(label_smoothing=0)": 0.5, "kl(T=1)": 1.0},
        ),
        ("scratch:cross_entropy(label_smoothing=0)", {"cross_entropy(label_smoothing=0)": 1.0}),
        ("linear_probe:cross_entropy=2", {"cross_entropy": 2.0}),
    ],
)
def test_what_an_arm_says_of_cross_entropy_is_all_there_is_of_it(arm, losses):
    (stage,) = stages(arm)
    assert stage.losses == losses


def test_every_strategy_of_the_design_is_there():
    assert members("strategies") == ["distill", "finetune", "linear_probe", "scratch"]
