"""Confident learning: by the paper's own counting, image by image, and on answers of a known noise."""

import numpy as np
import pytest

from azeotrope.diagnosis.suspects import suspects


def counted(probabilities, labels):
    """Equation 1 of Northcutt et al. 2021 in loops: (image, label, class) off the diagonal of the confident joint."""
    classes = range(probabilities.shape[1])
    thresholds = {j: np.mean([p[j] for p, y in zip(probabilities, labels, strict=True) if y == j]) for j in classes}
    found = set()
    for image, (p, label) in enumerate(zip(probabilities, labels, strict=True)):
        sure = [j for j in classes if p[j] >= thresholds[j]]
        if sure and (best := max(sure, key=lambda j: p[j])) != label and p[best] > p[label]:
            found.add((image, label, best))
    return found


@pytest.fixture
def noisy():
    """Sharp and blunt answers of 4 unequal classes, of which 10 % carry another label; and which do."""
    rng = np.random.default_rng(3)
    true = rng.choice(4, 600, p=[0.6, 0.25, 0.1, 0.05])
    logits = rng.normal(size=(600, 4)) + 4 * np.eye(4)[true]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wrong = rng.random(600) < 0.1
    return probabilities, np.where(wrong, (true + rng.integers(1, 4, 600)) % 4, true), wrong


def every(labels):
    return np.ones(len(labels), dtype=bool)


def test_they_are_those_off_the_diagonal_of_the_confident_joint(noisy):
    probabilities, labels, _ = noisy
    found = suspects(probabilities, labels, every(labels))
    listed = set(zip(found.places.tolist(), labels[found.places].tolist(), found.likely.tolist(), strict=True))
    assert listed == counted(probabilities, labels)


def test_wrong_labels_are_found_and_the_surest_stand_first(noisy):
    probabilities, labels, wrong = noisy
    found = suspects(probabilities, labels, every(labels))
    assert (np.diff(found.margins) <= 0).all()
    assert wrong[found.places].sum() / wrong.sum() > 0.7
    assert wrong[found.places[:20]].all()


def test_a_class_of_which_the_model_is_never_sure_is_not_suspected_for_it():
    """Class 1 never gets more than 0.45; its images are no suspects, and one of class 0 that gets 0.45 is none either:
    the class 0 is more probable.
    """
    probabilities = np.array([[0.9, 0.1]] * 5 + [[0.58, 0.42]] * 5)
    labels = np.array([0] * 5 + [1] * 5)
    assert len(suspects(probabilities, labels, every(labels)).places) == 0


def test_images_that_are_not_judged_are_not_listed_but_set_the_thresholds(noisy):
    probabilities, labels, _ = noisy
    judged = np.arange(len(labels)) % 2 == 0
    found = suspects(probabilities, labels, judged)
    all_of_them = suspects(probabilities, labels, every(labels))
    assert set(found.places) == {place for place in all_of_them.places if judged[place]}


def test_a_class_of_which_no_image_is_judged_is_nobodys_likely_class():
    """The heads know class 2 from validation images alone: their mean probability of it, 0.02, is reached by chance."""
    probabilities = np.array([[0.6, 0.38, 0.02]] * 4 + [[0.38, 0.6, 0.02]] * 4 + [[0.5, 0.48, 0.02]] * 2)
    probabilities[0] = [0.1, 0.15, 0.75]
    labels = np.array([0] * 4 + [1] * 4 + [2] * 2)
    assert suspects(probabilities, labels, every(labels)).likely.tolist()[:1] == [2]
    assert 2 not in suspects(probabilities, labels, labels != 2).likely


def test_a_class_without_images_is_nobodys_likely_label():
    probabilities = np.array([[0.1, 0.1, 0.8]] * 4 + [[0.6, 0.3, 0.1]] * 2)
    found = suspects(probabilities, np.array([0, 0, 1, 1, 0, 1]), every(range(6)))
    assert 2 not in found.likely
