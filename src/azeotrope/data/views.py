"""Replayable augmentation: a view is a function of (image, view number, policy) and of nothing else.

Teacher and student see the same pixels of the world whenever they meet, each at its own resolution, today or after a
restart, in any order and any batch. The parameters of a view come from a counter-based generator; the pixels from one
separable, antialiased resampling of the cropped box, so the same code serves CPU and GPU and every batch composition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.config import ViewPolicy
from azeotrope.data.philox import uniforms

PLAIN = -1  # the view number of the image as it is: whole, not mirrored, colours untouched
_DRAWS = 8


@dataclass(frozen=True)
class ViewParameters:
    """B views. Boxes are in shares of the image's height and width; colour entries are factors, 1 leaves as is."""

    top: NDArray[np.float32]
    left: NDArray[np.float32]
    height: NDArray[np.float32]
    width: NDArray[np.float32]
    mirror: NDArray[np.bool_]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    saturation: NDArray[np.float32]


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
    }
    mirror = (u[:, 4] < 0.5) & policy.mirror
    return ViewParameters(mirror=mirror, **{key: value.astype(np.float32) for key, value in parameters.items()})


def render(
    images: UInt8[Tensor, "B K S S"],
    views: ViewParameters,
    size: int,
    interpolation: str = "bilinear",
) -> Float[Tensor, "B 3 size size"]:
    """Draw the views of packed images (1 or 3 channels) at `size` pixels, values in [0, 1].

    `interpolation` is bilinear or bicubic; other names that configurations use (lanczos, random) mean bicubic.
    """
    device, stored = images.device, images.shape[-1]
    rows = resampling(views.top, views.height, np.zeros_like(views.mirror), stored, size, interpolation, device)
    columns = resampling(views.left, views.width, views.mirror, stored, size, interpolation, device)
    with torch.autocast(device_type=device.type, enabled=False):
        pixels = images.to(torch.float32).mul_(1 / 255)
        pixels = rows[:, None] @ pixels @ columns[:, None].transpose(-1, -2)
        return _recolour(pixels, views).clamp_(0, 1).expand(-1, 3, -1, -1)


def resampling(
    start: NDArray[np.float32],
    length: NDArray[np.float32],
    flip: NDArray[np.bool_],
    stored: int,
    size: int,
    interpolation: str,
    device: torch.device,
) -> Float[Tensor, "B size stored"]:
    """Weights that resample the part [start, start + length) of `stored` pixels to `size` pixels, along one axis.

    The kernel is widened when it shrinks the picture (antialiasing), as PIL and `interpolate(antialias=True)` do;
    rows sum to 1.
    """
    begin = torch.from_numpy(start).to(device)[:, None] * stored
    scale = torch.from_numpy(length).to(device)[:, None] * (stored / size)
    output = torch.arange(size, device=device, dtype=torch.float32)[None] + 0.5
    output = torch.where(torch.from_numpy(flip).to(device)[:, None], size - output, output)
    centre = begin + output * scale
    distance = torch.arange(stored, device=device, dtype=torch.float32)[None, None] + 0.5 - centre[:, :, None]
    weights = _KERNELS.get(interpolation, _keys)(distance / scale.clamp_min(1.0)[:, :, None])
    return weights / weights.sum(dim=-1, keepdim=True)


def normalise(
    pixels: Float[Tensor, "B 3 H W"], mean: tuple[float, ...], std: tuple[float, ...]
) -> Float[Tensor, "B 3 H W"]:
    """(pixels − mean) / std, per channel, in the memory layout that convolutions like."""
    shape = (1, 3, 1, 1)
    mean_, std_ = (torch.tensor(values, device=pixels.device).view(shape) for values in (mean, std))
    return ((pixels - mean_) / std_).contiguous(memory_format=torch.channels_last)


def _triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp_min_(0)


def _keys(x: Tensor, a: float = -0.5) -> Tensor:
    """The cubic of Keys 1981 with the a that PIL uses."""
    x = x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


_KERNELS = {"bilinear": _triangle, "bicubic": _keys}


def _recolour(pixels: Float[Tensor, "B K H W"], views: ViewParameters) -> Float[Tensor, "B K H W"]:
    """Brightness scales, contrast pulls to the image's mean grey, saturation to each pixel's grey."""
    brightness, contrast, saturation = (
        torch.from_numpy(values).to(pixels.device)[:, None, None, None]
        for values in (views.brightness, views.contrast, views.saturation)
    )
    pixels = pixels * brightness
    grey = _grey(pixels)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    if pixels.shape[1] == 3:
        pixels = grey + (pixels - grey) * saturation
    return mean + (pixels - mean) * contrast


def _grey(pixels: Float[Tensor, "B K H W"]) -> Float[Tensor, "B 1 H W"]:
    if pixels.shape[1] == 1:
        return pixels
    weights = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(1, 3, 1, 1)  # ITU-R BT.601, as PIL
    return (pixels * weights).sum(dim=1, keepdim=True)


def _between(u: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return low + u * (high - low)


def _plain(count: int) -> ViewParameters:
    zero, one = np.zeros(count, np.float32), np.ones(count, np.float32)
    return ViewParameters(zero, zero, one, one, np.zeros(count, np.bool_), one, one, one)
