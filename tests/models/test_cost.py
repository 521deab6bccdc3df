"""Closed forms, and the numbers that papers and model tables print."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from azeotrope.models.cost import latency_ms, macs, parameters


def test_a_linear_and_a_convolution_by_their_formula():
    convolution = nn.Conv2d(3, 8, 5, stride=2, padding=2, bias=True)
    assert parameters(convolution) == 8 * 3 * 5 * 5 + 8
    assert macs(convolution, 32) == 16 * 16 * 8 * 3 * 5 * 5
    grouped = nn.Conv2d(4, 8, 3, groups=4, padding=1)
    assert macs(grouped, 10, channels=4) == 10 * 10 * 8 * 1 * 3 * 3
    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 7 * 7, 11))
    assert parameters(linear) == 3 * 7 * 7 * 11 + 11
    assert macs(linear, 7) == 3 * 7 * 7 * 11


@pytest.mark.parametrize(
    ("name", "millions", "giga_macs"),
    [
        ("resnet18", 11.69, 1.81),  # He et al. 2015, torchvision's table
        ("mobilenet_v2", 3.50, 0.30),  # Sandler et al. 2018, table 4: 3.4 M, 300 M
    ],
)
def test_published_costs_of_cnns(name, millions, giga_macs):
    with torch.device("meta"):
        network = torchvision.models.get_model(name)
    assert parameters(network) / 1e6 == pytest.approx(millions, abs=0.01)
    assert macs(network, 224) / 1e9 == pytest.approx(giga_macs, abs=0.01)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_attention_is_counted(device):
    """DeiT-Ti: 1.26 G with the products of attention, 1.07 G without them (timm's table: 1.3)."""
    with torch.device(device):
        network = timm.create_model("deit_tiny_patch16_224")
    assert macs(network, 224) / 1e9 == pytest.approx(1.26, abs=0.01)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_attention_behind_torchs_fast_path_is_counted(device):
    """ViT-B/16: 17.56 G in torchvision's table; 11.3 G without what `nn.MultiheadAttention` does in one call."""
    with torch.device(device):
        network = torchvision.models.vit_b_16()
    fast = torch.backends.mha.get_fastpath_enabled()
    assert macs(network, 224) / 1e9 == pytest.approx(17.56, abs=0.01)
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_measuring_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2))
    network[1].eval()
    network[0].weight.requires_grad_(False)
    statistics, threads = network[1].running_mean.clone(), torch.get_num_threads()
    macs(network, 8)
    latency_ms(network, 8, threads=1, repeats=2)
    assert [module.training for module in network] == [True, False, True, True]
    assert [parameter.requires_grad for parameter in network[0].parameters()] == [False, True]
    assert torch.equal(network[1].running_mean, statistics)
    assert torch.get_num_threads() == threads


def test_latency_is_the_median_of_the_runs_after_warm_up(monkeypatch):
    ticks = iter([0, 900, 0, 900, 0, 900, 0, 5, 0, 1, 0, 3])  # three runs of warm-up, then 5, 1 and 3 seconds
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    assert latency_ms(nn.Conv2d(3, 1, 1), 8, repeats=3) == 3000
