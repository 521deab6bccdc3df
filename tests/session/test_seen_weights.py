"""Weights that were trained on the task's images are refused as its teacher and as a student's start."""

import shutil

import pytest

import azeotrope
from azeotrope.errors import InputError
from azeotrope.models.saved import trained_on
from azeotrope.models.spec import ModelSpec

QUICK = {"epochs": 1, "views": 1, "batch_images": 16, "learning_rates": (1e-3,)}
ASKED = {"student": "test_resnet", "train_images": 40, "image_size": 32, "recipe": QUICK}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    out = tmp_path_factory.mktemp("scratch")
    return azeotrope.distill("digits", teacher=None, arm="scratch", out=out, **ASKED).model


@pytest.mark.parametrize("where", ["folder", "file", "copy of the file"])
def test_a_model_that_was_trained_on_the_task_is_no_teacher_of_it(saved, where, tmp_path):
    """The file itself says so; what lay beside it does not matter."""
    named = {"folder": saved, "file": saved / "model.safetensors"}.get(where, tmp_path / "copy.safetensors")
    if where == "copy of the file":
        shutil.copy(saved / "model.safetensors", named)
    with pytest.raises(InputError) as refusal:
        azeotrope.distill("digits", teacher=f"test_resnet@{named}", arm="distill:kl", out=tmp_path / "out", **ASKED)
    assert str(refusal.value) == (
        "Weights that were trained on these very images cannot be a teacher on them. "
        f"Found: test_resnet@{named}, saved by azeotrope after a training on them. "
        "Allowed: weights that were trained on other images. "
        "Next: name other weights, or insist with --seen-weights."
    )
    assert not (tmp_path / "out" / "runs").exists()


def test_nor_of_the_same_images_split_in_another_way(saved, tmp_path):
    asked = {**ASKED, "teacher": f"test_resnet@{saved}", "arm": "distill:kl", "held_out": 0.1}
    with pytest.raises(InputError, match="cannot be a teacher on them"):
        azeotrope.distill("digits", out=tmp_path / "out", **asked)


def test_nor_the_start_of_a_student(saved, tmp_path):
    student = f"test_resnet@{saved}/model.safetensors"
    with pytest.raises(InputError, match="cannot be the start of a student on them"):
        azeotrope.distill("digits", teacher=None, arm="finetune", out=tmp_path, **{**ASKED, "student": student})


def test_who_insists_is_let_in(saved, tmp_path):
    student = f"test_resnet@{saved}/model.safetensors"
    asked = {**ASKED, "student": student, "seen_weights": True}
    assert azeotrope.distill("digits", teacher=None, arm="finetune", out=tmp_path, **asked).record.state == "done"


def test_weights_of_others_say_nothing(saved, tmp_path, teacher_model):
    assert not trained_on(ModelSpec.parse(teacher_model))
    assert not trained_on(ModelSpec.parse("test_resnet"))
    assert not trained_on(ModelSpec.parse(f"test_resnet@{tmp_path}/none.safetensors"))
    assert len(trained_on(ModelSpec.parse(f"test_resnet@{saved}"))) == 2
