"""The contract of a loss, as checks that a stranger's loss can be put through too.

Each check is a function of one `Loss` class and raises AssertionError with what was expected; `CHECKS` lists them. They
say nothing of whether the values are right: that is for the tests of each loss. With pytest:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(mylosses.Loss)
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._parameters import checked
from azeotrope.terms import Term

STUDENT_FEATURES, TEACHER_FEATURES, CLASSES, TRAIN_IMAGES = 24, 40, 10, 600
SPREAD = 0.25  # between two random batches of hundreds of images, relative
NEVER = -1e4  # the logit of a class that has no probability, also after division by a temperature

LossClass = Callable[[Setup], nn.Module]


def head(features: Tensor, folds: Tensor | None = None, dead_classes: int = 0) -> Tensor:
    """A teacher's head, [B, 40] to [B, 10 + dead]; a dead class has no probability whatever the embedding."""
    weight = torch.randn(CLASSES, TEACHER_FEATURES, generator=torch.Generator().manual_seed(7))
    none = torch.full((len(features), dead_classes), NEVER)
    return torch.cat([features.float() @ weight.T / 2, none], 1)


SETUP = Setup(
    student_features=STUDENT_FEATURES,
    teacher_features=TEACHER_FEATURES,
    classes=CLASSES,
    train_images=TRAIN_IMAGES,
    teacher_head=head,
)


def random_signals(images: int = 16, seed: int = 0) -> Signals:
    """A batch of random features and logits at the end of a training; student and teacher are unrelated."""
    generator = torch.Generator().manual_seed(seed)

    def normal(width: int) -> Tensor:
        return torch.randn(images, width, generator=generator)

    teacher = normal(TEACHER_FEATURES)
    return Signals(
        features=normal(STUDENT_FEATURES),
        logits=3 * normal(CLASSES),
        labels=torch.randint(CLASSES, (images,), generator=generator),
        teacher_features=teacher,
        teacher_logits=head(teacher),
        places=torch.randperm(TRAIN_IMAGES, generator=generator)[:images],
    )


def says_whether_it_needs_a_teacher(loss: LossClass) -> None:
    """`needs_teacher` is a bool, and a loss that needs none does without."""
    needs = getattr(loss, "needs_teacher", None)
    assert isinstance(needs, bool), f"needs_teacher must be True or False, got {needs!r}"
    if not needs:
        alone = replace(random_signals(), teacher_features=None, teacher_logits=None)
        assert torch.isfinite(_built(loss)(alone)), "the loss must be finite without a teacher"


def its_parameters_can_be_left_out(loss: LossClass) -> None:
    """What the constructor takes after `setup` is annotated and has a default: an arm may give it, and need not."""
    defaults = {each.name: each.default for each in list(inspect.signature(loss).parameters.values())[1:]}
    required = [name for name, default in defaults.items() if default is inspect.Parameter.empty]
    assert not required, f"every parameter needs a default, {', '.join(required)} has none"
    written = {name: value for name, value in defaults.items() if value is not None}
    assert isinstance(loss, type), "a loss is a class"
    checked(loss, Term("it", written))


def says_whether_it_relates_images(loss: LossClass) -> None:
    """`relates_images` is a bool, and a loss that relates none is the mean of its values on two halves of a batch."""
    relates = getattr(loss, "relates_images", None)
    assert isinstance(relates, bool), f"relates_images must be True or False, got {relates!r}"
    module, signals = _built(loss), random_signals(16)
    whole = _value(module, signals)
    mean = (_value(module, _part(signals, slice(0, 8))) + _value(module, _part(signals, slice(8, 16)))) / 2
    same = torch.allclose(whole, mean, rtol=1e-4)
    assert same is not relates, f"{whole.item()} of all images, {mean.item()} the mean of two halves"


def gives_one_finite_number(loss: LossClass) -> None:
    """A float32 scalar."""
    value = _built(loss)(random_signals())
    assert value.shape == () and value.dtype == torch.float32, f"one float32 number expected, got {value}"  # noqa: PT018
    assert torch.isfinite(value), f"a finite number expected, got {value}"


def a_small_step_downhill_lowers_it(loss: LossClass) -> None:
    """The gradient reaches the student, is finite, and points uphill."""
    module, signals = _built(loss), random_signals()
    features, logits = signals.features.requires_grad_(), signals.logits.requires_grad_()
    untouched = copy.deepcopy(module)  # some losses remember what they have seen
    before = _seeded(module, signals)
    gradients = torch.autograd.grad(before, (features, logits), allow_unused=True)
    slopes = [torch.zeros(()) if slope is None else slope for slope in gradients]
    assert all(torch.isfinite(slope).all() for slope in slopes), "the gradient must be finite"
    size = torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()
    assert size > 0, "no gradient reaches the student"
    step = 0.05 / size
    below = replace(signals, features=features - step * slopes[0], logits=logits - step * slopes[1])
    after = _seeded(untouched, below)
    assert after < before, f"a step downhill must lower the loss: {before.item()} -> {after.item()}"


