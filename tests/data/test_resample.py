"""The two ways to resample, held against each other; `test_views` holds the first against torch's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.data.augmentation.resample import by_matrices, by_pillow
from azeotrope.data.augmentation.views import draw
from azeotrope.recipe import ViewPolicy

FEW = 0.02  # where the scale is a simple fraction, sums that end in exactly one half are common
IDENTITIES = np.random.default_rng(0).integers(0, 2**63, 24, dtype=np.uint64)


def pictures(side, channels):
    generator = torch.Generator().manual_seed(side)
    return torch.randint(0, 256, (24, side, side, channels), dtype=torch.uint8, generator=generator)


def drawn(identities):
    views = draw(ViewPolicy(), identities, 0)
    return replace(views, values=torch.from_numpy(views.values))


def levels_apart(device, side, size, kernel, channels):
    images, views = pictures(side, channels), drawn(IDENTITIES)
    here = by_pillow(images, views, size, kernel)
    there = by_matrices(images.to(device), replace(views, values=views.values.to(device)), size, kernel).cpu()
    return (here.int() - there.int()).abs()


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("side", "size"), [(28, 32), (40, 32), (264, 224), (64, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_matrices_give_pillows_pixels(side, size, kernel, channels):
    """Noise is the hardest picture. One level apart at most, and only where a sum falls on the edge of rounding."""
    apart = levels_apart("cpu", side, size, kernel, channels)
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < FEW


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_matrices_give_the_pixels_of_many_bands(channels):
    apart = levels_apart("cpu", 40, 32, "bicubic", channels)
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < FEW


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_matrices_give_the_pixels_of_16_bits(channels):
    views = drawn(IDENTITIES)
    images = torch.from_numpy(pictures(40, channels).numpy().astype(np.uint16) * 257)
    here, there = by_pillow(images, views, 32, "bicubic"), by_matrices(images, views, 32, "bicubic")
    assert here.dtype == there.dtype == torch.uint16
    assert (here.int() - there.int()).abs().max() <= 1


@pytest.mark.gpu
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("side", "size"), [(28, 32), (264, 224)])
def test_the_gpu_gives_the_cpus_pixels(side, size, kernel):
    apart = levels_apart("cuda", side, size, kernel, 3)
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < FEW


def test_a_pictures_pixels_do_not_depend_on_its_batch():
    images = pictures(40, 3)
    together = by_pillow(images, drawn(IDENTITIES), 32, "bicubic")
    for place in range(3):
        alone = by_pillow(images[[place]], drawn(IDENTITIES[[place]]), 32, "bicubic")
        assert torch.equal(alone[0], together[place])
