"""One answer over several sizes, from runs whose verdicts are plain by hand."""

import pytest

from azeotrope.reporting.page.overall import overall
from azeotrope.reporting.summary import summarise

from .factories import run, three_seeds

FAR, NEAR = ([300, 302, 301], [280, 281, 282]), ([300, 310, 290], [299, 290, 305])


def at(size, scratch, distilled):
    own = three_seeds("distill", distilled, val_error=0.1, train_images=size)
    return summarise([*three_seeds("scratch", scratch, train_images=size), *own])


@pytest.mark.parametrize(
    ("sizes", "call", "sentence"),
    [
        (
            [at(250, *FAR), at(1000, *FAR)],
            "BEATS",
            "distill beats scratch at 250 and 1,000 training images, by 2.0 points.",
        ),
        (
            [at(250, *NEAR), at(500, *NEAR), at(1000, *NEAR)],
            "INCONCLUSIVE",
            "These runs do not decide between distill and scratch at 250, 500 and 1,000 training images.",
        ),
        (
            [at(250, *FAR[::-1]), at(500, *NEAR), at(1000, *FAR)],
            "BEATS",
            "scratch beats distill at 250 training images, by 2.0 points; these runs do not decide at 500 training "
            "images; distill beats scratch at 1,000 training images, by 2.0 points.",
        ),
        (
            [at(500, *FAR), at(1000, *NEAR)],
            "INCONCLUSIVE",
            "distill beats scratch at 500 training images, by 2.0 points; these runs do not decide at 1,000 training "
            "images.",
        ),
    ],
)
def test_who_wins_where_is_one_sentence(sizes, call, sentence):
    found = overall(sizes)
    assert (found.sentence, found.call) == (sentence, call)


def test_the_order_of_the_sizes_does_not_matter():
    assert overall([at(1000, *NEAR), at(500, *FAR)]) == overall([at(500, *FAR), at(1000, *NEAR)])


def test_gains_of_several_sizes_are_a_range():
    more = ([300, 302, 301], [270, 271, 272])
    assert "by 2.0 to 3.0 points" in overall([at(250, *FAR), at(500, *more)]).sentence


def test_without_a_verdict_there_is_no_answer():
    assert overall([summarise([run()]), summarise([run(train_images=1000)])]) is None
