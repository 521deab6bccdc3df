"""Recall, precision, F1 and thresholds against scikit-learn, and their intervals against textbooks."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from azeotrope.diagnosis.classes import between, class_numbers, thresholds
from azeotrope.diagnosis.confidence import calibration, coverage
from azeotrope.diagnosis.confusion import confusion, most_confused
from azeotrope.diagnosis.mistakes import most_certain
from azeotrope.diagnosis.ratio import mean, ratio
from azeotrope.diagnosis.residuals import residuals

NAMES = ("cat", "dog", "owl", "yak")


@pytest.fixture
def answered():
    """Labels of 400 images and what three seeds say."""
    random = np.random.default_rng(0)
    labels = random.choice(4, 400, p=[0.5, 0.3, 0.15, 0.05])
    said = np.where(random.random((3, 400)) < 0.7, labels, random.integers(0, 4, (3, 400)))
    return labels, said


def test_one_seed_gives_scikit_learns_numbers(answered):
    labels, said = answered
    found = class_numbers(labels, said[:1], NAMES, None)
    precision, recall, f1, support = precision_recall_fscore_support(labels, said[0])
    assert [one.recall.value for one in found] == pytest.approx(recall.tolist())
    assert [one.precision.value for one in found] == pytest.approx(precision.tolist())
    assert [one.f1.value for one in found] == pytest.approx(f1.tolist())
    assert [one.support for one in found] == support.tolist()
    assert all(one.f1.low < one.f1.value < one.f1.high for one in found)


def test_several_labels_an_image(answered):
    random = np.random.default_rng(1)
    labels, said = random.random((200, 3)) < 0.3, random.random((1, 200, 3)) < 0.3
    found = class_numbers(labels, said, NAMES[:3], None)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, said[0])
    assert [(one.precision.value, one.recall.value, one.f1.value) for one in found] == [
        pytest.approx(three) for three in zip(precision, recall, f1, strict=True)
    ]


def test_a_class_that_is_never_answered_or_never_shown():
    found = class_numbers(np.array([0, 0, 1]), np.array([[0, 0, 0]]), ("a", "b", "c"), None)
    assert found[1].precision is None
    assert (found[1].recall.value, found[1].f1.value) == (0, 0)
    assert found[1].recall.high > 0.5
    assert (found[2].support, found[2].recall, found[2].precision, found[2].f1) == (0, None, None, None)


@pytest.mark.parametrize("right", [0, 3, 27, 30])
def test_of_one_seed_and_single_images_the_interval_is_wilsons(right):
    """30 images; scipy's binomtest gives Wilson's interval. A variance by n - 1 makes ours a little wider."""
    from scipy.stats import binomtest

    part = (np.arange(30) < right).astype(float)[None]
    found = ratio(part, np.ones((1, 30)))
    known = binomtest(right, 30).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.006)


def test_intervals_hold_the_truth_in_95_of_100():
    """500 repeats: recall 0.8 of 60 images, three seeds that agree on two images of three."""
    random, held = np.random.default_rng(2), 0
    for _ in range(500):
        own, shared = random.random((3, 60)) < 0.8, random.random(60) < 0.8
        right = np.where(random.random((3, 60)) < 1 / 3, own, shared)
        found = ratio(right.astype(float), np.ones((3, 60)))
        held += found.low <= 0.8 <= found.high
    assert 0.93 <= held / 500 <= 1.0


def test_pictures_of_one_patient_count_as_one():
    right = (np.random.default_rng(3).random((1, 50)) < 0.7).astype(float)
    alone = ratio(right, np.ones((1, 50)))
    ten = ratio(np.repeat(right, 10, axis=1), np.ones((1, 500)), np.repeat(np.arange(50), 10))
    none = ratio(np.repeat(right, 10, axis=1), np.ones((1, 500)))
    assert ten.value == none.value == alone.value
    assert ten.high - ten.low > alone.high - alone.low > 2.5 * (none.high - none.low)


def test_the_mean_of_numbers_has_the_textbook_interval():
    values = np.random.default_rng(4).normal(3, 2, 80)
    found = mean(values[None])
    half = 1.959964 * values.std(ddof=1) / np.sqrt(80)
    assert (found.value, found.low, found.high) == pytest.approx(
        (values.mean(), values.mean() - half, values.mean() + half)
    )


def test_two_arms_class_by_class(answered):
    labels, said = answered
    worse = said.copy()
    worse[:, labels == 2] = 0
    found = between(labels, (said, worse), NAMES, ("good", "worse"), None)
    recalls = {row.name: row.recall for row in found.classes}
    assert recalls["owl"].value == pytest.approx((said[:, labels == 2] == 2).mean())
    assert recalls["owl"].low > 0
    assert (recalls["cat"].value, recalls["cat"].low, recalls["cat"].high) == (0, 0, 0)


def test_confusion_is_scikit_learns_mean_over_seeds(answered):
    labels, said = answered
    known = np.mean([confusion_matrix(labels, each) for each in said], axis=0)
    found = confusion(labels, said, 4)
    np.testing.assert_allclose(found, known)
    first = most_confused(found, NAMES)[0]
    wrong = known - np.diag(np.diag(known))
    assert first.images == wrong.max()
    assert first.share == pytest.approx(wrong.max() / known[NAMES.index(first.label)].sum())
    assert all(pair.label != pair.answer for pair in most_confused(found, NAMES))


def test_calibration_by_hand():
    sure = np.array([[0.95, 0.99, 0.55, 0.57]])
    right = np.array([[True, True, False, True]])
    low, high = calibration(sure, right)
    assert (low.said, low.came_true, low.share) == pytest.approx((0.56, 0.5, 0.5))
    assert (high.said, high.came_true, high.share) == pytest.approx((0.97, 1.0, 0.5))


def test_refusing_the_unsure_leaves_the_error_of_the_rest():
    sure = np.linspace(0.01, 1, 100)[None]
    right = sure > 0.3
    found = {round(each.kept, 2): each for each in coverage(sure, right, None)}
    assert found[1.0].error.value == pytest.approx(0.3)
    assert found[0.8].error.value == pytest.approx(10 / 80)
    assert found[0.7].error.value == 0
    assert found[0.8].threshold == pytest.approx(0.21)


def test_of_equally_sure_answers_all_are_kept():
    found = coverage(np.full((1, 10), 0.7), np.arange(10)[None] < 5, None)
    assert {(each.kept, each.error.value) for each in found} == {(1.0, 0.5)}


def test_thresholds_are_chosen_on_validation_and_judged_on_test():
    """A class that is there whenever its probability is above 0.2."""
    random = np.random.default_rng(5)
    said, told = random.random((1, 500, 1)), random.random((200, 1))
    found = thresholds(said[0] > 0.2, said, [[(told, told > 0.2)]], ["rare"], None, [500])[0]
    assert found.threshold == pytest.approx(0.2, abs=0.03)
    assert found.f1.value > 0.97 > 0.85 > found.f1_at_half.value


def test_the_threshold_of_a_fold_is_chosen_on_its_own_validation_images_alone():
    """Two folds whose class is there above 0.2 and above 0.6: each is right with its own threshold only."""
    random = np.random.default_rng(6)
    limits, said = (0.2, 0.6), random.random((1, 600, 1))
    told = [random.random((300, 1)) for _ in limits]
    there = said[0] > np.repeat(limits, [400, 200])[:, None]
    validation = [[(one, one > limit) for one, limit in zip(told, limits, strict=True)]]
    found = thresholds(there, said, validation, ["rare"], None, [400, 200])[0]
    assert found.threshold == pytest.approx(0.4, abs=0.03)
    assert found.f1.value > 0.96


def test_the_surest_mistakes_of_all_runs_come_first():
    labels = np.array([0, 1, 1, 0])
    runs = [
        np.array([[0.9, 0.1], [0.95, 0.05], [0.4, 0.6], [0.3, 0.7]]),
        np.array([[0.8, 0.2], [0.85, 0.15], [0.3, 0.7], [0.4, 0.6]]),
    ]
    found = most_certain(labels, runs, 2)
    assert [(one.place, one.label, one.answer) for one in found] == [(1, 1, 0), (3, 0, 1)]
    assert found[0].probability == pytest.approx(0.9)


def test_residuals_by_value():
    values = np.arange(100.0)
    found = residuals(values, (values + np.where(values < 20, 2.0, -1.0))[None], None)
    assert found.bias.value == pytest.approx(0.2 * 2 - 0.8)
    assert [fifth.bias.value for fifth in found.fifths] == pytest.approx([2, -1, -1, -1, -1])
    assert found.sizes == (1, 2, 2)
