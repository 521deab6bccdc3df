"""The average of the weights against its closed forms."""

import pytest
import torch
from torch import nn

from azeotrope.train.average import Average


@pytest.fixture
def network():
    made = nn.Sequential(nn.Linear(2, 1, bias=False), nn.BatchNorm1d(1))
    made[0].weight.requires_grad_(requires_grad=False)
    return made


def after(network, values, share, steps):
    average = Average.of(network, share, steps)
    for step, value in enumerate(values):
        network[0].weight.fill_(value)
        average.add(step)
    return average.tensors["0.weight"]


def test_within_its_memory_it_is_the_plain_mean(network):
    assert after(network, [1.0, 2.0, 6.0], share=0.5, steps=10).tolist() == [[pytest.approx(3.0)] * 2]


def test_beyond_its_memory_it_forgets_exponentially(network):
    """Memory 2: from the third step on half the old and half the new."""
    values = [4.0, 2.0, 1.0, 0.0]
    expected = (((4 + 2) / 2 + 1) / 2 + 0) / 2
    assert after(network, values, share=0.02, steps=100).tolist() == [[pytest.approx(expected)] * 2]


def test_a_memory_below_a_step_is_the_last_weights(network):
    assert after(network, [4.0, 2.0, 1.0], share=0.01, steps=10).tolist() == [[1.0, 1.0]]


def test_statistics_are_averaged_and_counts_are_not(network):
    average = Average.of(network, 1.0 - 1e-9, 100)
    for step, value in enumerate([1.0, 3.0]):
        network[1].running_mean.fill_(value)
        network[1].num_batches_tracked.fill_(step + 1)
        average.add(step)
    average.replace_weights()
    assert network[1].running_mean.item() == pytest.approx(2.0)
    assert network[1].num_batches_tracked.item() == 2


def test_what_does_not_move_stays_to_the_bit(network):
    network[0].weight.copy_(torch.tensor([[0.1, 1 / 3]]))
    before = network[0].weight.clone()
    average = Average.of(network, 0.3, 50)
    for step in range(50):
        average.add(step)
    average.replace_weights()
    assert torch.equal(network[0].weight, before)
