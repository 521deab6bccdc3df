"""What a head says of an image whose label it has not seen; strength and temperature by what is said there."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from azeotrope.kinds.number import KIND as NUMBER
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.heads.folds import folds_of
from azeotrope.teacher.heads.head import STRENGTHS, Head, best_temperature, fit_head, fit_in_sample

from .problems import problem


def crossed(images=200, features=6, folds=5, **changes):
    values, labels = problem(images, features, **changes)
    fold = torch.from_numpy(folds_of(labels.numpy(), SINGLE, folds))
    return fit_head(values, labels, 3, fold), values, labels, fold


def test_an_image_is_spoken_of_by_the_head_that_has_not_seen_it():
    """Exchange the labels of one fold: what is said of its images stays, up to the strength and the temperature that
    are chosen on all; what is said of the others changes.
    """
    head, values, labels, fold = crossed()
    other = torch.where(fold == 2, (labels + 1) % 3, labels)
    changed = fit_head(values, other, 3, fold)
    mine = fold == 2
    before = head.logits(values, fold) * head.temperature
    after = changed.logits(values, fold) * changed.temperature
    if head.strength == changed.strength:
        torch.testing.assert_close(before[mine], after[mine], rtol=1e-2, atol=2e-2)
    assert (before[~mine].argmax(1) != after[~mine].argmax(1)).double().mean() > 0.02


def test_labels_that_mean_nothing_are_not_repeated():
    """60 features, 60 images, random labels: a head fitted on them knows all, out of fold it knows nothing."""
    values, _ = problem(60, 60)
    labels = torch.randint(3, (60,), generator=torch.Generator().manual_seed(3))
    fold = torch.from_numpy(folds_of(labels.numpy(), SINGLE))
    head = fit_head(values, labels, 3, fold)
    assert SINGLE.error(head.logits(values, fold), labels) > 0.45
    assert SINGLE.loss(head.logits(values, fold), labels) > 1.0  # log 3 = 1.0986
    in_sample = LogisticRegression(C=1e4, max_iter=5000).fit(values.numpy(), labels.numpy())
    assert in_sample.score(values.numpy(), labels.numpy()) == 1


@pytest.mark.parametrize("noise", [1.5, 3.0])
def test_strength_and_temperature_have_the_lowest_out_of_fold_loss(noise):
    """By scikit-learn: for each strength the fits of all folds, and for each the best of many temperatures."""
    head, values, labels, fold = crossed(120, 30, noise=noise)
    standard = ((values - values.mean(0)) / values.std(0, correction=0)).double().numpy()
    losses = {}
    for strength in STRENGTHS:
        said = np.zeros((120, 3))
        for number in range(5):
            train = fold.numpy() != number
            fit = LogisticRegression(C=1 / (strength * train.sum()), tol=1e-8, max_iter=10_000)
            said[~train] = fit.fit(standard[train], labels.numpy()[train]).decision_function(standard[~train])
        for temperature in np.geomspace(0.06, 15, 60):
            losses[strength, temperature] = SINGLE.loss(torch.tensor(said / temperature), labels).item()
    found = SINGLE.loss(head.logits(values, fold), labels).item()
    assert found == pytest.approx(min(losses.values()), rel=0.01)
    at_strength = {pair: loss for pair, loss in losses.items() if pair[0] == head.strength}
    assert head.temperature == pytest.approx(min(at_strength, key=at_strength.get)[1], rel=0.15)


def test_another_image_is_spoken_of_by_the_mean_of_the_heads():
    head, *_ = crossed()
    others, _ = problem(50, seed=1)
    folds = zip(head.weight[:5], head.bias[:5], strict=True)
    each = torch.stack([others @ weight.T + bias for weight, bias in folds])
    torch.testing.assert_close(head.logits(others), each.mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(head.logits(others, torch.full((50,), -1)), each.mean(0), rtol=1e-4, atol=1e-4)
    mixed = head.logits(others, torch.arange(50) % 5)
    torch.testing.assert_close(mixed[7], each[2, 7], rtol=1e-4, atol=1e-4)


def test_one_head_on_all_images_has_seen_what_it_speaks_of():
    """The same features and random labels: fitted in sample, it repeats what it was told."""
    values, _ = problem(60, 60)
    labels = torch.randint(3, (60,), generator=torch.Generator().manual_seed(3))
    head = fit_in_sample(values, labels, 3, (values, labels))
    assert head.folds == 0
    assert SINGLE.error(head.logits(values, torch.zeros(60, dtype=torch.int64)), labels) == 0


def test_a_class_without_training_images_is_never_the_answer():
    values, labels = problem()
    head = fit_head(values, labels, 4, torch.arange(200) % 5)
    assert head.weight.shape == (6, 4, 6)
    assert not (head.logits(values).argmax(1) == 3).any()


def test_a_class_of_one_image_is_fitted_without_complaint():
    """The fold that holds it has no image of its class to learn from."""
    values, labels = problem()
    labels[labels == 2] = 0
    labels[17] = 2
    head = fit_head(values, labels, 3, torch.arange(200) % 5)
    assert torch.isfinite(head.logits(values, torch.arange(200) % 5)).all()


def test_the_temperature_undoes_a_scale():
    """Labels drawn from softmax(z): the best temperature of 3 z is 3."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20_000, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert best_temperature(3 * logits, labels, SINGLE) == pytest.approx(3, rel=0.05)
    assert best_temperature(torch.randn(5, 1), torch.randn(5), NUMBER) == 1


def test_a_scale_of_the_features_changes_nothing():
    head, values, labels, fold = crossed()
    scaled = fit_head(values * 1000, labels, 3, fold)
    torch.testing.assert_close(head.logits(values, fold), scaled.logits(values * 1000, fold), rtol=2e-2, atol=2e-2)


def test_the_same_images_give_the_same_head():
    assert torch.equal(crossed()[0].weight, crossed()[0].weight)


def test_by_length_where_the_head_is_of_names():
    head = Head(torch.eye(2)[None], torch.zeros(1, 2), cosine=True)
    torch.testing.assert_close(head.logits(torch.tensor([[3.0, 4.0]])), torch.tensor([[0.6, 0.8]]))
