"""Whether every class is seen in training (with several labels an image, few images may show all), and whether classes
are of so unequal sizes that an error over images hides some.
"""

import numpy as np
import pytest
from PIL import Image

import azeotrope
from azeotrope.data.task import load_task
from azeotrope.labels import LabelSpec
from azeotrope.recipe import Recipe
from azeotrope.reporting import verdict_words
from azeotrope.reporting.summary import summarise
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.findings.cautions import before_training, cautions, unequal_classes
from azeotrope.session.opening import open_plan
from azeotrope.session.progress import Silent
from reporting.factories import TASK, three_seeds

NAMES = "abcdefgh"
SAID = "5 training images do not show all 8 classes: some are never seen in training."


def written(folder, labels, header="path,label"):
    """A table of a picture of noise for each label; a label may hold further cells."""
    rng = np.random.default_rng(0)
    for place in range(len(labels)):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{place}.png")
    rows = [f"{place}.png,{label}" for place, label in enumerate(labels)]
    (folder / "set.csv").write_text("\n".join([header, *rows]))
    return str(folder / "set.csv")


@pytest.mark.parametrize(
    ("kind", "labels", "said"),
    [
        ("single", [NAMES[place % 8] for place in range(48)], (SAID,)),
        ("multi", [NAMES[place % 8] for place in range(48)], (SAID,)),
        ("multi", [";".join(NAMES) * (place % 2) for place in range(48)], ()),
        ("number", [str(place) for place in range(48)], ()),
    ],
)
def test_classes_that_are_never_seen_are_told_of(tmp_path, kind, labels, said):
    task = load_task(written(tmp_path, labels), labels=LabelSpec(kind=kind))
    comparison = summarise(three_seeds("scratch", [200] * 3, train_images=5))
    assert cautions([task], comparison, tmp_path) == said


@pytest.mark.parametrize("metric", ["error", "balanced_error"])
@pytest.mark.parametrize(
    ("kind", "common", "said"),
    [
        ("single", 10, ()),
        (
            "single",
            11,
            (
                "The training split holds 11 images of 'a' and 2 of 'b', more than 5 to 1. What chooses and decides "
                "here is the share of images that are wrong, to which small classes add little: read their recall, "
                "or say --metric balanced_error, and for training --class-weights auto, --sampling balanced or "
                "--logit-adjustment 1.",
            ),
        ),
        ("multi", 11, ()),
    ],
)
def test_a_class_five_times_another_is_told_of_where_the_error_counts_images(tmp_path, kind, common, said, metric):
    if kind == "multi" and metric != "error":
        pytest.skip("of one class an image")
    labels = ["a,train"] * common + ["b,train"] * 2 + [f"{name},{split}" for name in "ab" for split in ("val", "test")]
    plan = comparison_plan(
        data=written(tmp_path, labels, "path,label,split"),
        student="test_resnet",
        teacher=None,
        train_images=[8],
        arms=["scratch"],
        image_size=32,
        seeds=(0,),
        labels=LabelSpec(kind=kind),
        recipe={"epochs": 1, "views": 1, "learning_rates": (1e-3,), "metric": metric},
    )
    assert before_training(open_plan(plan, Silent(), {"cache": tmp_path / "cache"})) == (
        said if metric == "error" else ()
    )


def test_check_tells_of_them_too(tmp_path):
    data = written(tmp_path, ["a"] * 60 + ["b"] * 5)
    found = azeotrope.check(data, student="test_resnet", train_images=8, arms=["scratch"], image_size=32, seeds=1)
    assert any("more than 5 to 1" in hint for hint in found.hints)


@pytest.mark.parametrize("changes", [{"class_weights": "auto"}, {"sampling": "balanced"}, {"logit_adjustment": 0.5}])
def test_who_evens_out_classes_is_not_told_to(tmp_path, changes):
    task = load_task(written(tmp_path, ["a"] * 60 + ["b"] * 5))
    (told,) = unequal_classes([task], Recipe.for_images(8, **changes))
    assert told.endswith("or say --metric balanced_error.")


def test_the_commonest_class_is_that_of_training_and_its_error_that_of_the_test_images(tmp_path):
    """The given test split is of other shares: of 8 test images 6 are no 'sound', the largest class in training."""
    labels = ["sound,train"] * 20 + ["worn,train"] * 8 + ["sound,test"] * 2 + ["worn,test"] * 5 + ["torn,test"]
    labels += ["torn,train"] * 4
    task = load_task(written(tmp_path, labels, header="path,label,split"))
    assert task.commonest == ("sound", 0.75)


def test_only_the_arms_that_are_no_better_are_named_in_the_warning_and_the_verdict_stands():
    """What is always named is wrong on 5 % of 1,000 images: 50 and 51 are no better, 20 is."""
    facts = TASK.model_copy(update={"common_class": "sound", "common_error": 0.05})
    runs = [
        *three_seeds("scratch", [50, 50, 50], task=facts),
        *three_seeds("finetune", [51, 50, 52], task=facts),
        *three_seeds("distill", [20, 21, 19], task=facts),
    ]
    comparison = summarise(runs)
    (told,) = [warning for warning in comparison.warnings if "always naming" in warning]
    assert told == (
        "scratch, finetune are no better than always naming 'sound', which is wrong on 5.0 % of the test images."
    )
    assert "Always naming 'sound' is wrong on 5.0 %." in verdict_words.choice(comparison)
