"""What a model costs to keep and to run: parameters, multiply-accumulates, latency on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 3  # runs not counted: the first ones allocate and choose kernels


def parameters(network: nn.Module) -> int:
    """Number of trainable and frozen weights; buffers such as BatchNorm's statistics are not parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def macs(network: nn.Module, image_size: int, *, channels: int = 3) -> int:
    """Multiply-accumulates to run one image of `image_size` x `image_size` pixels.

    Counted by torch's own flop counter over convolutions and matrix products, those of attention included (flops / 2),
    the convention of published tables; normalisation, activations and biases are left out. On a network whose tensors
    are on torch's `meta` device nothing is computed. 0 where torch runs none of it, as with a program for onnxruntime.
    """
    counter = FlopCounterMode(display=False)
    with _inference(network), _attention_by_products(), counter:
        network(_image(network, image_size, channels))
    return int(counter.get_total_flops()) // 2


def latency_ms(network: nn.Module, image_size: int, *, threads: int = 1, repeats: int = 20, channels: int = 3) -> float:
    """Median milliseconds for a batch of one on the device where the network is, with `threads` CPU threads."""
    image, before = _image(network, image_size, channels), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with _inference(network):
            seconds = [_timed(network, image) for _ in range(WARM_UP + repeats)][WARM_UP:]
    finally:
        torch.set_num_threads(before)
    return 1000 * statistics.median(seconds)


def _timed(network: nn.Module, image: Tensor) -> float:
    start = time.perf_counter()
    network(image)
    if image.device.type != "cpu":  # kernels run on after the call returns
        torch.accelerator.synchronize(image.device)
    return time.perf_counter() - start


@contextmanager
def _attention_by_products() -> Iterator[None]:
    """Attention as its two matrix products, which the counter knows in every version of torch and on every device.

    Of the fused kernels it knows some: DeiT-Ti had 1.07 or 1.25 G with torch 2.14 and 2.15. The fast path of
    `nn.MultiheadAttention` hides a whole layer: ViT-B/16 of torchvision had 11.3 instead of 17.6 G on a CPU.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _image(network: nn.Module, size: int, channels: int) -> Tensor:
    parameter = next(network.parameters(), torch.empty(0))
    return torch.zeros(1, channels, size, size, device=parameter.device, dtype=parameter.dtype)


@contextmanager
def _inference(network: nn.Module) -> Iterator[None]:
    """Eval mode without gradients inside; every submodule's mode and every parameter's flag is put back afterwards.

    Parameters are frozen too, because torch's flop counter fails on one that is passed as an input under `no_grad`.
    """
    modes = [(module, module.training) for module in network.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.eval().requires_grad_(False)
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, trained in flags:
            parameter.requires_grad_(trained)
