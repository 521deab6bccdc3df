"""Truth: scikit-learn has the same objectives, logistic with C = 1 / (strength N), ridge with alpha = strength N."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from azeotrope.kinds.multi import KIND as MULTI
from azeotrope.kinds.number import KIND as NUMBER
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.heads.probe import Problem, axes_of

from .problems import problem


def minimum(problem, outputs, *strengths):
    """The fit at the last strength, reached as `fit_head` reaches it."""
    *_, near = problem.path(outputs, strengths)
    return problem.minimum(near)


def standardised(features, axes):
    return ((features - axes.mean) / axes.std).double().numpy()


@pytest.mark.parametrize("images", [40, 300])
@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_each_parts_fit_is_that_of_scikit_learn(images, strength):
    """Fewer images than features and more; two parts at once, each blind to the other's images."""
    features, labels = problem(images, 60)
    parts = torch.arange(images) % 2 == torch.tensor([[0], [1]])
    axes = axes_of(features)
    of_both = Problem(axes, labels, parts, SINGLE)
    fit = minimum(of_both, 3, 1.0, strength)
    assert fit.strength == strength
    weight, offset = axes.weights(fit.along, fit.bias)
    standard = standardised(features, axes)
    for number, part in enumerate(parts.numpy()):
        reference = LogisticRegression(C=1 / (strength * part.sum()), tol=1e-10, max_iter=10_000)
        reference.fit(standard[part], labels.numpy()[part])
        expected = reference.predict_proba(standard)
        np.testing.assert_allclose(of_both.outputs(fit)[number].softmax(1), expected, atol=3e-3)
        np.testing.assert_allclose((features @ weight[number].T + offset[number]).softmax(1), expected, atol=3e-3)


def test_a_yes_or_no_a_class_is_one_logistic_regression_each():
    features, labels = problem(200, 20)
    shows = torch.nn.functional.one_hot(labels, 3).float()
    axes, everything = axes_of(features), torch.ones(1, 200, dtype=torch.bool)
    of_classes = Problem(axes, shows, everything, MULTI)
    fit = minimum(of_classes, 3, 1e-2)
    for place in range(3):
        reference = LogisticRegression(C=1 / (1e-2 * 200), tol=1e-10, max_iter=10_000)
        reference.fit(standardised(features, axes), shows[:, place].numpy())
        said = of_classes.outputs(fit)[0, :, place].sigmoid()
        np.testing.assert_allclose(said, reference.predict_proba(standardised(features, axes))[:, 1], atol=3e-3)


@pytest.mark.parametrize("images", [30, 200])
def test_a_number_is_ridge_regression(images):
    features, labels = problem(images, 50)
    values = (features[:, 3] / features[:, 3].std() + labels).float()
    axes, everything = axes_of(features), torch.ones(1, images, dtype=torch.bool)
    of_values = Problem(axes, values, everything, NUMBER)
    reference = Ridge(alpha=1e-2 * images).fit(standardised(features, axes), values.double().numpy())
    expected = reference.predict(standardised(features, axes))
    np.testing.assert_allclose(of_values.outputs(minimum(of_values, 1, 1e-2))[0, :, 0], expected, atol=3e-3)


def test_a_constant_feature_does_no_harm():
    features, labels = problem(100, 6)
    features = torch.cat([features, torch.full((100, 1), 3.0)], 1)
    axes, everything = axes_of(features), torch.ones(1, 100, dtype=torch.bool)
    fit = minimum(Problem(axes, labels, everything, SINGLE), 3, 1e-2)
    weight, offset = axes.weights(fit.along, fit.bias)
    assert torch.isfinite(weight).all()
    assert torch.isfinite(offset).all()
    assert axes.coordinates.shape[1] == 6


def test_a_fit_on_the_path_is_near_enough_to_choose_a_strength_by():
    """A thousandth of the log-loss that scikit-learn's minimum has, far less than strengths differ by."""
    features, labels = problem(300, 60)
    axes, everything = axes_of(features), torch.ones(1, 300, dtype=torch.bool)
    of_all = Problem(axes, labels, everything, SINGLE)
    for near in of_all.path(3, (1.0, 1e-1, 1e-2)):
        reference = LogisticRegression(C=1 / (near.strength * 300), tol=1e-10, max_iter=10_000)
        reference.fit(standardised(features, axes), labels.numpy())
        expected = torch.from_numpy(reference.predict_log_proba(standardised(features, axes)))
        least = torch.nn.functional.nll_loss(expected, labels).item()
        assert SINGLE.losses(of_all.outputs(near)[0], labels).mean().item() == pytest.approx(least, abs=2e-3)
