"""Pictures beside the labelled ones: the labelled part of a step stays as it is, the others teach without a label."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

from azeotrope.kinds.single import UNLABELLED
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses.cross_entropy import Loss as CrossEntropy
from azeotrope.losses.decoupled_kl import Loss as DecoupledKl
from azeotrope.losses.soft_labels import Loss as SoftLabels
from azeotrope.train.dataset import Extra

from .conftest import RECIPE

BATCH, PER_STEP, PICTURES = 16, 12, 40
LOSSES = {"cross_entropy": 1.0, "kl": 1.0}


@pytest.fixture(scope="module")
def extra(taught, digits, rows):
    """Other digits, taken from the same task so that their labels are known to the test."""
    pictures = np.setdiff1d(digits.splits.train, rows.train)[:PICTURES]
    taught.images.pack.ensure(pictures)
    taught.targets.cache.ensure(pictures, range(2))
    return Extra(taught.images, pictures, PER_STEP)


@pytest.fixture(scope="module")
def mixed(taught, extra):
    return replace(taught, extra=extra)


@pytest.fixture(scope="module")
def steps(made):
    """The batches of an epoch."""

    def all_of(data, rows, epoch=0, share=slice(None)):
        return [made(data, host) for host in data.epoch(rows.train, BATCH, 0, epoch, share)]

    return all_of


def test_the_labelled_part_of_every_step_is_that_without_further_pictures(taught, mixed, rows, steps):
    plain, with_more = steps(taught, rows, 1), steps(mixed, rows, 1)
    assert len(plain) == len(with_more) == 5
    for a, b in zip(plain, with_more, strict=True):
        assert len(b.labels) == BATCH + PER_STEP
        assert torch.equal(a.images, b.images[:BATCH])
        assert torch.equal(a.labels, b.labels[:BATCH])
        assert torch.equal(a.teacher_logits, b.teacher_logits[:BATCH])
        assert torch.equal(a.places, b.places[:BATCH])


def test_further_pictures_have_no_label_and_the_teacher_says_of_the_same_view(taught, mixed, extra, rows, steps, made):
    batch = steps(mixed, rows)[0]
    assert set(batch.labels[BATCH:].tolist()) == {UNLABELLED}
    places = batch.places[BATCH:] - len(rows.train)
    alone = made(taught, extra.images.batch(extra.rows[places.numpy()], 0))
    assert torch.equal(batch.images[BATCH:], alone.images)
    assert torch.equal(batch.teacher_features[BATCH:], alone.teacher_features)


def test_with_labels_they_carry_the_intended_class(mixed, extra, rows, digits, steps):
    batch = steps(replace(mixed, extra=replace(extra, labelled=True)), rows)[0]
    places = (batch.places[BATCH:] - len(rows.train)).numpy()
    np.testing.assert_array_equal(batch.labels[BATCH:], digits.labels[extra.rows[places]])


@pytest.mark.parametrize("labelled", [False, True])
def test_the_shares_of_an_adjustment_are_those_of_all_labels_that_a_step_sees(
    training, targets, extra, rows, digits, labelled
):
    recipe = RECIPE.model_copy(update={"logit_adjustment": 1.0})
    made = training(targets=targets, extra=replace(extra, labelled=labelled), recipe=recipe, losses=LOSSES)
    own, beside = (np.bincount(digits.labels[of], minlength=10) / len(of) for of in (rows.train, extra.rows))
    often = BATCH * own + PER_STEP * beside if labelled else own
    offsets = made.losses.losses["cross_entropy"].offsets
    np.testing.assert_allclose(offsets, np.log(often / often.sum()), rtol=1e-5)


def test_every_picture_comes_once_a_pass_and_as_another_view_in_the_next(taught, extra, made):
    """40 pictures, 12 a step: three steps a pass, and the four that are left come in another pass's order."""
    seen = [extra.batch(step, 0, 0, slice(None), BATCH).places.tolist() for step in range(6)]
    for first in (0, 3):
        assert len(set(chain(*seen[first : first + 3]))) == 36
    shared = sorted(set(seen[0]) & set(chain(*seen[3:])))[0]
    view = made(taught, extra.images.batch(extra.rows[[shared]], 1))
    step = next(step for step in range(3, 6) if shared in seen[step])
    again = made(taught, extra.batch(step, 0, 0, slice(None), BATCH))
    torch.testing.assert_close(
        again.images[seen[step].index(shared)], view.images[0], rtol=0, atol=1e-6
    )  # one rounding


@pytest.mark.parametrize(("steps_in_all", "views"), [(3, 1), (4, 2), (60, 2)])
def test_only_the_views_that_are_shown_are_needed(extra, steps_in_all, views):
    assert extra.views_needed(steps_in_all) == views


def test_two_processes_share_both_parts(mixed, rows, steps):
    whole = steps(mixed, rows)[2]
    halves = [steps(mixed, rows, share=part)[2] for part in (slice(0, 8), slice(8, 16))]
    assert [len(half.labels) for half in halves] == [14, 14]
    assert sorted(whole.places.tolist()) == sorted(halves[0].places.tolist() + halves[1].places.tolist())


def signals(images=10, unlabelled=4):
    generator = torch.Generator().manual_seed(0)

    def normal(width):
        return torch.randn(images, width, generator=generator)

    labels = torch.randint(5, (images,), generator=generator)
    labels[images - unlabelled :] = UNLABELLED
    return Signals(normal(8), normal(5), labels, normal(6), normal(5))


SETUP = Setup(student_features=8, teacher_features=6, classes=5, label_smoothing=0.1)


def part(whole, places):
    fields = {name: getattr(whole, name)[places] for name in ("features", "logits", "labels")}
    return Signals(
        **fields, teacher_features=whole.teacher_features[places], teacher_logits=whole.teacher_logits[places]
    )


def test_cross_entropy_is_that_of_the_labelled_images_alone():
    whole = signals()
    whole.logits.requires_grad_()
    value = CrossEntropy(SETUP)(whole)
    torch.testing.assert_close(value, CrossEntropy(SETUP)(part(whole, slice(0, 6))))
    assert not torch.autograd.grad(value, whole.logits)[0][6:].any()


def test_decoupled_kl_takes_the_teachers_class_where_there_is_no_label():
    whole = signals()
    guessed = torch.where(whole.labels == UNLABELLED, whole.teacher_logits.argmax(1), whole.labels)
    torch.testing.assert_close(DecoupledKl(SETUP)(whole), DecoupledKl(SETUP)(replace(whole, labels=guessed)))


def test_soft_labels_is_the_cross_entropy_of_two_distributions():
    """Against the sum written out, and against the entropy where both are equal."""
    whole = signals()
    p, q = whole.teacher_logits.softmax(1), whole.logits.softmax(1)
    torch.testing.assert_close(SoftLabels(SETUP)(whole), -(p * q.log()).sum(1).mean())
    equal = SoftLabels(SETUP)(replace(whole, logits=whole.teacher_logits))
    torch.testing.assert_close(equal, -(p * p.log()).sum(1).mean())


def test_a_mixed_training_runs_through_the_one_loop_and_differs(training, mixed, targets):
    plain = training(targets=targets, file="plain.pt", losses=LOSSES)
    more = training(targets=targets, file="more.pt", losses=LOSSES, extra=mixed.extra)
    shown = []
    more.advance = shown.append
    assert plain.run().best is not None
    more.run()
    assert sum(shown) == 3 * 5 * BATCH  # the bar counts labelled images, as in every arm
    a, b = (made.network.head.weight for made in (plain, more))
    assert not torch.equal(a, b)
