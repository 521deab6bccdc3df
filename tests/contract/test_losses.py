"""Every file in losses/ keeps the contract; a new one is tested by being there."""

import pytest
import torch
from torch import nn

from azeotrope.lookup import member, members
from azeotrope.losses.cross_entropy import Loss as CrossEntropy
from azeotrope.testing import losses


@pytest.mark.parametrize("check", losses.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", members("losses"))
def test_every_loss_keeps_the_contract(key, check):
    check(member("losses", key, "loss").Loss)


class Base(nn.Module):
    needs_teacher = False
    relates_images = False

    def __init__(self, setup):
        super().__init__()
        self.usual = CrossEntropy(setup)

    def forward(self, signals):
        return self.usual(signals)


class Undeclared(Base):
    needs_teacher = None


class FalselyAlone(Base):
    def forward(self, signals):
        return self.usual(signals) + signals.features.std()


class FalselyRelated(Base):
    relates_images = True


class Cubic(Base):
    def forward(self, signals):
        count = len(signals.labels)
        return self.usual(signals) + 0 * signals.features[:, 0].expand(count, count, -1).square().sum()


class PerImage(Base):
    def forward(self, signals):
        return self.usual(signals) * torch.ones(len(signals.labels))


class NotDifferentiable(Base):
    def forward(self, signals):
        return self.usual(signals).detach() + 0 * signals.features.sum()


class SummedOverImages(Base):
    def forward(self, signals):
        return self.usual(signals) * len(signals.labels)


class MeanOverClasses(Base):
    def forward(self, signals):
        return self.usual(signals) / signals.logits.shape[1]


class Half(Base):
    def forward(self, signals):
        return self.usual(signals).to(signals.logits.dtype)


class Forgetful(Base):
    def __init__(self, setup):
        super().__init__(setup)
        self.scale = torch.rand(()) + 0.5  # neither parameter nor buffer

    def forward(self, signals):
        return self.usual(signals) * self.scale


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Undeclared, losses.says_whether_it_needs_a_teacher),
        (FalselyAlone, losses.says_whether_it_relates_images),
        (FalselyRelated, losses.says_whether_it_relates_images),
        (Cubic, losses.never_makes_a_tensor_of_the_cube_of_the_batch),
        (PerImage, losses.gives_one_finite_number),
        (NotDifferentiable, losses.a_small_step_downhill_lowers_it),
        (SummedOverImages, losses.does_not_grow_with_the_batch),
        (MeanOverClasses, losses.ignores_classes_without_probability),
        (Half, losses.keeps_its_precision_under_autocast),
        (Forgetful, losses.is_restored_by_its_state),
    ],
    ids=lambda value: value.__name__,
)
def test_the_contract_notices_a_loss_that_breaks_it(broken, check):
    with pytest.raises(AssertionError):
        check(broken)
