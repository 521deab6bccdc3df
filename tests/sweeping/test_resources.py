from itertools import pairwise

import numpy as np
import pytest

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.errors import RunFailed
from azeotrope.recipe import ViewPolicy
from azeotrope.record.labelled_images import VAL_PER_TRAIN
from azeotrope.sweeping.runs import resources as resources_module
from azeotrope.sweeping.runs import taught as module
from azeotrope.sweeping.runs.resources import Resources


def test_whether_pictures_are_stored_as_they_came_is_looked_up_once(resources, shapes, monkeypatch):
    """A plan asks for every run, and all sides of a million pictures take a fifth of a second."""
    asked = []
    monkeypatch.setattr(resources_module, "frames_are_pictures", lambda *given: asked.append(given))
    assert [resources.resize(shapes.fingerprint, 17) for _ in range(3)] == ["once"] * 3
    assert len(asked) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_smaller_sets_are_inside_larger_ones(resources, digits, seed):
    sets = [resources.rows(digits.fingerprint, count, seed) for count in (50, 100, 400)]
    for small, large in pairwise(sets):
        assert set(small.train) < set(large.train)
        assert set(small.val) < set(large.val)


def test_seeds_draw_other_images(resources, digits):
    first, second = (set(resources.rows(digits.fingerprint, 50, seed).train) for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize("count", [20, 200, 1000])
def test_train_validation_and_test_share_no_image(resources, digits, count):
    rows = resources.rows(digits.fingerprint, count, 0)
    parts = [set(rows.train), set(rows.val), set(digits.splits.test)]
    assert len(rows.train) == count
    assert len(set.union(*parts)) == sum(map(len, parts))
    checksums = [{digits.manifest.checksums[row] for row in part} for part in parts]
    assert len(set.union(*checksums)) == sum(map(len, checksums))


@pytest.mark.parametrize(("count", "expected"), [(20, 20), (400, 400 * VAL_PER_TRAIN), (1000, 250)])
def test_validation_grows_with_the_images_at_hand(resources, digits, count, expected):
    """A person with 20 labelled images has no thousand to validate with; two of each class are the least."""
    assert len(resources.rows(digits.fingerprint, count, 0).val) == expected


def test_the_head_is_fitted_on_this_runs_images_and_no_others(resources, digits, teacher, monkeypatch):
    given = []

    def spy(*arguments):
        given.extend(arguments)
        return fit_head(*arguments)

    fit_head = module.fit_head
    monkeypatch.setattr(module, "fit_head", spy)
    rows = resources.rows(digits.fingerprint, 70, 3)
    taught = resources._taught(teacher, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1)
    features, labels, classes, folds, kind = given
    np.testing.assert_array_equal(features, taught.targets.cache.read(rows.train, PLAIN))
    np.testing.assert_array_equal(labels, digits.labels[rows.train])
    assert (classes, kind) == (10, digits.kind)
    assert sorted(np.bincount(folds)) == [14] * 5


def test_a_training_image_has_a_fold_and_no_other_image_has(resources, digits, teacher):
    rows = resources.rows(digits.fingerprint, 70, 3)
    targets = resources.taught(teacher, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1).targets
    assert (targets.folds_of(rows.train) >= 0).all()
    assert (targets.folds_of(np.setdiff1d(np.arange(len(digits.labels)), rows.train)) == -1).all()


def test_the_facts_of_the_head_are_those_of_its_outputs(resources, digits, teacher):
    """Errors and log-losses by hand: of the head's outputs on the images as they are."""
    rows = resources.rows(digits.fingerprint, 70, 3)
    taught = resources.taught(teacher, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1)
    targets, facts = taught.targets, taught.facts

    def judged(of, folds):
        outputs = targets.head.logits(targets.cache.read(of, PLAIN), folds).double().log_softmax(1).numpy()
        labels = digits.labels[of]
        return (outputs.argmax(1) != labels).mean(), -outputs[np.arange(len(of)), labels].mean()

    assert (facts.train_error, facts.train_log_loss) == pytest.approx(judged(rows.train, None), rel=1e-4)
    assert (facts.fold_error, facts.fold_log_loss) == pytest.approx(
        judged(rows.train, targets.folds_of(rows.train)), rel=1e-4
    )
    assert (facts.val_error, facts.val_log_loss) == pytest.approx(judged(rows.val, None), rel=1e-4)
    assert facts.train_log_loss < facts.fold_log_loss
    assert (facts.folds, facts.strength, facts.temperature) == (5, targets.head.strength, targets.head.temperature)


def test_one_fold_fits_one_head_and_leaves_the_folds_out(resources, digits, teacher):
    """The way of before, for ablations: strength and gate by validation."""
    spec = teacher.model_copy(update={"folds": 1})
    taught = resources.taught(spec, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1)
    assert taught.targets.head.folds == taught.facts.folds == 0
    assert taught.facts.fold_log_loss is None
    assert (taught.targets.folds == -1).all()


def test_pixels_are_judged_in_folds_that_keep_groups_whole(resources, digits, teacher, tmp_path, monkeypatch):
    """Else they would know a group whose other images they have seen, and a sound teacher be refused."""
    units, asked, judged = np.arange(len(digits.labels)) // 4, [], module.pixel_losses
    monkeypatch.setattr(type(digits), "units", units)
    monkeypatch.setattr(module, "pixel_losses", lambda *given: asked.append(given[2].numpy()) or judged(*given))
    fresh = Resources(tmp_path, resources.device, dict(resources.tasks))
    spec = teacher.model_copy(update={"folds": 5})
    fresh.taught(spec, digits.fingerprint, 400, 3, ViewPolicy(mirror=False), 1)
    (folds,) = asked
    own = units[fresh.rows(digits.fingerprint, 400, 3).train]
    assert len(np.unique(own)) < len(own)
    assert all(len(np.unique(folds[own == unit])) == 1 for unit in np.unique(own))


def test_the_teacher_looks_at_no_image_but_these(resources, digits, teacher, tmp_path):
    fresh = Resources(tmp_path, resources.device, dict(resources.tasks))
    taught = fresh.taught(teacher, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1)
    rows = fresh.rows(digits.fingerprint, 70, 3)
    known = np.setdiff1d(
        np.arange(len(digits.labels)), taught.targets.cache.store.missing(np.arange(len(digits.labels)))
    )
    np.testing.assert_array_equal(known, np.sort(np.concatenate([rows.train, rows.val])))


def test_a_teacher_near_chance_stops_at_the_gate(resources, digits, teacher, monkeypatch):
    """Labels that have nothing to do with the images."""
    fit_head = module.fit_head

    def misled(features, labels, *others):
        return fit_head(features, labels.roll(7), *others)

    monkeypatch.setattr(module, "fit_head", misled)
    with pytest.raises(RunFailed, match="is not shown to know more than chance"):
        resources._taught(teacher, digits.fingerprint, 70, 4, ViewPolicy(mirror=False), 1)


def test_what_is_shared_is_made_once(resources, digits, teacher):
    asked = (teacher, digits.fingerprint, 70, 3, ViewPolicy(mirror=False), 1)
    assert resources.taught(*asked) is resources.taught(*asked)
    assert resources.teacher(teacher) is resources.teacher(teacher)
    assert resources.pack(digits.fingerprint, 32) is resources.pack(digits.fingerprint, 32)
