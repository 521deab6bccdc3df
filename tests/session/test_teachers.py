"""A set of seven classes and teachers whose files hold classifiers of other sizes: the trap of random teacher heads."""

from collections import Counter

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

import azeotrope
from azeotrope.api.foresee import foresee
from azeotrope.labels import LabelSpec
from azeotrope.models.saved import load_model
from azeotrope.plan import TeacherSpec
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.findings.cautions import before_training
from azeotrope.session.opening import open_plan
from azeotrope.session.progress import Silent
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.teacher.cache import EmbeddingCache

QUICK = {"epochs": 1, "views": 1, "batch_images": 8, "learning_rates": (1e-3,)}
CLASSES = 7


class Heard(Silent):
    def __init__(self):
        self.notes = []

    def note(self, what):
        self.notes.append(what)


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """Seven colours with noise, which any features tell apart."""
    folder, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    for number in range(CLASSES):
        (folder / f"colour{number}").mkdir()
        base = [255 * (number >> bit & 1) for bit in range(3)]
        for place in range(12):
            pixels = np.clip(base + rng.normal(0, 20, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"colour{number}" / f"{place}.png")
    return str(folder)


@pytest.fixture(scope="module")
def fine_tuned(tmp_path_factory):
    """Fine-tuned for 12 classes, in a folder as a hub has it, with a card."""
    folder = tmp_path_factory.mktemp("fine_tuned")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = timm.create_model("test_resnet", num_classes=12).state_dict()
    save_file(weights, folder / "model.safetensors")
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# Twelve classes\n")
    return f"timm:test_resnet@{folder}"


def opened(colours, tmp_path, **changes):
    fields = {"data": colours, "student": "test_resnet", "recipe": QUICK, "image_size": 32, "seeds": (0,)}
    plan = comparison_plan(**{**fields, "train_images": [40], **changes})
    return open_plan(plan, Silent(), {"cache": tmp_path})


def test_the_head_is_fitted_to_seven_classes_and_is_not_random(colours, fine_tuned, tmp_path):
    made = opened(colours, tmp_path, teacher=TeacherSpec(model=fine_tuned, image_size=32), arms=["distill:kl"])
    plan = made.comparison
    recipe = plan.recipes[40]
    taught = made.resources.taught(plan.teacher, plan.fingerprint, 40, 0, recipe.policy, recipe.views)
    assert taught.targets.head.weight.shape == (6, CLASSES, 96)
    assert taught.facts.val_error < 0.1


def test_what_is_left_out_and_what_is_forbidden_is_said_before_training(colours, fine_tuned, tmp_path):
    heard = Heard()
    done = azeotrope.distill(
        colours,
        student="test_resnet",
        teacher=TeacherSpec(model=fine_tuned, image_size=32),
        out=tmp_path / "out",
        train_images=40,
        image_size=32,
        recipe=QUICK,
        cache=tmp_path / "cache",
        progress=heard,
    )
    licence, left_out = heard.notes
    assert "cc-by-nc-4.0, does not allow commercial use" in licence
    assert "a classifier of 12 classes, and this task has 7: it is left out" in left_out
    assert load_model(done.model).facts["teacher_licence"] == "cc-by-nc-4.0"
    assert r"cc\-by\-nc\-4\.0" in (done.model / "card.md").read_text()


def test_a_number_has_no_classes_to_count(colours, fine_tuned, tmp_path):
    rows = [f"{colours}/colour{number}/{place}.png,{number}" for number in range(CLASSES) for place in range(12)]
    (tmp_path / "set.csv").write_text("\n".join(["path,value", *rows]))
    taught = {"teacher": TeacherSpec(model=fine_tuned, image_size=32), "arms": ["distill:kl"]}
    made = opened(str(tmp_path / "set.csv"), tmp_path, labels=LabelSpec(kind="number"), **taught)
    _, left_out = before_training(made)
    assert left_out == (
        f"The weights of {fine_tuned} hold a classifier of 12 classes: it is left out, and the teacher gets a head of "
        "its own."
    )


def test_a_licence_binds_a_student_that_starts_from_the_weights(colours, fine_tuned, tmp_path):
    for arm, said in (("scratch", 0), ("finetune", 1)):
        made = opened(colours, tmp_path, student=fine_tuned, teacher=None, arms=[arm])
        assert len([note for note in before_training(made) if "commercial" in note]) == said


def test_known_and_free_weights_are_passed_over_in_silence(colours, teacher_model, tmp_path):
    """A classifier of ImageNet's 1,000 classes is left out of nearly every teacher."""
    assert before_training(opened(colours, tmp_path, teacher=teacher_model, arms=["distill:kl"])) == ()


def test_several_students_and_ensembles_share_one_pass_of_the_teacher(
    colours, fine_tuned, teacher_model, tmp_path, monkeypatch
):
    """What a second student, or an ensemble, needs of a teacher that has looked already is read, not computed."""
    looked, asked = Counter(), EmbeddingCache.asked
    monkeypatch.setattr(
        EmbeddingCache,
        "asked",
        lambda self, rows, views: looked.update({self.teacher.name: len(rows)}) or asked(self, rows, views),
    )

    def trained(student, teacher):
        return azeotrope.distill(
            colours,
            student=student,
            teacher=TeacherSpec(model=teacher, image_size=32),
            out=tmp_path / f"{student}{len(teacher)}",
            train_images=40,
            image_size=32,
            recipe=QUICK,
            cache=tmp_path / "cache",
        ).record

    trained("test_resnet", fine_tuned)
    once = looked[fine_tuned]
    assert once > 0
    trained("test_vit2", fine_tuned)
    assert looked == {fine_tuned: once}
    both = trained("test_resnet", f"{fine_tuned}+{teacher_model}")
    assert looked == {fine_tuned: once, teacher_model: once}
    assert (both.teacher.name, both.teacher.image_size) == (f"{fine_tuned}+{teacher_model}", 32)
    assert both.losses == {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0}


def test_fewer_images_of_a_class_than_folds_are_said_before_training(colours, fine_tuned, tmp_path):
    """28 images of seven classes: four a class, and five folds; 40 are enough, and one fold asks for none."""
    for images, said in ((28, 1), (40, 0)):
        spec = TeacherSpec(model=fine_tuned, image_size=32)
        made = opened(colours, tmp_path, teacher=spec, arms=["distill:kl"], train_images=[images])
        few = [caution for caution in before_training(made) if "folds" in caution]
        assert len(few) == said
        assert not few or few[0] == (
            "With 28 training images (seed 0), 7 of 7 classes have fewer images than the teacher's head has folds (5), "
            "so it knows little of them. More images a class, or fewer --teacher-folds, help."
        )


def test_folds_are_said_as_they_will_be_made(colours, fine_tuned, tmp_path):
    """Of 8 images there are 8 folds, whatever is asked for (`teacher.heads.folds`)."""
    spec = TeacherSpec(model=fine_tuned, image_size=32, folds=20)
    made = opened(colours, tmp_path, teacher=spec, arms=["distill:kl"], train_images=[8])
    (said,) = [caution for caution in before_training(made) if "folds" in caution]
    assert "7 of 7 classes have fewer images than the teacher's head has folds (8)" in said


def test_a_sweep_and_its_dry_run_say_it_too_and_of_several_plans_once(colours, fine_tuned, tmp_path):
    """Two heads of one teacher, two plans of the grid: one sentence on folds, of the head that has them."""
    heads = [
        {"model": fine_tuned, "image_size": 32},
        {"model": fine_tuned, "image_size": 32, "folds": 1},
    ]
    content = {"data": colours, "students": ["test_resnet"], "image_size": 32, "recipe": QUICK, "seeds": [0]}
    plan = SweepPlan(**content, train_images=[28], arms=["distill:kl"], teachers=heads, budget={"runs": 1})
    for make in (foresee, azeotrope.sweep):
        heard = Heard()
        make(plan, out=tmp_path / "out", cache=tmp_path / "cache", progress=heard)
        for word in ("commercial", "it is left out", "fewer images than the teacher's head has folds (5)"):
            assert len([note for note in heard.notes if word in note]) == 1, heard.notes
