"""Class weights and logit adjustment: Cui et al. 2019 and Menon et al. 2021 in closed form, and what is refused."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from azeotrope.errors import InputError
from azeotrope.kinds._balance import BETA, UNBALANCED, Shown, balance_of, effective_number, require_balance
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.recipe import Recipe

LABELS = np.repeat([0, 1, 2], [500, 40, 10])
SHOWN = [Shown(LABELS, 32)]
NAMES = ("cat", "dog", "owl")
EVENED = {"class_weights": "auto"}, {"sampling": "balanced"}, {"logit_adjustment": 1.0}


def recipe(**changes):
    return Recipe.for_images(100, **changes)


def test_the_effective_number_is_the_sum_of_a_geometric_series():
    for count in (1, 2, 17, 3000):
        assert effective_number(np.array([count]))[0] == pytest.approx(sum(BETA**power for power in range(count)))


def test_automatic_weights_go_as_one_over_the_effective_number_and_their_mean_over_images_is_1():
    weights = balance_of(recipe(class_weights="auto"), SINGLE, NAMES, SHOWN).weights.numpy()
    np.testing.assert_allclose(np.ptp(weights * effective_number(np.array([500, 40, 10]))), 0, atol=1e-3)
    assert weights[LABELS].mean() == pytest.approx(1)
    assert weights[2] > weights[1] > weights[0]


@pytest.mark.parametrize("unit", [1.0, 1e-307, 4e307])
def test_given_weights_keep_their_ratios_and_their_mean_over_what_is_shown_is_1(unit):
    given = {"cat": unit, "dog": 4 * unit, "owl": 2 * unit}
    weights = balance_of(recipe(class_weights=given), SINGLE, NAMES, SHOWN).weights.numpy()
    assert weights[LABELS].mean() == pytest.approx(1)
    np.testing.assert_allclose(weights / weights[0], [1, 4, 2], rtol=1e-6)
    evenly = balance_of(recipe(class_weights=given), SINGLE, NAMES, [Shown(LABELS, 32, evenly=True)]).weights.numpy()
    np.testing.assert_allclose(evenly, [3 / 7, 12 / 7, 6 / 7], rtol=1e-6)


def test_logit_adjustment_is_tau_times_the_log_of_the_shares():
    found = balance_of(recipe(logit_adjustment=0.5), SINGLE, NAMES, SHOWN)
    np.testing.assert_allclose(found.offsets.numpy(), 0.5 * np.log(np.array([500, 40, 10]) / 550), rtol=1e-6)
    assert found.weights is None


def test_labelled_pictures_beside_the_images_count_as_often_as_they_are_shown():
    """32 images of 500, 40 and 10, and in the same step 16 made pictures, half of them owls, which 20 a class are."""
    made = Shown(np.repeat([1, 2], [20, 20]), 16)
    step = 32 * np.array([500, 40, 10]) / 550 + [0, 8, 8]
    found = balance_of(recipe(logit_adjustment=1.0), SINGLE, NAMES, [*SHOWN, made]).offsets.numpy()
    np.testing.assert_allclose(found, np.log(step / 48), rtol=1e-5)
    weights = balance_of(recipe(class_weights="auto"), SINGLE, NAMES, [*SHOWN, made]).weights.numpy()
    assert (weights * step).sum() / 48 == pytest.approx(1, rel=1e-6)
    worth = effective_number(np.array([500, 60, 30]))
    np.testing.assert_allclose(weights / weights[0], worth[0] / worth, rtol=1e-5)


def test_a_class_without_an_image_leaves_everything_finite():
    for changes in ({"class_weights": "auto"}, {"logit_adjustment": 1.0}):
        found = balance_of(recipe(**changes), SINGLE, (*NAMES, "yak"), SHOWN)
        (tensor,) = [each for each in (found.weights, found.offsets) if each is not None]
        assert torch.isfinite(tensor).all()
        if found.weights is not None:
            assert found.weights.numpy()[LABELS].mean() == pytest.approx(1)


def test_without_an_option_nothing_is_weighted_or_added():
    assert balance_of(recipe(), SINGLE, NAMES, SHOWN) == UNBALANCED


def test_several_labels_are_weighted_class_by_class():
    kind = kind_named("multi")
    torch.manual_seed(0)
    shown = np.random.default_rng(0).random((200, 3)) < [0.5, 0.2, 0.02]
    weights = balance_of(recipe(class_weights="auto"), kind, NAMES, [Shown(shown, 32)]).weights
    assert weights.mean().item() == pytest.approx(1)
    ratio = effective_number(shown.sum(axis=0)[[0]]) / effective_number(shown.sum(axis=0)[[2]])
    assert (weights[2] / weights[0]).item() == pytest.approx(ratio[0], rel=1e-5)
    outputs, targets = torch.randn(200, 3), torch.from_numpy(shown).float()
    expected = functional.binary_cross_entropy_with_logits(outputs, targets, weight=weights, reduction="sum") / 200
    torch.testing.assert_close(kind.loss(outputs, targets, weights=weights), expected)


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("multi", {"sampling": "balanced"}, "multi take no --sampling balanced. Found: images of several classes"),
        ("multi", {"logit_adjustment": 1.0}, "multi take no --logit-adjustment.*Allowed: --class-weights"),
        ("number", {"class_weights": "auto"}, "number take no --class-weights. Found: labels that are numbers"),
        ("number", {"sampling": "balanced"}, "number take no --sampling balanced"),
        ("number", {"logit_adjustment": 1.0}, "number take no --logit-adjustment"),
    ],
)
def test_what_has_no_meaning_for_a_kind_is_refused(kind, changes, said):
    with pytest.raises(InputError, match=said):
        require_balance(kind_named(kind), recipe(**changes))
    require_balance(kind_named(kind), recipe())


@pytest.mark.parametrize("changes", EVENED)
def test_runs_without_an_option_keep_their_ids(changes):
    plain = recipe()
    assert not changes.keys() & plain.model_dump(mode="json").keys()
    assert plain.digest() != recipe(**changes).digest()
    (option,) = changes
    assert recipe(**{option: Recipe.model_fields[option].default}).digest() == plain.digest()


def test_classes_are_evened_out_once_but_costs_go_with_anything():
    for one in EVENED:
        for other in EVENED:
            if one is not other:
                with pytest.raises(InputError, match="each even out unequal classes, and together twice: give one"):
                    recipe(**one, **other)
        if one != {"class_weights": "auto"}:
            assert recipe(class_weights={"a": 2.0}, **one).class_weights == {"a": 2.0}
