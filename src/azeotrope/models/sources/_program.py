"""What the readers of exported programs deliver, and batches for programs that were exported for one size of batch.

Not a source: `exported` is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from azeotrope.errors import InputError
from azeotrope.models.pretrained import hub


@dataclass(frozen=True)
class Program(ABC):
    """A program with one input of images. `outputs` describe its outputs in order; `files` hold all its weights.

    `batch` is the only size of batch that it takes; None when it takes any.
    """

    files: tuple[Path, ...]
    outputs: tuple[str, ...]
    batch: int | None

    @abstractmethod
    def run(self, images: Tensor) -> list[Tensor]:
        """All outputs for one batch, on the device of the images."""

    def __call__(self, images: Tensor) -> list[Tensor]:
        """All outputs for any number of images; a last batch that is too short is filled up and cut again."""
        if self.batch is None:
            return self.run(images)
        filled = torch.cat([images, images[-1:].expand(-len(images) % self.batch, *images.shape[1:])])
        parts = [self.run(part) for part in torch.split(filled, self.batch)]
        return [torch.cat(output)[: len(images)] for output in zip(*parts, strict=True)]


def only_images(path: Path, inputs: list[str]) -> None:
    """Refuse a program that wants more than one input; raises InputError."""
    if len(inputs) != 1:
        raise InputError(
            f"The program {path.name} must take images and nothing else",
            found=f"{len(inputs)} inputs: {', '.join(inputs)}",
            next_step="export the image side alone, with one input",
        )


def unreadable(path: Path, error: Exception) -> InputError:
    """The error for a file that its library cannot open."""
    return InputError(
        f"The program {path.name} cannot be read",
        found=hub.reason(error),
        next_step="export it again, or copy all of its files",
    )
