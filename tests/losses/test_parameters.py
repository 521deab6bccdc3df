"""Parameters that an arm gives a loss, held against the loss's own constructor."""

import pytest

from azeotrope.errors import InputError
from azeotrope.losses._contract import build, check_parameters
from azeotrope.testing.losses import SETUP, random_signals


def built(key):
    (loss,) = build({key: 1.0}, SETUP).losses.values()
    return loss


def test_parameters_reach_the_loss():
    assert built("kl(T=1)").T == 1
    loss = built("align_uniform(alpha=3,t=1.5,width=16,align_weight=0)")
    assert (loss.alpha, loss.t, loss.align_weight, loss.uniform_weight) == (3, 1.5, 0, 1)
    assert loss.student_projector[2].out_features == 16


def test_hidden_layers_are_as_wide_as_asked():
    """Farhat & Chen's code: F to F to 128, for each of the two networks its own F."""
    usual, wide, features = (built(f"align_uniform{given}") for given in ("", "(hidden=1280)", "(hidden=features)"))
    assert [usual.student_projector[0].out_features, wide.teacher_projector[0].out_features] == [128, 1280]
    for projector, width in (
        (features.student_projector, SETUP.student_features),
        (features.teacher_projector, SETUP.teacher_features),
    ):
        assert [(layer.in_features, layer.out_features) for layer in projector[::2]] == [(width, width), (width, 128)]


def test_another_parameter_is_another_value_under_its_whole_name():
    signals = random_signals()
    soft, sharp = build({"kl": 1.0}, SETUP), build({"kl(T=1)": 1.0}, SETUP)
    assert soft(signals)[0] != sharp(signals)[0]
    assert sharp.names == ["kl(T=1)"]


def test_an_arms_own_label_smoothing_is_taken_before_the_recipes():
    assert built("cross_entropy(label_smoothing=0.3)").label_smoothing == 0.3
    assert built("cross_entropy").label_smoothing == SETUP.label_smoothing


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "kl(T=0)",
            "The loss kl(T=0) is not valid. Found: T: Input should be greater than 0. "
            "Allowed: T: a number, above 0 (4.0 where none is given).",
        ),
        ("kl(T=-1)", "T: Input should be greater than 0"),
        ("kl(T=inf)", "T: Input should be a finite number"),
        ("kl(T=warm)", "T: Input should be a valid number"),
        ("kl(t=1)", "t: Extra inputs are not permitted (nearest: T)"),
        ("align_uniform(hiden=8)", "hiden: Extra inputs are not permitted (nearest: hidden)"),
        ("align_uniform(width=1.5)", "width: Input should be a valid integer"),
        ("align_uniform(hidden=0)", "hidden"),
        (
            "align_uniform(hidden=1.5)",
            "Found: hidden: Input should be a whole number, at least 1, or features. Allowed: width: ",
        ),
        ("kl(temp=1)", "Allowed: T: a number, above 0 (4.0 where none is given)."),
        ("crd(momentum=1)", "momentum: Input should be less than 1"),
        ("cross_entropy(label_smoothing=1)", "label_smoothing: Input should be less than 1"),
        ("similarity(T=1)", "The loss similarity takes no parameters. Found: similarity(T=1). Next: write similarity."),
    ],
)
def test_a_parameter_that_the_loss_does_not_take_is_refused(key, message):
    with pytest.raises(InputError) as refusal:
        check_parameters([key])
    assert message in str(refusal.value)
