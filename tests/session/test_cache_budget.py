"""What a person is told of the teacher cache's room, of `--views`, and of unreadable images."""

import pytest

from azeotrope.cli._options.groups import Recipe
from azeotrope.errors import InputError
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.opening import open_plan
from azeotrope.session.options import parted
from azeotrope.session.progress import Silent
from azeotrope.teacher.budget import cache_bytes


class Heard(Silent):
    def __init__(self):
        self.said, self.notes = [], []

    def say(self, text):
        self.said.append(text)

    def note(self, text):
        self.notes.append(text)


def opened(teacher_model, tmp_path, heard=None, **changes):
    recipe = {"epochs": 8, "batch_images": 16, **changes.pop("recipe", {})}
    fields = {"data": "digits", "student": "test_resnet", "teacher": teacher_model, "train_images": [80], "seeds": (0,)}
    asked, machine = parted({"image_size": 32, "recipe": recipe, "cache": tmp_path, **changes})
    plan = comparison_plan(**{**fields, "arms": ["distill:kl"], **asked})
    return open_plan(plan, heard or Silent(), machine)


TEST_IMAGES, VAL_IMAGES, FEATURES = 359, 20, 96  # of digits at 80 training images; of test_resnet


def room(views):
    """Gigabytes that hold just so many views."""
    return cache_bytes(FEATURES, 80, TEST_IMAGES + VAL_IMAGES, views) / 1e9 * 1.0001


def test_a_small_budget_takes_fewer_views_and_says_so(teacher_model, tmp_path):
    heard = Heard()
    plan = opened(teacher_model, tmp_path, heard, cache_gb=room(3)).comparison
    assert plan.recipes[80].views == 3
    assert [text.partition(" hold ")[2] for text in heard.said] == ["3 of the 8 views (0.00022 GB): --views 3"]


def test_views_that_were_asked_for_are_not_reduced_behind_ones_back(teacher_model, tmp_path):
    with pytest.raises(InputError) as refusal:
        opened(teacher_model, tmp_path, cache_gb=room(3), recipe={"views": 6})
    assert str(refusal.value).startswith("The teacher cache of 6 views does not fit into --cache-gb. Found: ")
    assert "Allowed: --views 3 or fewer. Next: take fewer views, or more room." in str(refusal.value)


@pytest.mark.parametrize("changes", [{"cache_gb": 1.0}, {"cache_gb": 0.0, "recipe": {"live": True}}, {}])
def test_room_enough_or_no_need_of_it_changes_nothing(teacher_model, tmp_path, changes):
    recipe = opened(teacher_model, tmp_path, **changes).comparison.recipes[80]
    assert recipe.views == (8 if recipe.live else 16)


def test_unreadable_images_are_counted_and_refused_only_when_asked(teacher_model, tmp_path, broken_photos):
    heard = Heard()
    asked = {"data": broken_photos, "train_images": [6], "recipe": {"batch_images": 2}}
    opened(teacher_model, tmp_path, heard, **asked)
    (word,) = heard.notes
    assert word.startswith("1 unreadable images were left out: 1 of 10 of cat: the file is empty.")
    with pytest.raises(InputError) as refusal:
        opened(teacher_model, tmp_path, strict=True, **asked)
    assert str(refusal.value) == (
        "Every image must be readable, and no picture passed over, when --strict is given. Found: 1 unreadable images "
        "were left out: 1 of 10 of cat: the file is empty. `azeotrope check` counts all reasons. "
        "Next: repair or remove these files (`azeotrope check` counts them by class), or leave --strict out."
    )


@pytest.fixture
def broken_photos(tmp_path):
    import numpy as np
    from PIL import Image

    for place in range(20):
        file = tmp_path / "photos" / ("cat", "dog")[place % 2] / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(place).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(file)
    (tmp_path / "photos" / "cat" / "0.png").write_bytes(b"")
    return str(tmp_path / "photos")


@pytest.mark.parametrize(("text", "changes"), [(None, {}), ("4", {"views": 4}), ("live", {"live": True})])
def test_views_are_a_number_or_live(text, changes):
    assert Recipe(views=text).changes() == changes


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5"])
def test_other_views_are_refused(text):
    with pytest.raises(
        InputError, match=rf"--views is a number of views or `live`\. Found: {text}\. Allowed: 1 or more"
    ):
        Recipe(views=text).changes()
