"""A small hybrid student for the matrix of losses: a convolutional stem, then transformer blocks over its cells.

timm's own hybrids (MobileViT, EdgeNeXt) trained some 40 images of 32 pixels a second here, too slow for a matrix; this
one is made of timm's blocks. 32 px only.
"""

from __future__ import annotations

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

WIDTH, CELLS = 64, 8 * 8


class SmallHybrid(nn.Module):
    """Images [B, 3, 32, 32] to logits [B, 10]; the mean over cells is the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.Conv2d(32, WIDTH, 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU()),
        )
        self.position = nn.Parameter(0.02 * torch.randn(1, CELLS, WIDTH))
        self.blocks = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 2))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Convolutions see the pixels, blocks relate the cells."""
        cells = self.stem(images).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(cells)).mean(1))


def build() -> nn.Module:
    """What `file:` calls."""
    return SmallHybrid()
