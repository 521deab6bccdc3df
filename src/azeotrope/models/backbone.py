"""A network without its classifier, and what must be known to feed it.

Every source delivers this one shape, so that nothing downstream asks where a model came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import not_
from statistics import fmean
from typing import Annotated, Self

from pydantic import Field
from torch import Tensor, nn

from azeotrope.data.decoding.reading import Reading
from azeotrope.errors import InputError
from azeotrope.labels import PLAIN_PIXELS, PixelSpec
from azeotrope.models.pretrained.weights import Weights
from azeotrope.record.resizes import Resizes

Adapt = Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]]
"""Renames or resizes a file's tensors to fit the module (position embeddings at another resolution, say)."""


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def unchanged(_module: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The `Adapt` of models whose files need none."""
    return tensors


@dataclass(frozen=True)
class Preprocessing:
    """How images must be prepared: `size` pixels square, then (pixel / 255 - mean) / std per channel.

    A model that was trained here says how its pictures were made this small: with `resize` once, from the file's pixels
    by `interpolation`; one of earlier versions by way of `stored_size` pixels, the frame that its training cut views
    from. It knows `stored_channels`, those of its files where these have bands, the values of black and white in files
    of more than 8 bits (None: it saw none, or with `own_windows` each by the window in the file), and the `pixels` that
    were read of files.
    """

    size: int
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bicubic"
    stored_size: int | None = None
    stored_channels: int = 3
    value_range: tuple[float, float] | None = None
    pixels: PixelSpec = field(default=PLAIN_PIXELS, repr=False)  # `repr` is part of what identifies teachers' caches
    own_windows: Annotated[bool, Field(exclude_if=not_)] = field(default=False, repr=False)
    resize: Annotated[Resizes | None, Field(exclude_if=not_)] = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.resize is not None and self.stored_size is not None:
            raise InputError(
                "A model's pictures were resized once or by way of a stored frame, not both",
                found=f"resize: {self.resize}, stored_size: {self.stored_size}",
                allowed="resize of this version, or stored_size of an earlier one",
                next_step="take one of them out of `preprocessing`; model.yaml as it was saved has one",
            )

    @property
    def trained_here(self) -> bool:
        """Whether a training said how its pictures were prepared."""
        return self.resize is not None or self.stored_size is not None

    @property
    def reading(self) -> Reading:
        """How files become pixels, as in training."""
        return Reading(self.value_range, self.pixels)

    def for_channels(self, channels: int) -> Self:
        """The same for images of so many channels: where these are others, the mean over all serves each."""
        if len(self.mean) == channels:
            return self
        return replace(self, mean=(fmean(self.mean),) * channels, std=(fmean(self.std),) * channels)


@dataclass(frozen=True)
class Backbone:
    """A module from images [B, channels, H, W] to pooled features [B, `features`].

    `stride` is the smallest side of an image, in pixels, that still leaves one cell of the coarsest feature map.
    `head_names` are the prefixes a weights file may use for the classifier that was cut off. `weights` is None when
    the init is random.
    """

    module: nn.Module
    features: int
    preprocessing: Preprocessing
    stride: int
    name: str
    head_names: tuple[str, ...] = ()
    adapt: Adapt = unchanged
    weights: Weights | None = None


def check_size(backbone: Backbone, image_size: int) -> None:
    """Refuse images that the model would reduce to less than one cell; raises InputError."""
    if image_size < backbone.stride:
        raise InputError(
            f"Images must not be smaller than the stride of {backbone.name}",
            found=f"{image_size} px",
            allowed=f"{backbone.stride} px or more",
            next_step="use a larger image size, or a model with a smaller stride",
        )
