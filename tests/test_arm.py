"""Arms as they are written."""

import pytest

from azeotrope.arm import Arm
from azeotrope.errors import InputError
from azeotrope.spec import from_yaml, to_yaml

NAMES = [
    "scratch",
    "linear_probe",
    "linear_probe@upstream",
    "finetune",
    "finetune@upstream",
    "distill",
    "distill@hub",
    "distill@upstream",
    "distill:kl",
    "distill:align_uniform",
    "distill@hub:kl=0.5",
    "distill:kl=2+align_uniform=0.25",
    "distill:kl(T=1)",
    "distill@hub:kl(T=1)+align_uniform(alpha=2,hidden=1280)=0.5",
    "distill:kl(T=1)/kl(T=4)",
    "distill:kl+cross_entropy=0",
    "distill:kl+cross_entropy(label_smoothing=0)",
    "scratch:cross_entropy(label_smoothing=0)",
    "finetune@upstream:cross_entropy=2",
    "scratch+synth=1x",
    "finetune+synth@upstream",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_and_written_back(name):
    assert Arm.parse(name).name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("scratch@random", "scratch"),
        ("linear-probe", "linear_probe"),
        ("finetune@hub", "finetune"),
        ("distill@random", "distill"),
        ("distill:kl+align_uniform", "distill"),
        ("distill:align-uniform+kl", "distill"),
        ("distill:align_uniform(hidden=1280, alpha=2.0)", "distill:align_uniform(alpha=2,hidden=1280)"),
        (" distill:kl=1.0 ", "distill:kl"),
    ],
)
def test_what_is_said_twice_is_left_out_of_the_name(text, name):
    assert Arm.parse(text).name == name


def test_equal_arms_have_equal_digests_however_they_are_written():
    assert Arm.parse("distill:align_uniform+kl").digest() == Arm.parse("distill").digest()


def test_other_arms_have_other_digests():
    assert len({Arm.parse(name).digest() for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("distil", "strategy: Input should be 'scratch', 'linear_probe', 'finetune' or 'distill'"),
        ("", "strategy: Input should be"),
        ("finetune@imagenet", "init: Input should be 'random', 'hub' or 'upstream'"),
        ("scratch@hub", "scratch starts from random weights; to train pretrained weights take finetune"),
        ("finetune@random", "finetune needs pretrained weights: init hub or upstream"),
        ("linear_probe@random", "linear_probe needs pretrained weights: init hub or upstream"),
        ("scratch:kl", "scratch trains on labels only; losses go with distill"),
        ("scratch:cross_entropy=0", "scratch has no other loss than cross-entropy, whose weight must not be 0"),
        ("distill:kl(T=1", "This is not how losses are written"),
        ("distill:kl=0", "a loss weight must be positive"),
        ("distill:kl=-1", "a loss weight must be positive"),
        ("distill:kl=nan", "a loss weight must be positive"),
        ("distill:kl=inf", "a loss weight must be positive"),
        ("distill:kl=much", "A loss weight must be a number. Found: kl=much."),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(text, reason):
    with pytest.raises(InputError) as refusal:
        Arm.parse(text)
    assert reason in str(refusal.value)


def test_distilling_without_any_loss_is_refused():
    with pytest.raises(ValueError, match="distill needs a loss that compares with the teacher"):
        Arm(strategy="distill", init="random")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("distill:kl=1..0+align_uniform=0..0.5", [{"kl": (1.0, 0.0), "align_uniform": (0.0, 0.5)}]),
        ("distill:kl/info_nce=2", [{"kl": 1.0}, {"info_nce": 2.0}]),
        ("distill@hub:kl+rkd=2/info-nce=1..0", [{"kl": 1.0, "rkd": 2.0}, {"info_nce": (1.0, 0.0)}]),
    ],
)
def test_weights_that_change_and_lists_to_choose_from(text, options, tmp_path):
    arm = Arm.parse(text)
    assert list(arm.options) == options
    assert arm.name == text.replace("info-nce", "info_nce")
    assert Arm.parse(arm.name) == arm
    file = tmp_path / "arm.yaml"
    file.write_text(to_yaml(arm))
    assert from_yaml(Arm, file) == arm


def test_a_settled_arm_is_the_arm_with_these_losses():
    searched = Arm.parse("distill@hub:kl/info_nce=2")
    assert searched.settled(searched.options[1]) == Arm.parse("distill@hub:info_nce=2")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("distill:kl/kl", "a choice of losses needs at least two different lists"),
        ("distill:kl/info_nce/kl", "each list of losses may be a candidate once"),
        ("distill:kl=0..0", "a loss weight must be positive and finite, or FIRST..LAST of which one may be 0"),
        ("distill:kl=-1..1", "a loss weight must be positive and finite"),
        ("distill:kl=1..x", "A loss weight must be a number"),
        ("finetune:kl/info_nce", "finetune trains on labels only"),
    ],
)
def test_a_wrong_choice_or_weight_is_refused_with_the_form(text, problem):
    with pytest.raises(InputError, match=problem):
        Arm.parse(text)


def test_parameters_are_canonical_however_an_arm_was_made():
    made = Arm(strategy="distill", init="random", losses={"align_uniform(hidden=8,alpha=2.0)": 1.0})
    assert made == Arm.parse("distill:align_uniform(alpha=2,hidden=8)")
    with pytest.raises(ValueError, match="This is not how losses are written: kl"):
        Arm(strategy="distill", init="random", losses={"kl(": 1.0})


def test_a_loss_among_candidates_may_come_with_other_parameters():
    assert list(Arm.parse("distill:kl(T=1)/kl(T=4)").options) == [{"kl(T=1)": 1.0}, {"kl(T=4)": 1.0}]
