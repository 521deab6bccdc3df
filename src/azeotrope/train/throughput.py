"""How many images a second this machine does, from a trial of seconds: for forecasts and for costs not paid here."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from azeotrope.devices.device import Device
from azeotrope.models.network import Network

TRIAL_SECONDS = 2.0


def training_rate(
    network: Network, image_size: int, batch: int, device: Device, seconds: float = TRIAL_SECONDS, *, channels: int = 3
) -> float:
    """Images per second of training steps (forward, backward, AdamW) on random pixels."""
    network = device.place(network).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    images = _pixels(batch, channels, image_size, device)
    labels = torch.arange(batch, device=device.name) % network.head.out_features

    def step() -> None:
        with device.autocast():
            loss = functional.cross_entropy(network(images).logits.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return _rate(step, batch, device, seconds)


def inference_rate(
    module: nn.Module, image_size: int, batch: int, device: Device, seconds: float = TRIAL_SECONDS, *, channels: int = 3
) -> float:
    """Images per second through a module in eval mode."""
    module = device.place(module).eval()
    images = _pixels(batch, channels, image_size, device)

    def step() -> None:
        with torch.inference_mode(), device.autocast():
            module(images)

    return _rate(step, batch, device, seconds)


def _rate(step: Callable[[], None], batch: int, device: Device, seconds: float) -> float:
    step()  # chooses kernels
    device.synchronise()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        step()
        device.synchronise()
        steps += 1
    return steps * batch / (time.perf_counter() - began)


def _pixels(batch: int, channels: int, image_size: int, device: Device) -> torch.Tensor:
    images = torch.rand(batch, channels, image_size, image_size, device=device.name)
    return images.contiguous(memory_format=torch.channels_last)
