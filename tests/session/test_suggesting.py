"""A student by what it costs to train or what a device holds, a teacher by which weights can be had."""

import numpy as np
import pytest

from azeotrope.data.sources._source import Item, Source
from azeotrope.errors import InputError
from azeotrope.session import suggesting
from azeotrope.session.device_budget import DeviceBudget
from azeotrope.session.suggesting import Facts, student, teacher

SLOW, FAST = 3e10, 1e13  # multiply-accumulates a second: two cores, a card
GONE = "the hub cannot be reached (no answer)"


@pytest.fixture
def none_installed(monkeypatch):
    monkeypatch.setattr(suggesting, "installed_for", lambda _: None)


def test_small_pictures_on_few_cores_get_a_small_student_and_a_card_a_larger_one():
    digits = student(Facts(1150, 8, SLOW, "2 cores"), None)
    assert digits.model == "test_resnet"
    assert "1,150 images of 8 pixels" in digits.reason
    assert "--student" in digits.change
    assert student(Facts(1150, 8, FAST, "cuda"), None).model == "resnet18"
    assert student(Facts(100_000, 500, SLOW, "2 cores"), None).model == "test_resnet"  # never none


def test_training_seconds_are_those_of_the_recipe():
    """Of 1,000 images 60,000 are shown, three times the cost of a look each."""
    facts = Facts(1000, 224, SLOW, "2 cores")
    one = suggesting.rung("resnet18")
    assert facts.training_seconds(one) == pytest.approx(60_000 * 3 * one.macs / SLOW, rel=0.01)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("5MB", "mobilevit_xxs", "within 5MB"),
        ("50M MACs", "lcnet_050", "within 50M MACs"),
        ("5 MB, 30M", "mobilenetv3_small_050", "within 5MB,30M MACs"),
    ],
)
def test_a_device_gets_the_largest_student_that_it_takes(text, name, said):
    chosen = student(Facts(10, 500, SLOW, "2 cores"), DeviceBudget.parse(text))
    assert chosen.model == name
    assert said in chosen.reason


@pytest.mark.parametrize("text", ["5", "5X", "MB", "5MB,6MB", "", "-1MB", "0MB"])
def test_a_device_budget_that_says_nothing_is_refused_with_the_form(text):
    with pytest.raises(InputError, match=r"5MB, 300M MACs or 5MB,300M"):
        DeviceBudget.parse(text)


def test_a_device_that_takes_no_student_is_told_the_smallest():
    with pytest.raises(
        InputError, match=r"No student .* fits the device. Found: --device-budget 0.1MB; the smallest, "
    ):
        student(Facts(10, 500, SLOW, "2 cores"), DeviceBudget.parse("0.1MB"))


def test_the_strongest_teacher_of_a_hub_that_answers():
    chosen = teacher(Facts(1000, 224, FAST, "cuda"), lambda _: None)
    assert chosen.model == "vit_base_patch14_dinov2"
    assert "the hub has its weights" in chosen.reason


def test_a_teacher_whose_pass_takes_long_is_passed_over():
    chosen = teacher(Facts(10_000, 224, FAST, "cuda"), lambda _: None)
    assert chosen.model == "convnext_tiny"
    assert "vit_base_patch14_dinov2 would take" in chosen.reason


def test_where_every_pass_is_long_the_quickest_teacher_is_taken_and_its_time_said():
    chosen = teacher(Facts(1_000_000, 500, FAST, "cuda"), lambda _: None)
    assert chosen.model == "tf_efficientnet_lite0"
    assert "it is the quickest of them, and takes about" in chosen.reason
    assert "min on cuda" in chosen.reason


@pytest.mark.parametrize(("side", "size"), [(8, 128), (28, 128), (48, 192), (64, 224), (500, 224)])
def test_small_pictures_are_not_enlarged_to_the_teachers_own_size(side, size):
    """Four times the side, 128 pixels at least, 224 (its own) at most, a multiple of its stride of 32."""
    chosen = teacher(Facts(100, side, SLOW, "2 cores"), lambda name: None if name == "resnet50" else "gone")
    assert chosen.model == "resnet50"
    assert (chosen.image_size or 224) == size


def test_the_digits_get_a_teacher_on_two_cores_without_a_hub():
    """lite2 at 128 pixels: 0.2 GMACs for each of 16 views of 1,150 images."""
    chosen = teacher(Facts(1150, 8, SLOW, "2 cores"), lambda _: GONE)
    assert (chosen.model, chosen.image_size) == ("tf_efficientnet_lite2", 128)
    assert chosen.said("Teacher").startswith("Teacher: tf_efficientnet_lite2 at 128 pixels, because ")


def test_installed_weights_where_the_hub_is_silent_and_it_is_asked_once(monkeypatch):
    monkeypatch.setattr(suggesting, "installed_for", lambda name: name == "tf_efficientnet_lite0" and PACKAGE)
    asked = []
    chosen = teacher(Facts(300, 224, FAST, "cuda"), lambda name: asked.append(name) or GONE)
    assert chosen.model == "tf_efficientnet_lite0"
    assert "its weights are installed (lite)" in chosen.reason
    assert len(asked) == 1


def test_no_teacher_where_no_weights_can_be_had(none_installed):
    chosen = teacher(Facts(300, 224, FAST, "cuda"), lambda _: GONE)
    assert chosen.model is None
    assert chosen.said("Teacher").startswith(f"Teacher: none, because {GONE}. ")
    assert "pip install 'azeotrope[demo]'" in chosen.change


def test_a_teacher_that_the_hub_refuses_is_told_with_its_reason_and_the_next_is_asked(none_installed):
    refused = "the hub refuses them (GatedRepoError: 401 Client Error)"
    chosen = teacher(Facts(300, 224, FAST, "cuda"), lambda name: refused if name.startswith("vit") else None)
    assert chosen.model == "convnext_tiny"
    assert chosen.reason == f"vit_base_patch14_dinov2 cannot be had: {refused}; the hub has its weights"


def test_the_side_is_the_median_of_a_few_pictures_and_unreadable_ones_do_not_count():
    sizes = [8, 64, 64, 64, 500]

    def read(place):
        return b"no picture" if place == 0 else np.zeros((sizes[place], 5), np.uint8)

    source = Source("set", ("a",), [Item(str(place), 0, "") for place in range(5)], read)
    assert Facts.of(source, 10, "cpu").side == 64
    assert Facts.of(source, 10, "cuda:1").rate == suggesting.RATES["card"]


class PACKAGE:
    name = "lite"
