import numpy as np
import pytest
import torch
from torch import nn

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.embedder import Frozen
from azeotrope.teacher.teacher import load_teacher

CPU = Device("cpu", "fp32")
POLICY = ViewPolicy()


@pytest.fixture(scope="module")
def teacher(teacher_model):
    return load_teacher(TeacherSpec(model=teacher_model, image_size=32), CPU)


def images(count=6):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 16, 16, 3), dtype=torch.uint8, generator=generator)


IDENTITIES = np.arange(6, dtype=np.uint64)


def test_training_mode_cannot_be_switched_on():
    """Alone, inside a larger module, or from the inside out: BatchNorm and dropout stay as in use."""
    frozen = Frozen(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()))
    whole = nn.Sequential(frozen, nn.Linear(4, 2))
    for module in (frozen, whole):
        module.train()
        assert not any(part.training for part in frozen.modules())
    assert whole[1].training


def test_batch_norm_statistics_do_not_move(teacher, embed):
    before = {key: value.clone() for key, value in teacher.module.state_dict().items()}
    assert any("running_mean" in key for key in before)
    teacher.module.train()
    for view in range(3):
        embed(teacher, images(), POLICY, IDENTITIES, view)
    for key, value in teacher.module.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_nothing_of_the_teacher_learns(teacher, embed):
    assert not any(parameter.requires_grad for parameter in teacher.module.parameters())
    assert not embed(teacher, images(), POLICY, IDENTITIES, 0).requires_grad


def test_an_embedding_does_not_depend_on_its_company(teacher, embed):
    together = embed(teacher, images(), POLICY, IDENTITIES, 1)
    alone = torch.cat([embed(teacher, images()[[n]], POLICY, IDENTITIES[[n]], 1) for n in range(6)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


def test_views_differ_and_the_plain_one_is_the_image_at_the_teachers_size(teacher, embed):
    expected = teacher.module(_by_hand(images()))
    rounding = 0.03 * expected.std().item()  # a view's pixels have 8 bits
    torch.testing.assert_close(embed(teacher, images(), POLICY, IDENTITIES, PLAIN), expected, rtol=0, atol=rounding)
    assert not torch.allclose(
        embed(teacher, images(), POLICY, IDENTITIES, 0), embed(teacher, images(), POLICY, IDENTITIES, 1)
    )


def _by_hand(packed):
    """test_resnet: mean and deviation 0.5, bilinear."""
    larger = nn.functional.interpolate(packed.permute(0, 3, 1, 2) / 255, 32, mode="bilinear", antialias=True)
    return (larger - 0.5) / 0.5


def test_width_and_resolution_are_the_models_own_unless_asked(teacher_model, teacher):
    assert teacher.features == 96
    assert teacher.image_size == 32
    assert load_teacher(TeacherSpec(model=teacher_model), CPU).image_size == 160


def test_a_teacher_without_weights_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.safetensors"):
        load_teacher(TeacherSpec(model=f"timm:test_resnet@{tmp_path}/nothing.safetensors"), CPU)


def test_an_unknown_teacher_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="test_resnet"):
        load_teacher(TeacherSpec(model="test_resnett"), CPU)


def test_weights_of_another_architecture_are_refused(teacher_model):
    file = teacher_model.partition("@")[2]
    with pytest.raises(InputError, match="must be those of this architecture"):
        load_teacher(TeacherSpec(model=f"timm:test_vit@{file}"), CPU)
