"""The drop of accuracy and its interval, by counting and by simulation."""

import warnings

import numpy as np
import pytest
import torch

from azeotrope.exporting.drop import LEVEL, drop, paired_shares, verdict
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds._measures import judged_by
from azeotrope.record.interval import Interval


def outputs(answers, classes=10):
    """Logits whose largest is the answer."""
    return torch.nn.functional.one_hot(torch.tensor(answers), classes).float()


def test_it_is_the_difference_of_the_errors():
    labels = np.array([0, 1, 2, 3, 4])
    lost = drop(kind_named("single"), outputs([0, 1, 2, 3, 9]), outputs([0, 1, 9, 9, 4]), labels)
    assert lost.value == pytest.approx(1 / 5)  # two lost, one won
    assert -1 <= lost.low < lost.value < lost.high <= 1


@pytest.mark.parametrize(("lose", "win"), [(0.02, 0.02), (0.05, 0.01), (0.0, 0.0)])
def test_the_interval_covers_as_often_as_it_says(lose, win):
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        draw = random.random(300)
        network, file = draw < 1 - win, (draw < 1 - win - lose) | (draw >= 1 - win)
        covered += (lose - win) in paired_shares(network, file)
    assert covered / 2000 > LEVEL - 0.02


def test_a_number_is_judged_by_its_own_error():
    labels = np.linspace(0, 10, 200)
    truth = torch.tensor(labels)[:, None]
    noise = torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    lost = drop(kind_named("number"), truth.float(), (truth + noise).float(), labels)
    assert lost.value == pytest.approx(float(noise.square().sum() / (truth - truth.mean()).square().sum()), rel=1e-4)
    assert 0 < lost.low < lost.value < lost.high


def test_a_measure_that_needs_a_rare_class_has_an_interval_all_the_same(tmp_path):
    """Of 40 images one is of class 1, so a third of all draws have none; of 3 images most draws lack a class."""
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "def worst(labels, said):\n"
        "    return np.max([(said[labels == each].argmax(1) != each).mean() for each in range(said.shape[1])])\n"
    )
    judge = judged_by(kind_named("single"), f"file:{tmp_path / 'own.py'}:worst")
    labels = np.array([0] * 39 + [1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing
        lost = drop(judge, outputs(labels, 2), outputs([1] * 8 + [0] * 31 + [1], 2), labels)
        few = drop(judge, outputs([0, 1, 2], 3), outputs([0, 1, 1], 3), np.arange(3))
    assert lost.value == pytest.approx(8 / 39)
    assert 0 < lost.low < lost.value < lost.high < 0.5
    assert (few.value, few.low, few.high) == (1.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.02, 0.009, "LOSES LESS"), (-0.01, 0.02, "INCONCLUSIVE"), (0.011, 0.03, "LOSES MORE")],
)
def test_the_whole_interval_decides(low, high, said):
    assert verdict(Interval((low + high) / 2, low, high), 0.01) == said
