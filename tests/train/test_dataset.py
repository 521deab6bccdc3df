from dataclasses import replace

import numpy as np
import torch

from azeotrope.train.dataset import TaskImages

from .conftest import IMAGES, RECIPE, with_targets


def rows_of(data, rows, seed, epoch):
    """Which rows an epoch shows, and each as which view; found through a spy on `batch`."""
    shown = []

    class Spied(TaskImages):
        def batch(self, rows, view):
            shown.append((rows.tolist(), view.tolist()))
            return super().batch(rows, view)

    list(replace(data, images=Spied(**vars(data.images))).epoch(rows, 16, seed, epoch))
    return shown


def test_order_is_a_function_of_seed_and_epoch(data, rows):
    first = rows_of(data, rows.train, 0, 0)
    assert rows_of(data, rows.train, 0, 0) == first
    for seed, epoch in ((1, 0), (0, 1)):
        assert [batch for batch, _ in rows_of(data, rows.train, seed, epoch)] != [batch for batch, _ in first]


def test_an_epoch_shows_each_image_at_most_once_and_leaves_a_short_batch_out(data, rows):
    seen = [row for batch, _ in rows_of(data, rows.train[:50], 0, 0) for row in batch]
    assert len(seen) == len(set(seen)) == 48
    assert set(seen) <= set(rows.train[:50].tolist())


def test_the_left_out_images_change_from_epoch_to_epoch(data, rows):
    seen = {row for epoch in range(8) for batch, _ in rows_of(data, rows.train[:50], 0, epoch) for row in batch}
    assert seen == set(rows.train[:50].tolist())


def test_balanced_sampling_shows_every_class_alike_in_as_many_batches(data, rows, digits):
    order = np.argsort(digits.labels[rows.train], kind="stable")
    few = rows.train[order[:40]]  # classes 0 to 4 and some of the next
    shown = rows_of(replace(data, sampling="balanced"), few, 0, 3)
    assert [len(batch) for batch, _ in shown] == [len(batch) for batch, _ in rows_of(data, few, 0, 3)]
    seen = [row for batch, _ in shown for row in batch]
    assert set(seen) <= set(few.tolist())
    counts = np.bincount(digits.labels[seen])
    assert np.ptp(counts[counts > 0]) <= 2  # a batch that would be short is left out
    places = next(iter(replace(data, sampling="balanced").epoch(few, 16, 0, 3))).places
    assert few[places].tolist() == shown[0][0]


def test_epochs_go_through_the_views_in_turn(data, rows):
    views = [set(rows_of(data, rows.train, 0, epoch)[0][1]) for epoch in range(5)]
    assert views == [{0}, {1}, {0}, {1}, {0}]


def test_an_image_that_balanced_sampling_repeats_comes_as_another_view(data, rows, digits):
    """One image of a digit beside 15 of two others fills 5 or 6 places of a batch of 16."""
    of = digits.labels[rows.train]
    few = np.concatenate([rows.train[of == digit][:most] for digit, most in ((3, 1), (4, 8), (5, 7))])
    assert len(few) == 16
    balanced = replace(data, images=replace(data.images, views=16), sampling="balanced")
    epochs = [rows_of(balanced, few, 0, epoch) for epoch in range(3)]
    views = [view for ((batch, drawn),) in epochs for row, view in zip(batch, drawn, strict=True) if row == few[0]]
    assert sorted(views) == list(range(16))  # in 3 epochs a third of 48 places, no view twice
    for ((batch, drawn),) in epochs:
        assert len(set(zip(batch, drawn, strict=True))) == 16


def test_a_batch_of_several_views_has_the_teachers_word_on_each(taught, rows, made):
    chosen, views = rows.train[[5, 2, 5, 9]], np.array([1, 0, 0, 1])
    batch = made(taught, taught.images.batch(chosen, views))
    for place, view in enumerate(views.tolist()):
        alone = made(taught, taught.images.batch(chosen[[place]], view))
        torch.testing.assert_close(batch.images[[place]], alone.images)
        assert torch.equal(batch.teacher_features[[place]], alone.teacher_features)
    assert not torch.equal(batch.teacher_features[0], batch.teacher_features[2])


def test_the_arm_with_a_teacher_sees_the_same_pixels(data, rows, taught, made):
    alone, with_teacher = (list(arm.epoch(rows.train, 16, 0, 1)) for arm in (data, taught))
    assert len(alone) == len(with_teacher) == IMAGES // 16
    for without, batch in zip(alone, with_teacher, strict=True):
        without, batch = made(data, without), made(taught, batch)
        assert torch.equal(without.images, batch.images)
        assert torch.equal(without.labels, batch.labels)
        assert without.teacher_features is None


def test_targets_are_the_teachers_word_on_these_very_views(taught, rows, targets, digits, embed, made):
    chosen, teacher = rows.train[[5, 2, 9]], targets.cache.teacher
    batch = made(taught, taught.images.batch(chosen, 1))
    packed = targets.cache.pack.read(chosen)
    embedded = embed(teacher, packed, RECIPE.policy, digits.identities[chosen], 1)
    torch.testing.assert_close(batch.teacher_features, embedded, rtol=2**-10, atol=1e-5)
    for place, fold in enumerate(targets.folds[chosen]):  # by the model that has not seen the image's label
        said = batch.teacher_features[place] @ targets.head.weight[fold].T + targets.head.bias[fold]
        torch.testing.assert_close(batch.teacher_logits[place], said, rtol=1e-4, atol=1e-4)
    assert batch.labels.tolist() == digits.labels[chosen].tolist()


def test_live_targets_are_those_of_the_cache_up_to_half_precision(taught, rows, targets, made):
    """The teacher at every step, on the same views; nothing is stored for it."""
    cached = [made(taught, host) for host in taught.epoch(rows.train, 16, 0, 1)]
    before = sorted(file.stat().st_mtime_ns for file in targets.cache.store.folder.iterdir())
    asking = with_targets(taught, replace(targets, live=True))
    live = [made(asking, host) for host in asking.epoch(rows.train, 16, 0, 1)]
    for stored, asked in zip(cached, live, strict=True):
        assert torch.equal(stored.images, asked.images)
        torch.testing.assert_close(stored.teacher_features, asked.teacher_features, rtol=2**-10, atol=1e-5)
        torch.testing.assert_close(stored.teacher_logits, asked.teacher_logits, rtol=0.02, atol=0.02)
    assert sorted(file.stat().st_mtime_ns for file in targets.cache.store.folder.iterdir()) == before


def test_evaluation_reads_all_rows_in_order_without_a_teacher(taught, rows, digits, made):
    batches = [made(taught, host) for host in taught.plain(rows.val, batch=7)]
    assert torch.cat([batch.labels for batch in batches]).tolist() == digits.labels[rows.val].tolist()
    assert all(batch.teacher_features is None for batch in batches)
    assert np.array_equal(batches[0].images.shape, (7, 3, 32, 32))