def does_not_grow_with_the_batch(loss: LossClass) -> None:
    """A mean over images: 512 of them give what 128 give, up to chance."""
    small, large = (_value(_built(loss), random_signals(images)).item() for images in (128, 512))
    assert abs(small - large) <= SPREAD * abs(large), f"128 images give {small}, 512 give {large}"


def never_makes_a_tensor_of_the_cube_of_the_batch(loss: LossClass) -> None:
    """Pairs of images are allowed, triplets are not: forward and backward, four times the batch, at most 16 times."""
    small, large = (_largest_tensor(loss, images) for images in (32, 128))
    assert large <= 20 * small, f"the largest tensor has {small:,} bytes for 32 images, {large:,} for 128"


def ignores_classes_without_probability(loss: LossClass) -> None:
    """Not a mean over classes: 990 classes more in which neither believes change nothing. A loss that `relates_classes`
    is held to less: of random logits, 1,000 classes give half to twice what 10 give.
    """
    if getattr(loss, "relates_classes", False):
        _keeps_its_size(loss)
        return
    signals = random_signals()
    assert signals.teacher_logits is not None
    none = torch.full((len(signals.labels), 990), NEVER)
    more = replace(
        signals,
        logits=torch.cat([signals.logits, none], 1),
        teacher_logits=torch.cat([signals.teacher_logits, none], 1),
    )
    setup = replace(SETUP, classes=CLASSES + 990, teacher_head=partial(head, dead_classes=990))
    few, many = _value(_built(loss), signals), _value(_built(loss, setup), more)
    assert torch.allclose(few, many, rtol=1e-4), f"10 classes give {few.item()}, 1,000 give {many.item()}"


def keeps_its_precision_under_autocast(loss: LossClass) -> None:
    """Half-precision signals under autocast give float32, within what half precision loses of the signals."""
    module, signals = _built(loss), random_signals(64)
    exact = _value(module, signals)
    with torch.autocast("cpu", torch.bfloat16):
        value = _value(module, _in_half(signals))
    assert value.dtype == torch.float32, f"float32 expected, got {value.dtype}"
    assert torch.allclose(value, exact, rtol=0.02, atol=0.01), f"{value.item()} in bfloat16, {exact.item()} in float32"


def is_restored_by_its_state(loss: LossClass) -> None:
    """Whatever it learns is in its state: a checkpoint gives the same loss again."""
    module, other = _built(loss, seed=1), _built(loss, seed=2)
    signals = random_signals()
    _seeded(module, signals)  # so that what it remembers must be in its state too
    other.load_state_dict(module.state_dict())
    same = torch.equal(_seeded(module, signals), _seeded(other, signals))
    assert same, "a loss with the same state must give the same value"


def _keeps_its_size(loss: LossClass) -> None:
    values = []
    for classes in (CLASSES, 1000):
        normal = torch.randn(2, 64, classes, generator=torch.Generator().manual_seed(0))
        signals = replace(random_signals(64), logits=normal[0], teacher_logits=normal[1])
        values.append(_value(_built(loss, replace(SETUP, classes=classes)), signals).item())
    few, many = values
    assert few / 2 <= many <= 2 * few, f"10 classes give {few}, 1,000 give {many}"


CHECKS = (
    says_whether_it_needs_a_teacher,
    its_parameters_can_be_left_out,
    says_whether_it_relates_images,
    gives_one_finite_number,
    a_small_step_downhill_lowers_it,
    does_not_grow_with_the_batch,
    never_makes_a_tensor_of_the_cube_of_the_batch,
    ignores_classes_without_probability,
    keeps_its_precision_under_autocast,
    is_restored_by_its_state,
)


def _built(loss: LossClass, setup: Setup = SETUP, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return loss(setup)


def _value(module: nn.Module, signals: Signals) -> Tensor:
    """The value from the module's present state, which is not touched; what it draws is the same each time."""
    return _seeded(copy.deepcopy(module), signals)


def _seeded(module: nn.Module, signals: Signals) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        value: Tensor = module(signals)
    return value


def _largest_tensor(loss: LossClass, images: int) -> int:
    """Bytes of the largest tensor that is made, forward and backward."""
    module, signals = _built(loss), random_signals(images)
    watched = replace(signals, features=signals.features.requires_grad_(), logits=signals.logits.requires_grad_())
    with _Largest() as largest:  # type: ignore[no-untyped-call]
        module(watched).backward()
    return int(largest.bytes_)


def _part(signals: Signals, images: slice) -> Signals:
    """The signals of some of the images."""
    return _mapped(signals, lambda tensor: tensor[images])


def _in_half(signals: Signals) -> Signals:
    """Features and logits in bfloat16."""
    return _mapped(signals, lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)


def _mapped(signals: Signals, change: Callable[[Tensor], Tensor]) -> Signals:
    changed: dict[str, Any] = {
        name: change(value) for name, value in vars(signals).items() if isinstance(value, Tensor)
    }
    return replace(signals, **changed)


class _Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches how many bytes the largest tensor made under it has; an expanded view has those of its source."""

    bytes_ = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(tensor, Tensor):
                self.bytes_ = max(self.bytes_, tensor.untyped_storage().nbytes())
        return made
