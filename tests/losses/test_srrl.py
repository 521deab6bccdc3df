"""Truth: Yang et al. 2021, the two squared errors, in NumPy float64, over the teacher's variance."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.errors import RunFailed
from azeotrope.losses.srrl import Loss
from azeotrope.testing.losses import SETUP, head, random_signals


def share_unexplained(x, y):
    return ((x - y) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()


@pytest.mark.parametrize("seed", range(3))
def test_value_is_the_formula(seed, projected):
    torch.manual_seed(seed)
    loss, batch = Loss(SETUP), random_signals(12, seed)
    weight = np.stack([head(row[None])[0].double().numpy() for row in torch.eye(40)], axis=1)
    features = projected(loss.projector, batch.features)
    expected = share_unexplained(features, batch.teacher_features.double().numpy())
    expected += share_unexplained(features @ weight.T, batch.teacher_logits.double().numpy())
    assert loss(batch).item() == pytest.approx(expected, rel=1e-4)


def test_the_batch_mean_scores_one_a_term_and_the_teacher_itself_zero():
    loss, batch = Loss(SETUP), random_signals(12)
    loss.projector = torch.nn.Identity()
    mean = batch.teacher_features.mean(0).expand(12, -1)
    assert loss(replace(batch, features=mean)).item() == pytest.approx(2, rel=1e-5)
    assert loss(replace(batch, features=batch.teacher_features)).item() == pytest.approx(0, abs=1e-6)


def test_the_teachers_scale_does_not_matter():
    batch = random_signals(12)
    loss = Loss(SETUP)
    loss.projector = torch.nn.Identity()
    features = torch.randn(12, 40)
    large = replace(
        batch,
        features=10 * features,
        teacher_features=10 * batch.teacher_features,
        teacher_logits=10 * batch.teacher_logits,
    )
    torch.testing.assert_close(loss(large), loss(replace(batch, features=features)))


def test_the_head_is_not_trained():
    assert {name.split(".")[0] for name, _ in Loss(SETUP).named_parameters()} == {"projector"}


def test_one_image_has_no_variance():
    with pytest.raises(ValueError, match="a variance needs images: a batch must hold at least 2 images, got 1"):
        Loss(SETUP)(random_signals(1))


def test_a_teacher_without_a_head_is_refused():
    with pytest.raises(RunFailed) as refusal:
        Loss(replace(SETUP, teacher_head=None))
    assert str(refusal.value) == (
        "srrl needs the teacher's head. Found: a teacher whose logits are no function of its embeddings. "
        "Next: take another loss, such as align_uniform."
    )
