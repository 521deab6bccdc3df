"""What a loss costs: wall time of a training step with each loss, over that with cross_entropy alone.

Run alone on the machine: `python benchmarks/loss_step.py [ROUNDS]`. MobileNetV2 at 224 px, 64 images a step, targets
from a cache: the teacher's embeddings are there, its head is applied. A round takes one step of every loss, in an order
of its own; a ratio is taken within a round, so that a machine that slows down slows both. The second column is the loss
alone (forward and backward to features and logits), which such noise does not hide; the third the ratio of processor
times, which on a CPU that others use too says more than the clock.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from azeotrope.devices.choice import choose
from azeotrope.devices.process import prepare
from azeotrope.lookup import members
from azeotrope.losses._contract import Setup, Signals, WeightedSum, build
from azeotrope.models.load import load_network

STUDENT, PIXELS, BATCH, CLASSES = "mobilenetv2_100", 224, 64, 100
TEACHER_FEATURES, TRAIN_IMAGES = 768, 50_000  # a ViT-B; the bank of crd holds all training images
DEVICE = choose()


@dataclass
class Case:
    """One loss beside cross_entropy, ready to take steps."""

    losses: WeightedSum
    optimizer: torch.optim.Optimizer


def case(network, key: str, head: Tensor) -> Case:
    setup = Setup(
        student_features=network.head.in_features,
        teacher_features=TEACHER_FEATURES,
        classes=CLASSES,
        train_images=TRAIN_IMAGES,
        teacher_head=lambda features, folds: features @ head,
    )
    losses = build({"cross_entropy": 1.0, key: 1.0}, setup).to(DEVICE.name)
    parameters = [*network.parameters(), *losses.parameters()]
    return Case(losses, torch.optim.AdamW(parameters, lr=1e-4, fused=True))


def random_batch(head: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    images = torch.rand(BATCH, 3, PIXELS, PIXELS, device=DEVICE.name).contiguous(memory_format=torch.channels_last)
    teacher = torch.randn(BATCH, TEACHER_FEATURES, device=DEVICE.name)
    rest = {
        "labels": torch.randint(CLASSES, (BATCH,), device=DEVICE.name),
        "teacher_features": teacher,
        "teacher_logits": teacher @ head,
        "places": torch.randperm(TRAIN_IMAGES, device=DEVICE.name)[:BATCH],
    }
    return images, rest


def step_seconds(network, case: Case, images: Tensor, rest: dict[str, Tensor]) -> tuple[float, float]:
    """Forward, losses, backward, clipping, optimiser: what the loop does with a batch. Clock and processor time."""
    began, spent = time.perf_counter(), time.process_time()
    case.optimizer.zero_grad(set_to_none=True)
    with DEVICE.autocast():
        output = network(images)
        total, _ = case.losses(Signals(output.features, output.logits, **rest))
    total.backward()
    torch.nn.utils.clip_grad_norm_([p for group in case.optimizer.param_groups for p in group["params"]], 1.0)
    case.optimizer.step()
    DEVICE.synchronise()
    return time.perf_counter() - began, time.process_time() - spent


def loss_seconds(case: Case, features: Tensor, logits: Tensor, rest: dict[str, Tensor]) -> float:
    """The losses alone."""
    features, logits = features.detach().requires_grad_(), logits.detach().requires_grad_()
    began = time.perf_counter()
    with DEVICE.autocast():
        total, _ = case.losses(Signals(features, logits, **rest))
    total.backward()
    DEVICE.synchronise()
    return time.perf_counter() - began


def main(rounds: int) -> None:
    """Print one line a loss: median ratio with quartiles, and the median milliseconds of the loss alone."""
    prepare()
    torch.manual_seed(0)
    network = DEVICE.place(load_network(STUDENT, CLASSES, image_size=PIXELS, pretrained=False, seed=0).network).train()
    head = torch.randn(TEACHER_FEATURES, CLASSES, device=DEVICE.name) / TEACHER_FEATURES**0.5
    images, rest = random_batch(head)
    cases = {key: case(network, key, head) for key in members("losses")}
    with torch.no_grad(), DEVICE.autocast():
        output = network(images)
    steps, alone = ({key: [] for key in cases} for _ in range(2))
    for number in range(rounds + 1):
        for key in random.Random(number).sample(list(cases), len(cases)):
            taken = step_seconds(network, cases[key], images, rest)
            lone = statistics.median(loss_seconds(cases[key], output.features, output.logits, rest) for _ in range(5))
            if number:  # the first round chooses kernels
                steps[key].append(taken)
                alone[key].append(lone)
    plain = [clock for clock, _ in steps["cross_entropy"]]
    threads = torch.get_num_threads()
    print(
        f"{STUDENT} at {PIXELS} px, {BATCH} images, {DEVICE.name} {DEVICE.precision}, {threads} threads, n = {rounds}"
    )
    print(f"cross_entropy: {statistics.median(plain):.3f} s a step [{min(plain):.3f}, {max(plain):.3f}]")
    for key in cases:
        pairs = zip(steps[key], steps["cross_entropy"], strict=True)
        clock, processor = zip(*((a / c, b / d) for (a, b), (c, d) in pairs), strict=True)
        low, middle, high = statistics.quantiles(clock, n=4)
        extra = statistics.median(alone[key]) - statistics.median(alone["cross_entropy"])
        alone_ratio = 1 + extra / statistics.median(plain)
        print(
            f"{key:15} step x {middle:.3f} [{low:.3f}, {high:.3f}]   alone {1000 * extra:+8.2f} ms: x {alone_ratio:.3f}"
            f"   processor x {statistics.median(processor):.3f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
