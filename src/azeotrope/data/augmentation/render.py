"""The pixels of a view, made on the device where the network is: one antialiased resampling of the cropped box
(`resample`) and one affine map of its colours.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt
from torch import Tensor, nn

from azeotrope.data.augmentation.resample import resample
from azeotrope.data.augmentation.views import PLAIN, Views, draw
from azeotrope.data.decoding.resize import GREY
from azeotrope.recipe import ViewPolicy

_VALUES_AT_A_TIME = 1 << 20  # of a batch's floats: what stays in a processor's cache between two passes

Triple = tuple[float, ...]


class Renderer(nn.Module):
    """Draws views at `size` pixels for a model that wants (pixel in [0, 1] − mean) / std, of as many channels as these.

    Its constants move with it, so that a batch on a device needs nothing of the host.
    """

    mean: Tensor
    std: Tensor
    grey: Tensor

    def __init__(
        self,
        size: int,
        interpolation: str = "bilinear",
        mean: Triple = (0.0, 0.0, 0.0),
        std: Triple = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        self.size, self.interpolation = size, interpolation
        self.limits = [(-middle / spread, (1 - middle) / spread) for middle, spread in zip(mean, std, strict=True)]
        for name, values in (("mean", mean), ("std", std), ("grey", GREY)):
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, images: UInt[Tensor, "B S S K"], views: Views[Tensor]) -> Float[Tensor, "B bands size size"]:
        """The views of packed images (K = 1 channel, or as many as the model has), in the memory layout that
        convolutions like (channels last).
        """
        size, device, bands = self.size, images.device, len(self.limits)
        small = resample(images, views, size, self.interpolation)
        shown = torch.empty((len(small), bands, size, size), device=device, memory_format=torch.channels_last)
        step = max(1, _VALUES_AT_A_TIME // (bands * size * size)) if device.type == "cpu" else max(1, len(small))
        for start in range(0, len(small), step):
            part = slice(start, start + step)
            shown[part] = self._coloured(small[part], views, part).view(-1, bands, size, size)
        if views.cutout:
            shown.masked_fill_(_cut(views, size)[:, None], 0.0)  # the mean colour of the model's inputs
        return shown

    def _coloured(
        self, small: UInt[Tensor, "b s s K"], views: Views[Tensor], part: slice
    ) -> Float[Tensor, "b bands ss"]:
        """Brightness scales, saturation pulls to each pixel's grey, contrast to the image's mean grey; then the model's
        normalisation. All of it is one affine map of a pixel's channels, followed by one clamp.

        Bands other than one or three have no grey: saturation leaves them, contrast pulls each to its own mean.
        """
        device, channels = small.device, small.shape[3]
        brightness, contrast, saturation = (
            views.column(name)[part] for name in ("brightness", "contrast", "saturation")
        )
        with torch.autocast(device_type=device.type, enabled=False):
            pixels = small.flatten(1, 2).transpose(1, 2).to(torch.float32, memory_format=torch.contiguous_format)
            gain = brightness / torch.iinfo(small.dtype).max
            if channels in (1, 3):
                grey = self.grey if channels == 3 else torch.ones(1, device=device)
                own = torch.eye(3, device=device) if channels == 3 else torch.ones(3, 1, device=device)
                mix = saturation[:, None, None] * own + (1 - saturation)[:, None, None] * grey
                level = ((1 - contrast) * gain * (pixels.mean(2) @ grey))[:, None]
            else:
                mix = torch.eye(channels, device=device).expand(len(pixels), -1, -1)
                level = ((1 - contrast) * gain)[:, None] * pixels.mean(2)
            matrix = (contrast * gain)[:, None, None] * mix / self.std[:, None]
            offset = (level - self.mean) / self.std
            shown = torch.baddbmm(offset[:, :, None], matrix, pixels)
        for channel, (low, high) in enumerate(self.limits):
            shown[:, channel].clamp_(low, high)
        return shown


def plain_pixels(
    images: UInt[Tensor, "B S S K"], size: int, interpolation: str, channels: int = 3
) -> UInt[np.ndarray, "B channels size size"]:
    """What evaluation sees of packed images (K: one channel, or as many as the model has) before a model's
    normalisation: the input of its exported files.
    """
    drawn = draw(ViewPolicy(), np.zeros(len(images), np.uint64), PLAIN)
    small = resample(images, Views(torch.from_numpy(drawn.values)), size, interpolation).numpy()
    return np.ascontiguousarray(np.broadcast_to(small, (*small.shape[:3], channels)).transpose(0, 3, 1, 2))


def _cut(views: Views[Tensor], size: int) -> Bool[Tensor, "B size size"]:
    """Where each view is blanked."""
    centres = (torch.arange(size, device=views.values.device, dtype=torch.float32) + 0.5) / size
    rows, columns = (
        (centres >= start[:, None]) & (centres < start[:, None] + views.cutout)
        for start in (views.column("cut_top"), views.column("cut_left"))
    )
    return rows[:, :, None] & columns[:, None, :]
