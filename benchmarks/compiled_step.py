"""What `--compile` is worth on this machine: images per second of training steps, compiled over not, in turn in one
process, and the seconds that compiling takes with an empty cache of torch's.

    python benchmarks/compiled_step.py --rounds 15 --steps 4
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, replace

import torch

from _arms import compared, in_turn
from azeotrope.devices.choice import choose
from azeotrope.devices.device import Device
from azeotrope.devices.process import prepare
from azeotrope.losses._contract import Setup, build
from azeotrope.models.load import load_network
from azeotrope.train.parallel.processes import ALONE
from azeotrope.train.prepare import Batch
from azeotrope.train.step import Step

CLASSES = 10


@dataclass
class Steps:
    """Steps of `train.step` with AdamW on one batch of random pixels."""

    step: Step
    batch: Batch
    optimizer: torch.optim.Optimizer

    @classmethod
    def of(cls, student: str, size: int, images: int, device: Device) -> Steps:
        """A student with random weights that learns labels."""
        network = load_network(student, CLASSES, image_size=size, pretrained=False, seed=0).network
        network = device.place(network).train()
        losses = build({"cross_entropy": 1.0}, Setup(network.head.in_features, 0, CLASSES))
        pixels = torch.rand(images, 3, size, size, device=device.name).contiguous(memory_format=torch.channels_last)
        labels = torch.arange(images, device=device.name) % CLASSES
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
        return cls(Step(network, losses, device, ALONE), Batch(pixels, labels), optimizer)

    def __call__(self, steps: int) -> int:
        """Make so many steps; the images trained on."""
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            self.step.gradients(self.batch, 1.0)
            self.optimizer.step()
        self.step.device.synchronise()
        return steps * len(self.batch.labels)


def main() -> None:
    """Print a line for each student and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", default="resnet10t,mobilenetv3_small_100")
    parser.add_argument("--sizes", default="64,224")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch-images", type=int, default=16)
    asked = parser.parse_args()
    prepare()
    device = choose()
    print(f"{device.name}, {device.precision}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    for student in asked.students.split(","):
        for size in map(int, asked.sizes.split(",")):
            arms = {
                "compiled": Steps.of(student, size, asked.batch_images, replace(device, compiles=True)),
                "plain": Steps.of(student, size, asked.batch_images, device),
            }
            began = time.perf_counter()
            arms["compiled"](1)
            seconds = time.perf_counter() - began
            said = compared(in_turn(arms, asked.steps, asked.rounds), "compiled", "plain")
            print(f"{student} at {size} px, batch {asked.batch_images}: {seconds:.0f} s to compile; {said}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        main()
