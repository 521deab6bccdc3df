"""Arms as they are written, the recipe's rules, and specs that refuse what they do not know."""

from itertools import pairwise

import pytest

from azeotrope.config import Arm, Recipe, TeacherSpec, ViewPolicy
from azeotrope.errors import InputError
from azeotrope.spec import from_yaml, to_yaml

NAMES = [
    "scratch",
    "linear_probe",
    "linear_probe@upstream",
    "finetune",
    "finetune@upstream",
    "distill",
    "distill@hub",
    "distill@upstream",
    "distill:kl",
    "distill:align_uniform",
    "distill@hub:kl=0.5",
    "distill:kl=2+align_uniform=0.25",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_and_written_back(name):
    assert Arm.parse(name).name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("scratch@random", "scratch"),
        ("linear-probe", "linear_probe"),
        ("finetune@hub", "finetune"),
        ("distill@random", "distill"),
        ("distill:kl+align_uniform", "distill"),
        ("distill:align-uniform+kl", "distill"),
        (" distill:kl=1.0 ", "distill:kl"),
    ],
)
def test_what_is_said_twice_is_left_out_of_the_name(text, name):
    assert Arm.parse(text).name == name


def test_equal_arms_have_equal_digests_however_they_are_written():
    assert Arm.parse("distill:align_uniform+kl").digest() == Arm.parse("distill").digest()


def test_other_arms_have_other_digests():
    assert len({Arm.parse(name).digest() for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("distil", "strategy: Input should be 'scratch', 'linear_probe', 'finetune' or 'distill'"),
        ("", "strategy: Input should be"),
        ("finetune@imagenet", "init: Input should be 'random', 'hub' or 'upstream'"),
        ("scratch@hub", "scratch starts from random weights; to train pretrained weights take finetune"),
        ("finetune@random", "finetune needs pretrained weights: init hub or upstream"),
        ("linear_probe@random", "linear_probe needs pretrained weights: init hub or upstream"),
        ("scratch:kl", "scratch trains on labels only; losses go with distill"),
        ("distill:kl=0", "a loss weight must be positive"),
        ("distill:kl=-1", "a loss weight must be positive"),
        ("distill:kl=nan", "a loss weight must be positive"),
        ("distill:kl=inf", "a loss weight must be positive"),
        ("distill:kl=much", "A loss weight must be a number. Found: kl=much."),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(text, reason):
    with pytest.raises(InputError) as refusal:
        Arm.parse(text)
    assert reason in str(refusal.value)


def test_distilling_without_any_loss_is_refused():
    with pytest.raises(ValueError, match="distill needs a loss that compares with the teacher"):
        Arm(strategy="distill", init="random")


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
    assert f"patience multiplies the training's length and is 1 or more, not {patience:g}" in str(refusal.value)


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


def test_a_spec_survives_yaml(tmp_path):
    recipe = Recipe.for_images(500, policy=ViewPolicy(mirror=False))
    (tmp_path / "recipe.yaml").write_text(to_yaml(recipe))
    assert from_yaml(Recipe, tmp_path / "recipe.yaml") == recipe


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [1", "cannot be read as YAML"),
        (b"\xff\xfe\x00", "cannot be read as YAML"),
        (b"- 1", "must hold a mapping. Found: list"),
        (b"model: x\ncolour: red", "colour: Extra inputs are not permitted"),
        (b"!!python/object/apply:os.getcwd []", "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path, content, reason):
    (tmp_path / "teacher.yaml").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        from_yaml(TeacherSpec, tmp_path / "teacher.yaml")
    assert reason in str(refusal.value)
    assert "teacher.yaml" in str(refusal.value)


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


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("distill:kl=1..0+align_uniform=0..0.5", [{"kl": (1.0, 0.0), "align_uniform": (0.0, 0.5)}]),
        ("distill:kl/info_nce=2", [{"kl": 1.0}, {"info_nce": 2.0}]),
        ("distill@hub:kl+rkd=2/info-nce=1..0", [{"kl": 1.0, "rkd": 2.0}, {"info_nce": (1.0, 0.0)}]),
    ],
)
def test_weights_that_change_and_lists_to_choose_from(text, options, tmp_path):
    arm = Arm.parse(text)
    assert list(arm.options) == options
    assert arm.name == text.replace("info-nce", "info_nce")
    assert Arm.parse(arm.name) == arm
    file = tmp_path / "arm.yaml"
    file.write_text(to_yaml(arm))
    assert from_yaml(Arm, file) == arm


def test_a_settled_arm_is_the_arm_with_these_losses():
    searched = Arm.parse("distill@hub:kl/info_nce=2")
    assert searched.settled(searched.options[1]) == Arm.parse("distill@hub:info_nce=2")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("distill:kl/kl", "a choice of losses needs at least two different lists"),
        ("distill:kl/info_nce/kl", "each list of losses may be a candidate once"),
        ("distill:kl=0..0", "a loss weight must be positive and finite, or FIRST..LAST of which one may be 0"),
        ("distill:kl=-1..1", "a loss weight must be positive and finite"),
        ("distill:kl=1..x", "A loss weight must be a number"),
        ("finetune:kl/info_nce", "finetune trains on labels only"),
    ],
)
def test_a_wrong_choice_or_weight_is_refused_with_the_form(text, problem):
    with pytest.raises(InputError, match=problem):
        Arm.parse(text)
