"""Truth: scikit-learn's multinomial logistic regression minimises the same objective, C = 1 / (strength N)."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from azeotrope.teacher import head as head_module
from azeotrope.teacher.head import fit_head


def problem(images=200, features=6, classes=3, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    centres = np.random.default_rng(99).normal(size=(classes, features))
    scale = np.geomspace(0.1, 30, features)  # features of very different size
    values = (centres[labels] + noise * rng.normal(size=(images, features))) * scale + 5
    return torch.tensor(values, dtype=torch.float32), torch.tensor(labels)


@pytest.mark.parametrize("strength", [1e-3, 1e-2, 1e-1])
def test_the_solution_is_that_of_scikit_learn(monkeypatch, strength):
    monkeypatch.setattr(head_module, "STRENGTHS", (strength,))
    (features, labels), (others, other_labels) = problem(), problem(seed=1)
    head = fit_head(features, labels, others, other_labels, 3)
    mean, std = features.mean(0), features.std(0)
    reference = LogisticRegression(C=1 / (strength * len(labels)), tol=1e-8, max_iter=5000)
    reference.fit(((features - mean) / std).double().numpy(), labels.numpy())
    expected = reference.predict_proba(((others - mean) / std).double().numpy())
    np.testing.assert_allclose(head.logits(others).softmax(1), expected, atol=2e-3)
    np.testing.assert_allclose(head.weight * std, reference.coef_, atol=5e-3)


def test_validation_chooses_the_strength():
    """Many noisy features and few images: the strongest penalty; many images: a weak one does as well or better."""
    few = fit_head(*problem(20, 200, noise=4), *problem(400, 200, seed=1, noise=4), 3)
    scores = {}
    for strength in head_module.STRENGTHS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(head_module, "STRENGTHS", (strength,))
            one = fit_head(*problem(20, 200, noise=4), *problem(400, 200, seed=1, noise=4), 3)
            scores[strength] = one.val_accuracy
    assert few.val_accuracy == pytest.approx(max(scores.values()), abs=0.011)
    assert scores[few.strength] == pytest.approx(few.val_accuracy, abs=0.011)


def test_the_stronger_penalty_wins_a_tie():
    features, labels = problem(noise=0.01)
    head = fit_head(features, labels, features, labels, 3)
    assert head.val_accuracy == 1
    assert head.strength == max(head_module.STRENGTHS)


def test_val_accuracy_is_that_of_the_head_on_validation():
    head = fit_head(*problem(), *problem(seed=1), 3)
    others, labels = problem(seed=1)
    said = (others.numpy() @ head.weight.numpy().T + head.bias.numpy()).argmax(1)
    assert head.val_accuracy == pytest.approx((said == labels.numpy()).mean())


def test_a_constant_feature_does_no_harm():
    features, labels = problem()
    features = torch.cat([features, torch.full((len(labels), 1), 3.0)], 1)
    head = fit_head(features, labels, features, labels, 3)
    assert torch.isfinite(head.weight).all()
    assert head.val_accuracy > 0.8


def test_a_class_without_training_images_is_never_the_answer():
    features, labels = problem(classes=3)
    head = fit_head(features, labels, features, labels, 4)
    assert head.weight.shape == (4, 6)
    assert not (head.logits(features).argmax(1) == 3).any()


def test_the_same_images_give_the_same_head():
    first, second = (fit_head(*problem(), *problem(seed=1), 3) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
