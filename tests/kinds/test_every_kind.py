"""What holds for every kind of task, ours and any file that is added."""

import numpy as np
import pytest
import torch

from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.labels import KindName
from azeotrope.lookup import members
from azeotrope.record.kinds import METRICS, WORDS

KINDS = members("kinds")
LABELS = {
    "single": [row % 3 for row in range(60)],
    "multi": [tuple(place for place in range(3) if row % (place + 2) == 0) for row in range(60)],
    "number": [row**1.5 for row in range(60)],
}


@pytest.fixture(params=KINDS)
def kind(request):
    return kind_named(request.param)


@pytest.fixture
def labels(kind):
    return kind.array(LABELS[kind.name], 3)


@pytest.fixture
def said(kind, labels):
    """Targets, and random outputs."""
    width = 1 if kind.name == "number" else 3
    outputs = torch.randn(60, width, generator=torch.Generator().manual_seed(0))
    return kind.targets(labels, kind.scale(labels)), outputs


def test_every_kind_has_words_and_may_be_asked_for():
    assert set(KINDS) == set(WORDS) == set(KindName.__args__)


def test_an_unknown_kind_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match=r"There is no kind of task named 'multy'. Allowed: nearest: multi"):
        kind_named("multy")


def test_beginnings_are_nested(kind, labels):
    order = kind.spread(labels, 60)
    assert sorted(order) == list(range(60))
    np.testing.assert_array_equal(kind.spread(labels, 17), order[:17])


def test_about_a_fifth_is_held_out(kind, labels):
    held = kind.held_out(labels, 0.2)
    assert len(set(held)) == len(held) == 12


def test_texts_and_codes_are_equal_where_labels_are(kind, labels):
    texts, codes = kind.texts(labels, ("a", "b", "c")), kind.codes(labels)
    assert len({(text, code) for text, code in zip(texts, codes, strict=True)}) == len(set(texts)) == len(set(codes))


def test_the_divergence_is_zero_of_itself_and_positive_of_another(kind, said):
    _, outputs = said
    assert kind.divergence(outputs, outputs, 4.0).item() == pytest.approx(0, abs=1e-6)
    assert kind.divergence(outputs + torch.randn_like(outputs), outputs, 4.0).item() > 0.01


def test_loss_and_divergence_are_means_over_images(kind, said):
    targets, outputs = said
    twice = torch.cat([outputs, outputs])
    torch.testing.assert_close(kind.loss(twice, torch.cat([targets, targets])), kind.loss(outputs, targets))
    torch.testing.assert_close(kind.divergence(twice, -twice, 2.0), kind.divergence(outputs, -outputs, 2.0))


def test_the_loss_is_the_mean_of_the_losses(kind, said):
    targets, outputs = said
    torch.testing.assert_close(kind.losses(outputs, targets).mean(), kind.loss(outputs, targets))


def test_no_constant_answer_has_a_lower_loss_than_the_shares(kind, said):
    targets, outputs = said
    shares = kind.shares(targets)
    assert shares.shape == (outputs.shape[1],)
    lowest = kind.loss(shares.expand(len(targets), -1), targets)
    for seed in range(20):
        moved = shares + 0.3 * torch.randn(shares.shape, generator=torch.Generator().manual_seed(seed))
        assert kind.loss(moved.expand(len(targets), -1), targets) > lowest - 1e-3


def test_the_error_is_a_fraction_and_metrics_have_names(kind, labels, said):
    targets, outputs = said
    assert 0 <= kind.error(outputs, targets) <= 1
    assert set(kind.metrics(outputs, targets, kind.scale(labels))) <= set(METRICS)


def test_right_answers_are_counted_exactly_where_the_error_is_a_share_of_images(kind, labels, said):
    targets, outputs = said
    right = kind.correct(kind.said(outputs, kind.scale(labels)), labels)
    assert (right is not None) == WORDS[kind.name].sampled
    if right is not None:
        assert 1 - right.mean() == pytest.approx(kind.error(outputs, targets))


def test_one_teacher_alone_is_the_mean_of_itself(kind, said):
    _, outputs = said
    both = kind.averaged([outputs, outputs])
    assert kind.divergence(both, outputs, 1.0).item() == pytest.approx(0, abs=1e-5)


def test_curvature_is_the_diagonal_of_the_hessian_of_the_loss(kind, said):
    targets, outputs = said
    for row in range(0, 60, 17):
        target = targets[row : row + 1]
        hessian = torch.autograd.functional.hessian(
            lambda z, target=target: kind.losses(z[None], target)[0], outputs[row]
        )
        torch.testing.assert_close(kind.curvature(outputs)[row], hessian.diagonal())
