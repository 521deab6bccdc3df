"""A teacher that is tuned on the run's own images: by the one loop, charged, and never asked about what it was told."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.errors import InputError, RunFailed
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.sweeping.runs.resources import Resources
from networks import trained_on_digits

POLICY = ViewPolicy(mirror=False)
IMAGES, SEED, VIEWS = 160, 3, 2
QUICK = {"image_size": 32, "head": "finetune", "tune_epochs": 12, "tune_rate": 1e-3, "weak": True}


@pytest.fixture(scope="module")
def teacher_model(tmp_path_factory):
    """A network that was taught whether a digit is odd: its features carry some of the ten classes, not all."""
    file = tmp_path_factory.mktemp("odd") / "odd.safetensors"
    save_file(trained_on_digits(lambda digits: digits % 2, 2), file)
    return f"timm:test_resnet@{file}"


@pytest.fixture(scope="module")
def tuned(resources, digits, teacher_model):
    spec = TeacherSpec(model=teacher_model, **QUICK)
    return resources.taught(spec, digits.fingerprint, IMAGES, SEED, POLICY, VIEWS)


@pytest.fixture(scope="module")
def crossed(resources, digits, teacher_model):
    spec = TeacherSpec(model=teacher_model, folds=2, **QUICK)
    return resources.taught(spec, digits.fingerprint, IMAGES, SEED, POLICY, VIEWS)


def test_it_knows_the_task(digits, tuned):
    """Features made for another question, tuned on 160 images; judged on test images, which nobody chose on."""
    test, targets = digits.splits.test, tuned.targets
    targets.cache.ensure(test, [PLAIN])
    outputs = targets.head.logits(targets.cache.read(test, PLAIN))
    assert (outputs.argmax(1).numpy() != digits.labels[test]).mean() < 0.35  # chance: 0.9
    assert tuned.facts.val_log_loss < 0.5 * np.log(10)


def test_the_pretrained_teacher_stays_as_it_is(resources, teacher_model, tuned):
    base = resources.teacher(TeacherSpec(model=teacher_model, image_size=32))
    assert tuned.targets.cache.teacher.weights_hash != base.weights_hash
    again = Resources(resources.cache, resources.device).teacher(TeacherSpec(model=teacher_model, image_size=32))
    assert again.weights_hash == base.weights_hash


def test_what_it_took_is_charged(tuned, crossed):
    """12 epochs of 160 images in batches of 32; cross-fitted in two, also twice 64 of 80 images an epoch."""
    assert tuned.tuning_images == 12 * 160
    assert crossed.tuning_images == 12 * (160 + 64 + 64)
    assert tuned.tuning_seconds > 0


def test_tuned_once_it_is_judged_on_validation_and_speaks_alone(tuned):
    assert tuned.targets.head.folds == tuned.facts.folds == 0
    assert tuned.facts.fold_log_loss is None
    assert (tuned.targets.folds == -1).all()


def test_cross_fitted_each_image_is_shown_to_the_version_that_was_tuned_without_it(resources, digits, crossed):
    rows, cache = resources.rows(digits.fingerprint, IMAGES, SEED), crossed.targets.cache
    folds = crossed.targets.folds[rows.train]
    assert sorted(np.bincount(folds)) == [80, 80]
    cache.ensure(rows.train, [0])
    said = cache.read(rows.train, 0)
    for fold in (0, 1):
        mine = rows.train[folds == fold]
        torch.testing.assert_close(said[torch.from_numpy(folds == fold)], cache.members[fold].read(mine, 0))
        other = cache.members[1 - fold]
        assert len(other.missing(mine, 0)) == len(mine)  # the version that knows its label has not looked
    assert len({member.teacher.weights_hash for member in cache.members}) == 3


def test_other_images_are_shown_to_the_version_that_was_tuned_on_all(resources, digits, crossed):
    rows, cache = resources.rows(digits.fingerprint, IMAGES, SEED), crossed.targets.cache
    torch.testing.assert_close(cache.read(rows.val, PLAIN), cache.members[-1].read(rows.val, PLAIN))
    mixed = np.array([rows.val[0], rows.train[0], rows.val[1]])
    cache.ensure(mixed, [PLAIN])
    torch.testing.assert_close(cache.read(mixed, PLAIN)[[0, 2]], cache.members[-1].read(mixed[[0, 2]], PLAIN))
    views = draw(POLICY, digits.identities[mixed], PLAIN)
    asked = cache.embedders[0](resources.device.send(cache.asked(mixed, views)[0]))
    torch.testing.assert_close(asked, cache.read(mixed, PLAIN), rtol=1e-2, atol=1e-2)


def test_its_word_on_its_own_images_is_less_sure_when_it_is_cross_fitted(crossed):
    assert crossed.facts.train_log_loss < crossed.facts.fold_log_loss


def test_it_is_tuned_once_and_then_found(resources, digits, teacher_model, tuned):
    """Another program on the same cache: the same weights to the bit, and no training."""
    fresh = Resources(resources.cache, resources.device, dict(resources.tasks))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azeotrope.train.loop.Training.run", lambda self: pytest.fail("it was tuned again"))
        found = fresh.taught(TeacherSpec(model=teacher_model, **QUICK), digits.fingerprint, IMAGES, SEED, POLICY, VIEWS)
    assert found.targets.cache.teacher.weights_hash == tuned.targets.cache.teacher.weights_hash
    assert torch.equal(found.targets.head.weight, tuned.targets.head.weight)


def test_a_tuning_that_diverges_is_said_with_the_teachers_name(resources, digits, teacher_model):
    spec = TeacherSpec(model=teacher_model, **{**QUICK, "tune_rate": 1e30})
    with pytest.raises(
        RunFailed, match=r"The teacher timm:test_resnet@.* could not be tuned: The loss is not finite"
    ) as told:
        resources.taught(spec, digits.fingerprint, IMAGES, SEED, POLICY, VIEWS)
    _, _, after = str(told.value).partition(" Next: ")
    assert after == (
        "take a smaller tune_rate of this teacher in a plan of azeotrope sweep (here 1e+30), --precision fp32, or "
        "--teacher-head linear."
    )


def test_an_exported_program_cannot_be_tuned(resources, digits, teacher_model, monkeypatch):
    from azeotrope.sweeping.runs import tuned_teacher

    spec = TeacherSpec(model=teacher_model, **{**QUICK, "tune_epochs": 2})
    named = spec.model_copy(update={"model": "exported:teacher.onnx"})
    tuning = tuned_teacher.Tuning(named, None, None, None, None, POLICY, SEED, None)
    with pytest.raises(InputError, match=r"a model that can be trained\. Found: exported:teacher\.onnx"):
        tuned_teacher._pretrained(tuning, 10)


def test_by_default_a_teacher_is_tuned_once_and_a_head_is_cross_fitted():
    assert TeacherSpec(model="a").folds == 5
    assert TeacherSpec(model="a", head="finetune").folds == 1
    assert TeacherSpec(model="a", head="finetune", folds=3).folds == 3
