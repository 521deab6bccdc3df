"""What a source may know of how its weights were made, as their authors published it: its function `published`."""

from __future__ import annotations

from dataclasses import dataclass

IMAGENET_1K_IMAGES = 1_281_167  # of its training split (Russakovsky et al. 2015)


@dataclass(frozen=True)
class Published:
    """One pre-training: `images` × `epochs` at `image_size` pixels; `reference` is where that is published."""

    source: str
    images: int
    epochs: float
    image_size: int
    reference: str


def imagenet_1k(epochs: float, image_size: int, reference: str) -> Published:
    """A pre-training on ImageNet-1k."""
    return Published("ImageNet-1k", IMAGENET_1K_IMAGES, epochs, image_size, reference)
