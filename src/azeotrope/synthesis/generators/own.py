"""A generator trained on the user's own images: for tasks that no hub model knows, such as defects, X-rays or sonar.

It is saved in the hub's format (`generator/unet`, safetensors), so diffusers can read it too.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, message_of
from azeotrope.record.storage.store import cannot_write
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.spec import Request
from azeotrope.synthesis.unet import Frame, diffusers_member, sampler

_WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class OwnGenerator:
    """A trained UNet and how to draw from it. `guidance` 1 is plain sampling; more draws what is typical of a class
    (Ho & Salimans 2022).
    """

    network: nn.Module
    frame: Frame
    classes: tuple[str, ...]
    steps: int
    guidance: float
    device: Device
    identity: str
    revision: str | None = None

    def prompt(self, request: Request) -> str:
        """The class, since this generator was taught nothing else."""
        return f"class {self.classes[request.label]}"

    @torch.inference_mode()
    def make(self, requests: Sequence[Request]) -> list[Made]:
        """Pictures of the size that the generator was trained on."""
        values = self.frame.noise([request.seed for request in requests]).to(self.device.name)
        labels = torch.tensor([request.label for request in requests], device=self.device.name)
        solver = sampler(self.steps)
        for time in solver.timesteps:
            values = solver.step(self._guided(values, time, labels), time, values).prev_sample
        pictures = self.frame.unfold(values.cpu()).numpy()
        return [Made(picture) for picture in pictures]

    def _guided(self, values: Float[Tensor, "n c h w"], time: Tensor, labels: Tensor) -> Float[Tensor, "n c h w"]:
        with self.device.autocast():
            if self.guidance == 1:
                said: Tensor = self.network(values, time, labels).sample.float()
                return said
            both = torch.cat([labels, torch.full_like(labels, len(self.classes))])
            said = self.network(values.repeat(2, 1, 1, 1), time, both).sample.float()
        informed, plain = said.chunk(2)
        return plain + self.guidance * (informed - plain)


def save_own(network: nn.Module, folder: Path) -> str:
    """Write the network; returns the hash of its weights. Raises StoreError when the disk does not take it.

    It gets its name when it is whole: what a kill leaves of it is not taken for a trained generator (`saved`).
    """
    unfinished = folder / "unet.tmp"
    try:
        for older in (unfinished, folder / "unet"):
            shutil.rmtree(older, ignore_errors=True)
        network.save_pretrained(unfinished, safe_serialization=True)  # type: ignore[operator]
        unfinished.replace(folder / "unet")
    except OSError as error:
        raise cannot_write(folder, error) from error
    return _hash(folder)


def load_own(folder: Path, device: Device) -> tuple[nn.Module, str]:
    """The network in eval mode and the hash of its weights. Raises InputError when it is not there or damaged."""
    try:
        network = diffusers_member("UNet2DModel").from_pretrained(folder / "unet", use_safetensors=True)
        return device.place(network).eval(), _hash(folder)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The generator in {folder} cannot be read",
            found=message_of(error),
            next_step="delete this folder; it is trained again by the same command",
        ) from error


def saved(folder: Path) -> bool:
    """Whether a trained generator is there."""
    return (folder / "unet" / _WEIGHTS).exists() and (folder / "unet" / "config.json").exists()


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / "unet" / _WEIGHTS).read_bytes()).hexdigest()[:16]
