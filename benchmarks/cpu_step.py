"""What two measures for training on a CPU are worth: gradients of depthwise convolutions (`devices.depthwise`) and
memory that is kept (`devices.device.keep_freed_memory`). Both, either and neither, in processes of their own, in turn.

A step is forward, cross-entropy, backward and AdamW in bf16 on one fixed batch; `embed` is a frozen ResNet-50 that
looks at 128 images, as the teacher's pass does.

    python benchmarks/cpu_step.py 20
"""

from __future__ import annotations

import os
import statistics
import sys
from functools import partial

import torch
from torch.nn import functional

from _apart import Apart, Work, in_turn
from azeotrope.devices.device import Device
from azeotrope.devices.memory import keep_freed_memory
from azeotrope.devices.process import make_repeatable
from azeotrope.models.load import load_backbone, load_network
from azeotrope.teacher.embedder import Frozen

STUDENTS = (
    ("mobilenetv2_100", 224, 16),
    ("mobilenetv2_100", 64, 32),
    ("mobilenetv3_small_100", 64, 32),
    ("mobilenetv4_conv_small", 128, 16),
    ("tf_efficientnet_lite0", 64, 32),
    ("convnext_atto", 64, 32),
    ("resnet10t", 32, 64),
)
ARMS = {"neither": (False, False), "gradients": (True, False), "memory": (False, True), "both": (True, True)}
BF16 = Device("cpu", "bf16")


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, n = {times}")
    for name, size, batch in STUDENTS:
        makers = {arm: partial(stepping, name, size, batch, *measures) for arm, measures in ARMS.items()}
        show(f"{name} at {size} px, batch {batch}", makers, times)
    makers = {"neither": partial(embedding, False), "memory": partial(embedding, True)}
    show("embed: resnet50 at 224 px, 128 images", makers, max(3, times // 4))


def show(title: str, makers: dict[str, partial[Work]], times: int) -> None:
    """Median and quartiles of how many times as fast as `neither`, turn by turn."""
    seconds = in_turn({arm: Apart(make) for arm, make in makers.items()}, times + 2)
    print(title)
    for arm, spent in seconds.items():
        ratios = [base / one for base, one in zip(seconds["neither"][2:], spent[2:], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"  {arm}: {1e3 * statistics.median(spent[2:]):.0f} ms, {middle:.2f} [{low:.2f}, {high:.2f}] times")


def stepping(name: str, size: int, batch: int, gradients: bool, memory: bool) -> Work:
    """A training step."""
    _begin(memory)
    network = BF16.place(load_network(name, 10, image_size=size, pretrained=False, seed=0).network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 10
    plain = partial(torch.autocast, "cpu", torch.bfloat16)

    def step() -> None:
        optimizer.zero_grad()
        with BF16.autocast() if gradients else plain():
            loss = functional.cross_entropy(network(images).logits, labels)
        loss.backward()
        optimizer.step()

    return step


def embedding(memory: bool) -> Work:
    """A frozen teacher's look at a chunk."""
    _begin(memory)
    teacher = BF16.place(Frozen(load_backbone("resnet50", pretrained=False, image_size=224).module))
    images = torch.randn(128, 3, 224, 224).to(memory_format=torch.channels_last)

    def embed() -> None:
        with BF16.autocast():
            teacher(images)

    return embed


def _begin(memory: bool) -> None:
    make_repeatable()
    if memory:
        keep_freed_memory()


if __name__ == "__main__":
    main()
