"""Truth: scikit-learn has the same objectives, logistic with C = 1 / (strength N), ridge with alpha = strength N."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from azeotrope.kinds.multi import KIND as MULTI
from azeotrope.kinds.number import KIND as NUMBER
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.probe import axes_of, outputs_of, path

from .problems import problem


def standardised(features, axes):
    return ((features - axes.mean) / axes.std).double().numpy()


@pytest.mark.parametrize("images", [40, 300])
@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_each_parts_fit_is_that_of_scikit_learn(images, strength):
    """Fewer images than features and more; two parts at once, each blind to the other's images."""
    features, labels = problem(images, 60)
    parts = torch.arange(images) % 2 == torch.tensor([[0], [1]])
    axes = axes_of(features)
    *_, (reached, along, bias) = path(axes, labels, parts, 3, (1.0, strength), SINGLE)
    assert reached == strength
    weight, offset = axes.weights(along, bias)
    standard = standardised(features, axes)
    for number, part in enumerate(parts.numpy()):
        reference = LogisticRegression(C=1 / (strength * part.sum()), tol=1e-10, max_iter=10_000)
        reference.fit(standard[part], labels.numpy()[part])
        expected = reference.predict_proba(standard)
        np.testing.assert_allclose(outputs_of(axes, along, bias)[number].softmax(1), expected, atol=3e-3)
        np.testing.assert_allclose((features @ weight[number].T + offset[number]).softmax(1), expected, atol=3e-3)


def test_a_yes_or_no_a_class_is_one_logistic_regression_each():
    features, labels = problem(200, 20)
    shows = torch.nn.functional.one_hot(labels, 3).float()
    axes, everything = axes_of(features), torch.ones(1, 200, dtype=torch.bool)
    ((_, along, bias),) = path(axes, shows, everything, 3, (1e-2,), MULTI)
    for place in range(3):
        reference = LogisticRegression(C=1 / (1e-2 * 200), tol=1e-10, max_iter=10_000)
        reference.fit(standardised(features, axes), shows[:, place].numpy())
        said = outputs_of(axes, along, bias)[0, :, place].sigmoid()
        np.testing.assert_allclose(said, reference.predict_proba(standardised(features, axes))[:, 1], atol=3e-3)


@pytest.mark.parametrize("images", [30, 200])
def test_a_number_is_ridge_regression(images):
    features, labels = problem(images, 50)
    values = (features[:, 3] / features[:, 3].std() + labels).float()
    axes, everything = axes_of(features), torch.ones(1, images, dtype=torch.bool)
    ((_, along, bias),) = path(axes, values, everything, 1, (1e-2,), NUMBER)
    reference = Ridge(alpha=1e-2 * images).fit(standardised(features, axes), values.double().numpy())
    expected = reference.predict(standardised(features, axes))
    np.testing.assert_allclose(outputs_of(axes, along, bias)[0, :, 0], expected, atol=3e-3)


def test_a_constant_feature_does_no_harm():
    features, labels = problem(100, 6)
    features = torch.cat([features, torch.full((100, 1), 3.0)], 1)
    axes, everything = axes_of(features), torch.ones(1, 100, dtype=torch.bool)
    ((_, along, bias),) = path(axes, labels, everything, 3, (1e-2,), SINGLE)
    weight, offset = axes.weights(along, bias)
    assert torch.isfinite(weight).all()
    assert torch.isfinite(offset).all()
    assert axes.coordinates.shape[1] == 6
