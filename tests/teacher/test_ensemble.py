"""Two teachers at their own resolutions, against what each says alone."""

import math

import pytest
import timm
import torch
from safetensors.torch import save_file

from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed
from azeotrope.models import cost
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.teacher.embedder import side_by_side
from azeotrope.teacher.ensemble import EnsembleHead, scale_of
from azeotrope.teacher.heads.head import Head

POLICY = Recipe.for_images(100).policy
N = 100
CPU = Device("cpu", "fp32")


@pytest.fixture(scope="module")
def other_model(tmp_path_factory):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        weights = timm.create_model("test_vit2", img_size=48).state_dict()
    weights["fc_norm.weight"] = 30 * weights["fc_norm.weight"]  # another unit than the first's
    file = tmp_path_factory.mktemp("other") / "other.safetensors"
    save_file(weights, file)
    return f"timm:test_vit2@{file}"


@pytest.fixture(scope="module")
def resources(digits, tmp_path_factory):
    resources = Resources(tmp_path_factory.mktemp("cache"), CPU)
    resources.add(digits)
    return resources


def spec_of(model):
    """Random weights are among them, which know less than the pixels."""
    return TeacherSpec(model=model, image_size=32, weak=True)


@pytest.fixture(scope="module")
def taught(resources, digits, teacher_model, other_model):
    """By name: each alone, and both."""
    names = {"one": teacher_model, "other": other_model, "both": f"{teacher_model}+{other_model}"}
    return {
        name: resources.taught(spec_of(model), digits.fingerprint, N, 0, POLICY, 2).targets
        for name, model in names.items()
    }


@pytest.fixture(scope="module")
def rows(resources, digits):
    return resources.rows(digits.fingerprint, N, 0)


def test_probabilities_are_the_mean_of_the_members(taught, rows):
    both = taught["both"]
    probabilities = both.head.logits(both.cache.read(rows.val, PLAIN)).softmax(1)
    alone = [taught[name].head.logits(taught[name].cache.read(rows.val, PLAIN)).softmax(1) for name in ("one", "other")]
    torch.testing.assert_close(probabilities, (alone[0] + alone[1]) / 2, rtol=1e-4, atol=1e-5)


def test_embeddings_stand_side_by_side_and_none_outweighs_the_other(taught, rows):
    taught["both"].cache.ensure(rows.train, [1])
    both = taught["both"].cache.read(rows.train, 1)
    widths = [taught[name].cache.teacher.features for name in ("one", "other")]
    assert both.shape[1] == sum(widths) == taught["both"].cache.teacher.features
    for part, name in zip(both.split(widths, dim=1), ("one", "other"), strict=True):
        alone = taught[name].cache.read(rows.train, 1)
        torch.testing.assert_close(part / part.norm(), alone / alone.norm())
    lengths = [part.norm() for part in taught["both"].cache.read(rows.train, PLAIN).split(widths, dim=1)]
    torch.testing.assert_close(lengths[0], lengths[1])


def test_asking_the_teachers_gives_what_the_caches_hold(taught, rows, digits):
    cache, chosen = taught["both"].cache, rows.train[:4]
    cache.ensure(chosen, [0])
    hosts = cache.asked(chosen, draw(POLICY, digits.identities[chosen], 0))
    asked = [look(CPU.send(host)) for look, host in zip(cache.embedders, hosts, strict=True)]
    torch.testing.assert_close(side_by_side(asked, cache.scales), cache.read(chosen, 0), rtol=1e-2, atol=1e-3)


def test_members_share_their_caches_with_themselves_alone(taught):
    for member, name in zip(taught["both"].cache.members, ("one", "other"), strict=True):
        assert member.store is taught[name].cache.store


def test_each_keeps_its_own_resolution_unless_asked(resources, teacher_model, other_model):
    spec = TeacherSpec(model=f"{teacher_model} + {other_model}")
    ensemble = resources.teacher(spec)
    assert [member.image_size for member in ensemble.members] == [160, 160]
    assert resources.resolved(spec) == spec
    asked = resources.teacher(TeacherSpec(model=spec.model, image_size=64))
    assert [member.image_size for member in asked.members] == [64, 64]


def test_the_ensemble_costs_what_its_members_cost(resources, teacher_model, other_model):
    ensemble = resources.teacher(TeacherSpec(model=f"{teacher_model}+{other_model}", image_size=32))
    alone = sum(cost.macs(member.module, 32) for member in ensemble.members)
    assert cost.macs(ensemble.module, ensemble.image_size) == alone


def test_order_and_members_identify_it(resources, teacher_model, other_model):
    def identity(*models):
        return resources.teacher(TeacherSpec(model="+".join(models), image_size=32)).weights_hash

    assert (
        len({identity(teacher_model, other_model), identity(other_model, teacher_model), identity(teacher_model)}) == 3
    )


def test_a_member_that_knows_nothing_is_named(resources, digits, teacher_model, tmp_path):
    blind = timm.create_model("test_resnet").state_dict()
    save_file({key: value * 0 for key, value in blind.items()}, tmp_path / "blind.safetensors")
    spec = TeacherSpec(model=f"{teacher_model}+timm:test_resnet@{tmp_path}/blind.safetensors", image_size=32)
    with pytest.raises(
        RunFailed, match=r"The teacher timm:test_resnet@.*blind\.safetensors is not shown to know more than chance"
    ):
        resources.taught(spec, digits.fingerprint, N, 0, POLICY, 2)


def test_an_unknown_member_is_answered_with_the_nearest(resources, teacher_model):
    with pytest.raises(InputError, match=r"no timm model named 'test_resnett'"):
        resources.teacher(TeacherSpec(model=f"{teacher_model}+test_resnett"))


def test_the_mean_by_hand():
    """Two classes: softmax gives 1/2 and 3/4 for the first, so the mean is 5/8."""
    flat = Head(torch.zeros(1, 2, 1), torch.zeros(1, 2))
    tilted = Head(torch.zeros(1, 2, 1), torch.tensor([[math.log(3.0), 0.0]]))
    head = EnsembleHead((flat, tilted), (1.0, 1.0))
    torch.testing.assert_close(head.logits(torch.zeros(1, 2)).softmax(1), torch.tensor([[0.625, 0.375]]))


def test_the_scale_is_one_over_the_root_mean_square_length():
    assert scale_of(torch.tensor([[3.0, 4.0], [0.0, 5.0]])) == pytest.approx(0.2)
