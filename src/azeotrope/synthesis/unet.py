"""The network of a generator of one's own: a small class-conditional UNet on pictures folded two by two.

Folding (space to depth) makes four channels of half the side from each channel, exactly and back again: a quarter of
the work of a network that sees whole pixels, at the same parameters. Pictures are padded, never resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.errors import MissingDependency

FOLD = 2
_MULTIPLE = 8  # the side is folded once and halved twice
_DROPOUT = 0.1  # few images are seen many times
_GROUPS = 8
_HEAD = 16


@dataclass(frozen=True)
class Frame:
    """Pictures of `side` pixels and `channels` 1 or 3, as the network sees them."""

    side: int
    channels: int

    @property
    def padded(self) -> int:
        """Side after padding, in pixels."""
        return -(-self.side // _MULTIPLE) * _MULTIPLE

    def fold(self, pictures: UInt8[Tensor, "n S S K"]) -> Float[Tensor, "n folded h h"]:
        """Pixels to [-1, 1], edges repeated up to the padded side, two by two into channels."""
        before = (self.padded - self.side) // 2
        after = self.padded - self.side - before
        values = pictures.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1
        return functional.pixel_unshuffle(
            functional.pad(values, (before, after, before, after), mode="replicate"), FOLD
        )

    def unfold(self, values: Float[Tensor, "n folded h h"]) -> UInt8[Tensor, "n S S K"]:
        """The way back: padding cut off, rounded to 8 bits."""
        before = (self.padded - self.side) // 2
        whole = functional.pixel_shuffle(values, FOLD)[..., before : before + self.side, before : before + self.side]
        return ((whole.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)

    def noise(self, seeds: list[int]) -> Float[Tensor, "n folded h h"]:
        """Standard normal, each picture from its own seed."""
        side = self.padded // FOLD
        shape = (self.channels * FOLD**2, side, side)
        return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def build_unet(frame: Frame, classes: int, channels: tuple[int, ...]) -> nn.Module:
    """A UNet2DModel of diffusers with a class embedding; class number `classes` stands for none (guidance).

    Three widths make about 1.8 million parameters and 76 million multiply-accumulates for 32 pixels in grey.
    """
    unet_type = diffusers_member("UNet2DModel")
    plain = len(channels) - 1
    network: nn.Module = unet_type(
        sample_size=frame.padded // FOLD,
        in_channels=frame.channels * FOLD**2,
        out_channels=frame.channels * FOLD**2,
        layers_per_block=1,
        block_out_channels=channels,
        down_block_types=(*["DownBlock2D"] * plain, "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", *["UpBlock2D"] * plain),
        norm_num_groups=_GROUPS,
        attention_head_dim=_HEAD,
        dropout=_DROPOUT,
        num_class_embeds=classes + 1,
    )
    return network


def diffusers_member(name: str) -> Any:
    """A class of diffusers by name. Raises MissingDependency with what to install."""
    try:
        import diffusers
    except ImportError as error:
        raise MissingDependency(
            "Making pictures needs the diffusers package",
            found=str(error),
            next_step="install it with: pip install 'azeotrope[synth]'",
        ) from error
    return getattr(diffusers, name)


def training_noise() -> Any:
    """The noise of training: 1,000 steps of the cosine schedule (Nichol & Dhariwal 2021), v as target (Salimans & Ho
    2022).
    """
    scheduler = diffusers_member("DDPMScheduler")
    return scheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")


def sampler(steps: int) -> Any:
    """DPM-Solver++ of second order (Lu et al. 2022), which draws no noise; clips what it foresees to [-1, 1]."""
    solver = diffusers_member("DPMSolverMultistepScheduler")
    made = solver(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        thresholding=True,
        sample_max_value=1.0,
        timestep_spacing="trailing",
    )
    made.set_timesteps(steps)
    return made
