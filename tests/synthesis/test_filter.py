import numpy as np
import pytest
import torch

from azeotrope.errors import RunFailed
from azeotrope.synthesis.filter import (
    LIKE_ANOTHER,
    LIKE_HELD_OUT,
    LIKE_TRAINING,
    NOT_DIVERSE,
    OTHER_CLASS,
    Reference,
    check_worth,
    farthest_first,
    judge,
)
from azeotrope.synthesis.spec import FilterSpec
from azeotrope.teacher.heads.head import Head

FEATURES, CLASSES = 32, 3


@pytest.fixture
def world():
    """Embeddings whose first three entries are the class; the rest is what a picture shows besides."""
    generator = torch.Generator().manual_seed(0)

    def pictures(labels):
        features = torch.randn(len(labels), FEATURES, generator=generator)
        features[:, :CLASSES] = 3 * torch.nn.functional.one_hot(torch.tensor(labels), CLASSES)
        return features

    weight = torch.zeros(CLASSES, FEATURES)
    weight[:, :CLASSES] = 2 * torch.eye(CLASSES)
    head = Head(weight[None], torch.zeros(1, CLASSES), 1e-3, 1.0)
    reference = Reference(pictures([0, 1, 2] * 30), pictures([0, 1, 2] * 10))
    return pictures, head, reference


def test_what_shows_its_class_and_is_new_is_kept(world):
    pictures, head, reference = world
    made = judge(pictures([0, 1, 2, 0]), torch.tensor([0, 1, 2, 0]), head, reference, FilterSpec())
    assert made.kept.all()
    assert made.counts() == {}
    logits = head.logits(torch.tensor([[6.0 / 2, 0, 0] + [0] * (FEATURES - 3)]))
    np.testing.assert_allclose(made.agreement, logits.softmax(1)[0, 0].item(), rtol=1e-5)


def test_a_picture_of_another_class_is_refused_with_what_is_seen(world):
    pictures, head, reference = world
    made = judge(pictures([0, 2]), torch.tensor([0, 1]), head, reference, FilterSpec())
    assert made.reasons == ("", OTHER_CLASS)
    assert made.seen_as.tolist() == [0, 2]


@pytest.mark.parametrize(("part", "reason"), [("held_out", LIKE_HELD_OUT), ("train", LIKE_TRAINING)])
def test_a_planted_image_is_seen_and_dropped(world, part, reason):
    """No leak: an image of the test split among the pictures, slightly changed as by compression."""
    pictures, head, reference = world
    planted = getattr(reference, part)[:1] + 0.02 * torch.randn(1, FEATURES)
    made = judge(torch.cat([pictures([0]), planted]), torch.tensor([0, 0]), head, reference, FilterSpec())
    assert made.reasons == ("", reason)


def test_of_two_pictures_alike_the_first_that_counts_stays(world):
    pictures, head, reference = world
    one = pictures([1])
    features = torch.cat([one, one, pictures([1])])
    labels = torch.tensor([1, 1, 1])
    assert judge(features, labels, head, reference, FilterSpec()).reasons == ("", LIKE_ANOTHER, "")
    withheld = judge(features, labels, head, reference, FilterSpec(), {0: "withheld"})
    assert withheld.reasons == ("withheld", "", "")


def test_diversity_keeps_so_many_a_class(world):
    pictures, head, reference = world
    labels = [0] * 6 + [1] * 2
    made = judge(pictures(labels), torch.tensor(labels), head, reference, FilterSpec(diverse=3))
    assert made.kept[:6].sum() == 3
    assert made.kept[6:].all()
    assert made.counts() == {NOT_DIVERSE: 3}


def test_farthest_first_takes_the_corners():
    """On a circle: after the first, the opposite point, then those between (Gonzalez 1985)."""
    angles = torch.tensor([0.0, 10, 90, 180, 190, 270]) * torch.pi / 180
    points = torch.stack([angles.cos(), angles.sin()], 1)
    assert farthest_first(points, 2) == {0, 3}
    assert farthest_first(points, 4) == {0, 2, 3, 5}
    assert farthest_first(points, 9) == set(range(6))
    assert farthest_first(points[:0], 3) == set()


@pytest.mark.parametrize(
    ("trained_here", "ways"),
    [(True, "try more --training-steps, more images"), (False, "try other --template or --descriptions")],
)
def test_nothing_kept_is_refused_with_reasons_and_advice(world, trained_here, ways):
    pictures, head, reference = world
    labels = torch.tensor([0, 1, 2] * 20)
    made = judge(pictures([0] * 60), labels, head, reference, FilterSpec())
    with pytest.raises(RunFailed) as refused:
        check_worth(made, labels.numpy(), "out/pictures.html", trained_here=trained_here)
    said = str(refused.value)
    assert "The teacher refuses these pictures" in said
    assert "33.3 % of 60 kept (40 not seen as its class); the intended class seen in 33.3 %" in said
    assert "chance and three standard errors" in said
    assert f"look at out/pictures.html; {ways}" in said


def test_a_good_set_passes(world):
    pictures, head, reference = world
    labels = [0, 1, 2] * 20
    made = judge(pictures(labels), torch.tensor(labels), head, reference, FilterSpec())
    check_worth(made, np.array(labels), "x", trained_here=False)
