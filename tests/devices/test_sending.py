"""What arrives on a device is what the host had; the device here is torch's own processor, reached as a card is."""

from dataclasses import replace

import numpy as np
import torch

from azeotrope.data.augmentation.views import draw
from azeotrope.data.host_batch import Inputs
from azeotrope.devices.transfer import sent
from azeotrope.recipe import ViewPolicy

RNG = np.random.default_rng(0)
IDENTITIES = np.arange(5, dtype=np.uint64)


def batch(side):
    """With an array in every place that can hold one."""
    drawn = draw(ViewPolicy(), IDENTITIES, 1)
    bare = Inputs(RNG.integers(0, 256, (5, side, side, 3), dtype=np.uint8), drawn)
    return Inputs(
        bare.pixels,
        drawn,
        labels=RNG.normal(size=(5, 4)).astype(np.float32),
        places=np.arange(5)[::-1],
        folds=np.arange(5) - 1,
        stored=(RNG.normal(size=(5, 7)).astype(np.float16), RNG.normal(size=(5, 2)).astype(np.float16)),
        asked=(bare,),
        versions=((0, 2), (3, 3)),
        order=np.arange(5),
    )


def test_every_array_arrives_as_it_was():
    host = replace(batch(6), further=batch(9))
    there = sent(host, "cpu")
    assert there.versions == host.versions
    assert there.views.cutout == host.views.cutout
    for tensor, array in zip(there.arrays(), host.arrays(), strict=True):
        assert torch.equal(tensor, torch.from_numpy(array.copy()))
        assert tensor.is_contiguous()
    assert torch.equal(there.further.asked[0].pixels, torch.from_numpy(host.further.asked[0].pixels))
    assert len({tensor.untyped_storage().data_ptr() for tensor in there.arrays()}) == 4  # bytes, numbers, two floats
