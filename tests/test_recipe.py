"""The recipe's rules."""

from itertools import pairwise

import pytest

from azeotrope.errors import InputError
from azeotrope.recipe import Recipe, ViewPolicy


@pytest.mark.parametrize(
    ("images", "epochs", "batch", "steps"),
    [
        (1000, 61, 32, 1875),  # 60 · 1000 images, 32 at a time: 60.5 passes of 31 steps
        (250, 134, 32, 938),  # half the steps
        (4000, 30, 32, 3750),  # twice the steps
        (60, 153, 16, 459),
        (25_000, 13, 32, 9375),
        (100_000, 13, 64, 18_750),  # the batch grows as the steps do
        (1_000_000, 13, 208, 59_293),
    ],
)
def test_the_recipe_follows_the_number_of_images(images, epochs, batch, steps):
    recipe = Recipe.for_images(images)
    assert (recipe.epochs, recipe.batch_images, recipe.steps(images)) == (epochs, batch, steps)


@pytest.mark.parametrize("images", [2, 3, 15, 16, 17])
def test_a_set_smaller_than_the_batch_is_one_batch(images):
    recipe = Recipe.for_images(images)
    assert recipe.batch_images <= images
    assert recipe.steps(images) == recipe.epochs


@pytest.mark.parametrize("patience", [1.0, 2.5])
def test_more_images_never_mean_fewer_steps_nor_fewer_images_shown(patience):
    sizes = [*range(2, 3000), *(round(3000 * 1.01**step) for step in range(600))]
    recipes = {size: Recipe.for_images(size, patience=patience) for size in sizes}
    for before, after in pairwise(sizes):
        assert recipes[before].steps(before) <= recipes[after].steps(after)
        assert recipes[before].batch_images <= recipes[after].batch_images
    assert all(recipes[size].epochs >= 12 for size in sizes)


def test_patience_multiplies_the_steps_of_the_rule_and_epochs_that_were_named():
    assert Recipe.for_images(1000, patience=4).steps(1000) == 4 * 1875
    assert Recipe.for_images(1000, patience=1.5, epochs=10).epochs == 15
    assert Recipe.for_images(1000, patience=2, max_steps=100).steps(1000) == 200
    assert Recipe.for_images(1000, patience=1) == Recipe.for_images(1000)


@pytest.mark.parametrize("patience", [0.5, 0, -1, float("inf"), float("nan")])
def test_patience_below_one_is_refused(patience):
    with pytest.raises(InputError) as refusal:
        Recipe.for_images(1000, patience=patience)
    assert "Found: patience: Input should be" in str(refusal.value)
    assert refusal.value.allowed == "patience: a number, at least 1"


def test_named_epochs_are_whole():
    recipe = Recipe.for_images(1000, epochs=3)
    assert (recipe.max_steps, recipe.steps(1000)) == (None, 3 * 31)


def test_changes_override_the_rules_and_none_means_the_rule():
    recipe = Recipe.for_images(1000, epochs=5, views=None, weight_decay=0.0)
    assert (recipe.epochs, recipe.views, recipe.weight_decay) == (5, Recipe.for_images(1000).views, 0.0)


def test_a_batch_larger_than_the_set_is_refused():
    """An epoch would have no batch at all."""
    with pytest.raises(InputError) as refusal:
        Recipe.for_images(100, batch_images=128)
    assert str(refusal.value) == (
        "A batch cannot be larger than the training set. Found: 128 images a batch, 100 to train on. "
        "Next: take a smaller batch_images, or more training images."
    )


def test_all_problems_are_told_together():
    with pytest.raises(InputError) as refusal:
        Recipe.for_images(1000, epochs=0, learning_rates=(1e-3, 1e-3), batch=4)
    message = str(refusal.value)
    assert message.startswith("The recipe is not valid. Found: ")
    for part in ("epochs: Input should be greater", "different positive numbers", "batch: Extra inputs", "Allowed: "):
        assert part in message


@pytest.mark.parametrize("rates", [(), (0.0,), (-1e-3,), (float("nan"),), (float("inf"),)])
def test_learning_rates_that_cannot_train_are_refused(rates):
    with pytest.raises(InputError, match="must be a list of different positive numbers"):
        Recipe.for_images(1000, learning_rates=rates)


def test_learning_rates_are_a_set():
    assert Recipe.for_images(1000, learning_rates=(2e-3, 5e-4)) == Recipe.for_images(1000, learning_rates=(5e-4, 2e-3))


@pytest.mark.parametrize(
    "change",
    [
        {"crop_area": (0.0, 1.0)},
        {"crop_area": (0.8, 0.4)},
        {"crop_area": (0.5, 1.5)},
        {"crop_aspect": (0.0, 1.0)},
        {"crop_aspect": (2.0, 1.0)},
    ],
)
def test_a_policy_whose_ranges_are_empty_or_outside_the_image_is_refused(change):
    with pytest.raises(ValueError, match="low, high"):
        ViewPolicy(**change)
