from dataclasses import replace

import pytest
import torch

from azeotrope.errors import InputError
from azeotrope.losses._contract import Setup, build, needs_teacher
from azeotrope.testing.losses import SETUP, random_signals


def test_the_total_is_the_weighted_sum_and_the_values_are_unweighted():
    losses = build({"cross_entropy": 1.0, "kl": 0.5}, SETUP)
    signals = random_signals()
    total, values = losses(signals)
    alone = [build({key: 1.0}, SETUP)(signals)[0] for key in ("cross_entropy", "kl")]
    torch.testing.assert_close(values, torch.stack(alone))
    torch.testing.assert_close(total, alone[0] + 0.5 * alone[1])
    assert losses.names == ["cross_entropy", "kl"]
    assert not values.requires_grad


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 2.0), (0.25, 1.5), (1.0, 0.0)])
def test_a_weight_may_change_linearly_over_the_training(progress, weight):
    signals = replace(random_signals(), progress=progress)
    total, values = build({"cross_entropy": 1.0, "kl": (2.0, 0.0)}, SETUP)(signals)
    torch.testing.assert_close(total, values[0] + weight * values[1])


def test_label_smoothing_reaches_cross_entropy():
    signals = random_signals()
    plain, smoothed = (
        build({"cross_entropy": 1.0}, Setup(24, 0, 10, label_smoothing=smoothing))(signals)[0]
        for smoothing in (0.0, 0.3)
    )
    assert plain != smoothed


@pytest.mark.parametrize(
    ("losses", "needed"), [(["cross_entropy"], False), (["cross_entropy", "kl"], True), (["align_uniform"], True)]
)
def test_which_losses_need_a_teacher(losses, needed):
    assert needs_teacher(losses) is needed


@pytest.mark.parametrize("use", [lambda key: build({key: 1.0}, SETUP), lambda key: needs_teacher(["kl", key])])
def test_an_unknown_loss_is_answered_with_the_nearest(use):
    with pytest.raises(InputError) as refusal:
        use("align_unifrom")
    assert str(refusal.value) == (
        "There is no loss named 'align_unifrom'. Allowed: nearest: align_uniform. "
        "Next: take one of these names, or see `azeotrope list`."
    )
