"""The contract of a loss, as checks that a stranger's loss can be put through too.

Each check is a function of one `Loss` class and raises AssertionError with what was expected; `CHECKS` lists them. They
say nothing of whether the values are right: that is for the tests of each loss. With pytest:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(mylosses.Loss)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals

STUDENT_FEATURES, TEACHER_FEATURES, CLASSES = 24, 40, 10
SETUP = Setup(student_features=STUDENT_FEATURES, teacher_features=TEACHER_FEATURES, classes=CLASSES)
SPREAD = 0.25  # between two random batches of hundreds of images, relative
NEVER = -1e4  # the logit of a class that has no probability, also after division by a temperature

LossClass = Callable[[Setup], nn.Module]


def random_signals(images: int = 16, seed: int = 0) -> Signals:
    """A batch of random features and logits; student and teacher are unrelated."""
    generator = torch.Generator().manual_seed(seed)

    def normal(width: int) -> Tensor:
        return torch.randn(images, width, generator=generator)

    return Signals(
        features=normal(STUDENT_FEATURES),
        logits=3 * normal(CLASSES),
        labels=torch.randint(CLASSES, (images,), generator=generator),
        teacher_features=normal(TEACHER_FEATURES),
        teacher_logits=3 * normal(CLASSES),
    )


def says_whether_it_needs_a_teacher(loss: LossClass) -> None:
    """`needs_teacher` is a bool, and a loss that needs none does without."""
    needs = getattr(loss, "needs_teacher", None)
    assert isinstance(needs, bool), f"needs_teacher must be True or False, got {needs!r}"
    if not needs:
        alone = replace(random_signals(), teacher_features=None, teacher_logits=None)
        assert torch.isfinite(_built(loss)(alone)), "the loss must be finite without a teacher"


def gives_one_finite_number(loss: LossClass) -> None:
    """A float32 scalar."""
    value = _built(loss)(random_signals())
    assert value.shape == () and value.dtype == torch.float32, f"one float32 number expected, got {value}"  # noqa: PT018
    assert torch.isfinite(value), f"a finite number expected, got {value}"


def a_small_step_downhill_lowers_it(loss: LossClass) -> None:
    """The gradient reaches the student, is finite, and points uphill."""
    module, signals = _built(loss), random_signals()
    features, logits = signals.features.requires_grad_(), signals.logits.requires_grad_()
    before = module(signals)
    gradients = torch.autograd.grad(before, (features, logits), allow_unused=True)
    slopes = [torch.zeros(()) if slope is None else slope for slope in gradients]
    assert all(torch.isfinite(slope).all() for slope in slopes), "the gradient must be finite"
    size = torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()
    assert size > 0, "no gradient reaches the student"
    step = 0.05 / size
    after = module(replace(signals, features=features - step * slopes[0], logits=logits - step * slopes[1]))
    assert after < before, f"a step downhill must lower the loss: {before.item()} -> {after.item()}"


def does_not_grow_with_the_batch(loss: LossClass) -> None:
    """A mean over images: 512 of them give what 128 give, up to chance."""
    small, large = (_built(loss)(random_signals(images)).item() for images in (128, 512))
    assert abs(small - large) <= SPREAD * abs(large), f"128 images give {small}, 512 give {large}"


def ignores_classes_without_probability(loss: LossClass) -> None:
    """Not a mean over classes: 990 classes more in which neither believes change nothing."""
    signals = random_signals()
    assert signals.teacher_logits is not None
    none = torch.full((len(signals.labels), 990), NEVER)
    more = replace(
        signals,
        logits=torch.cat([signals.logits, none], 1),
        teacher_logits=torch.cat([signals.teacher_logits, none], 1),
    )
    few, many = _built(loss)(signals), _built(loss, replace(SETUP, classes=CLASSES + 990))(more)
    assert torch.allclose(few, many, rtol=1e-4), f"10 classes give {few.item()}, 1,000 give {many.item()}"


def keeps_its_precision_under_autocast(loss: LossClass) -> None:
    """Half-precision signals under autocast give float32, within what half precision loses of the signals."""
    module, signals = _built(loss), random_signals(64)
    with torch.autocast("cpu", torch.bfloat16):
        value = module(_in_half(signals))
    exact = module(signals)
    assert value.dtype == torch.float32, f"float32 expected, got {value.dtype}"
    assert torch.allclose(value, exact, rtol=0.02, atol=0.01), f"{value.item()} in bfloat16, {exact.item()} in float32"


def is_restored_by_its_state(loss: LossClass) -> None:
    """Whatever it learns is in its state: a checkpoint gives the same loss again."""
    module, other = _built(loss, seed=1), _built(loss, seed=2)
    other.load_state_dict(module.state_dict())
    signals = random_signals()
    torch.manual_seed(0)
    value = module(signals)
    torch.manual_seed(0)
    assert torch.equal(value, other(signals)), "a loss with the same state must give the same value"


CHECKS = (
    says_whether_it_needs_a_teacher,
    gives_one_finite_number,
    a_small_step_downhill_lowers_it,
    does_not_grow_with_the_batch,
    ignores_classes_without_probability,
    keeps_its_precision_under_autocast,
    is_restored_by_its_state,
)


def _built(loss: LossClass, setup: Setup = SETUP, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return loss(setup)


def _in_half(signals: Signals) -> Signals:
    assert signals.teacher_features is not None
    assert signals.teacher_logits is not None
    return Signals(
        signals.features.bfloat16(),
        signals.logits.bfloat16(),
        signals.labels,
        signals.teacher_features.bfloat16(),
        signals.teacher_logits.bfloat16(),
    )
