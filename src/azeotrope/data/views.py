"""Replayable augmentation: a view is a function of (image, view number, policy) and of nothing else.

Teacher and student see the same pixels of the world whenever they meet, each at its own resolution, today or after a
restart, in any order and any batch. The parameters of a view come from a counter-based generator (`philox`); the pixels
from one antialiased resampling of the cropped box (`resample`) and one affine map of its colours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.philox import uniforms
from azeotrope.data.resample import Boxes, resample
from azeotrope.recipe import ViewPolicy

RENDERING = 2  # raise when the pixels of a view change: what was computed from the old ones is then not read any more
PLAIN = -1  # the view number of the image as it is: whole, not mirrored, colours untouched
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow
_DRAWS = 10
_VALUES_AT_A_TIME = 1 << 20  # of a batch's floats: what stays in a processor's cache between two passes

Triple = tuple[float, ...]


@dataclass(frozen=True)
class ViewParameters(Boxes):
    """B views. Colour entries are factors, 1 leaves as is. `cutout` is the side of the square that is blanked, in
    shares of the view, and (`cut_top`, `cut_left`) its corner, which may lie outside.
    """

    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    saturation: NDArray[np.float32]
    cut_top: NDArray[np.float32]
    cut_left: NDArray[np.float32]
    cutout: float = field(default=0.0)


def draw(policy: ViewPolicy, images: NDArray[np.uint64], view: int) -> ViewParameters:
    """Parameters of view `view` of each image. `images`: identities [B] (from the checksum, not the position)."""
    if view == PLAIN:
        return _plain(len(images))
    u = uniforms(images, view, _DRAWS)
    area = _between(u[:, 0], *policy.crop_area)
    log_low, log_high = np.log(policy.crop_aspect)
    aspect = np.exp(_between(u[:, 1], log_low, log_high))
    height = np.minimum(np.sqrt(area / aspect), 1.0)
    width = np.minimum(np.sqrt(area * aspect), 1.0)
    parameters = {
        "top": u[:, 2] * (1 - height),
        "left": u[:, 3] * (1 - width),
        "height": height,
        "width": width,
        "brightness": _between(u[:, 5], 1 - policy.brightness, 1 + policy.brightness),
        "contrast": _between(u[:, 6], 1 - policy.contrast, 1 + policy.contrast),
        "saturation": _between(u[:, 7], 1 - policy.saturation, 1 + policy.saturation),
        "cut_top": u[:, 8] - policy.cutout / 2,  # the centre is anywhere in the view (DeVries & Taylor 2017)
        "cut_left": u[:, 9] - policy.cutout / 2,
    }
    mirror = (u[:, 4] < 0.5) & policy.mirror
    values = {key: value.astype(np.float32) for key, value in parameters.items()}
    return ViewParameters(mirror=mirror, cutout=policy.cutout, **values)


def render(
    images: UInt8[Tensor, "B S S K"],
    views: ViewParameters,
    size: int,
    interpolation: str = "bilinear",
    mean: Triple = (0.0, 0.0, 0.0),
    std: Triple = (1.0, 1.0, 1.0),
) -> Float[Tensor, "B 3 size size"]:
    """Draw the views of packed images (K = 1 or 3 channels) at `size` pixels, on the images' device.

    Values are (pixel in [0, 1] − mean) / std, in the memory layout that convolutions like (channels last).
    """
    small = resample(images, views, size, interpolation)
    shown = torch.empty((len(small), 3, size, size), device=small.device, memory_format=torch.channels_last)
    step = max(1, _VALUES_AT_A_TIME // (3 * size * size)) if small.device.type == "cpu" else max(1, len(small))
    for start in range(0, len(small), step):
        part = slice(start, start + step)
        shown[part] = _coloured(small[part], views, part, mean, std).view(-1, 3, size, size)
    if views.cutout:
        shown.masked_fill_(_cut(views, size, small.device)[:, None], 0.0)  # the mean colour of the model's inputs
    return shown


def _coloured(
    small: UInt8[Tensor, "b s s K"], views: ViewParameters, part: slice, mean: Triple, std: Triple
) -> Float[Tensor, "b 3 ss"]:
    """Brightness scales, saturation pulls to each pixel's grey, contrast to the image's mean grey; then the model's
    normalisation. All of it is one affine map of a pixel's channels, followed by one clamp.
    """
    device = small.device
    brightness, contrast, saturation = (
        torch.from_numpy(values[part]).to(device) for values in (views.brightness, views.contrast, views.saturation)
    )
    mean_, std_ = torch.tensor(mean, device=device), torch.tensor(std, device=device)
    with torch.autocast(device_type=device.type, enabled=False):
        pixels = small.flatten(1, 2).transpose(1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        channels = pixels.shape[1]
        grey = torch.tensor(GREY, device=device) if channels == 3 else torch.ones(1, device=device)
        own = torch.eye(3, device=device) if channels == 3 else torch.ones(3, 1, device=device)
        gain = brightness / 255
        mix = saturation[:, None, None] * own + (1 - saturation)[:, None, None] * grey
        level = (1 - contrast) * gain * (pixels.mean(2) @ grey)
        matrix = (contrast * gain)[:, None, None] * mix / std_[:, None]
        offset = (level[:, None] - mean_) / std_
        shown = torch.baddbmm(offset[:, :, None], matrix, pixels)
    for channel, (middle, spread) in enumerate(zip(mean, std, strict=True)):
        shown[:, channel].clamp_(-middle / spread, (1 - middle) / spread)
    return shown


def _cut(views: ViewParameters, size: int, device: torch.device) -> Bool[Tensor, "B size size"]:
    """Where each view is blanked."""
    centres = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size
    rows, columns = (
        (centres >= start[:, None]) & (centres < start[:, None] + views.cutout)
        for start in (torch.from_numpy(views.cut_top).to(device), torch.from_numpy(views.cut_left).to(device))
    )
    return rows[:, :, None] & columns[:, None, :]


def _between(u: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return low + u * (high - low)


def _plain(count: int) -> ViewParameters:
    zero, one = np.zeros(count, np.float32), np.ones(count, np.float32)
    return ViewParameters(zero, zero, one, one, np.zeros(count, np.bool_), one, one, one, zero, zero)
