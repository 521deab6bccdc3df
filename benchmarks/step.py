"""What a distilled step costs over a supervised one when the teacher's word is cached, and what else a step may cost.

Prints, for a pair: images per second of cached distillation (cross-entropy, kl, align_uniform, K = 16) over `scratch`;
share of time waiting for data; images per second at several N; peak memory over what must be held; and the teacher's
share in a sweep of ten runs, by the recipe's epochs and the rates just measured. The teacher has random weights.

    python benchmarks/step.py --pair 32 --images 1000 --steps 4 --rounds 15 --sizes 1000,10000,60000
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from _arms import PAIRS, VIEWS, Pair, Steps, cache_of, compared, fill_at_random, in_turn, task_of, teacher_of, training
from azeotrope.devices.choice import choose
from azeotrope.devices.device import Device
from azeotrope.devices.memory import peak_memory_mb, reset_peak_memory
from azeotrope.devices.process import make_repeatable, prepare
from azeotrope.models.load import load_network
from azeotrope.recipe import Recipe
from azeotrope.train.throughput import inference_rate

RUNS = 10


def main() -> None:
    options = _options()
    device, pair = choose(), PAIRS[options.pair]
    (make_repeatable if options.peak == "bare" else prepare)()
    with tempfile.TemporaryDirectory() as folder:
        if options.peak:
            print(json.dumps(peak(options.peak, pair, options.images, device, Path(folder))))
            return
        place = f"{device.name} {device.precision}, {torch.get_num_threads()} threads"
        print(f"{pair}, {options.images} images; {place}, load {os.getloadavg()[0]:.1f}")
        rate = cached_over_scratch(pair, options, device, Path(folder))
        if options.sizes:
            by_size(pair, options, device, Path(folder))
        teacher_share(pair, rate, options.images, device)
        if not options.no_memory:
            memory(options)


def cached_over_scratch(pair: Pair, options: argparse.Namespace, device: Device, folder: Path) -> float:
    """Print the ratio and the waiting; images per second of distillation."""
    task = task_of(pair, options.images, folder)
    rows = np.arange(options.images)
    cache = cache_of(task, teacher_of(pair, device), VIEWS, folder)
    fill_at_random(cache, rows)
    made = {"scratch": None, "distill": cache}
    arms = {name: Steps(training(pair, task, rows, device, folder, held)) for name, held in made.items()}
    rates = in_turn(arms, options.steps, options.rounds)
    print(compared(rates, "distill", "scratch"))
    for name, arm in arms.items():
        print(f"waiting for data, {name}: {100 * arm.waiting / arm.seconds:.1f} % of the time")
    return statistics.median(rates["distill"])


def by_size(pair: Pair, options: argparse.Namespace, device: Device, folder: Path) -> None:
    """Print cached distillation at each N over the smallest; only the view of the first epoch is filled."""
    arms = {}
    for size in options.sizes:
        task, rows = task_of(pair, size, folder), np.arange(size)
        cache = cache_of(task, teacher_of(pair, device), 1, folder)
        fill_at_random(cache, rows)
        arms[f"N = {size:,}"] = Steps(training(pair, task, rows, device, folder, cache))
    rates = in_turn(arms, options.steps, options.rounds)
    for name in list(arms)[1:]:
        print(compared(rates, name, next(iter(arms))))


def teacher_share(pair: Pair, distill_rate: float, images: int, device: Device) -> None:
    """The cache is filled once: K views and the plain one. Ten students are then trained by the recipe."""
    embeds = inference_rate(teacher_of(pair, device).module, pair.teacher_size, 128 if pair.size <= 64 else 32, device)
    epochs = Recipe.for_images(images).epochs
    teacher, students = images * (min(VIEWS, epochs) + 1) / embeds, RUNS * images * epochs / distill_rate
    share = teacher / (teacher + students)
    print(
        f"teacher's share in a sweep of {RUNS} runs: {100 * share:.1f} % ({embeds:,.0f} images/s embedded, "
        f"{min(VIEWS, epochs) + 1} views; {epochs} epochs a run at {distill_rate:,.0f} images/s)"
    )


def memory(options: argparse.Namespace) -> None:
    """Peak of a process that distils, over that of a bare loop with the same network and batch plus the caches. The
    bare loop gives freed memory back to the system.
    """
    found = {
        arm: json.loads(
            subprocess.run(
                [sys.executable, __file__, "--pair", options.pair, "--images", str(options.images), "--peak", arm],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.splitlines()[-1]
        )
        for arm in ("bare", "distill")
    }
    held = found["bare"]["peak_mb"] + found["distill"]["caches_mb"]
    peak_mb = found["distill"]["peak_mb"]
    print(
        f"peak memory: {peak_mb:,.0f} MB over {held:,.0f} MB (bare loop and caches of "
        f"{found['distill']['caches_mb']:,.0f} MB): ratio {peak_mb / held:.2f}, n = 1"
    )


def peak(arm: str, pair: Pair, images: int, device: Device, folder: Path) -> dict[str, float]:
    """Peak memory of a few steps of a loop without data ("bare"), or of an epoch as the program does it."""
    if arm == "bare":
        reset_peak_memory(device)
        _bare(pair, device)
        return {"peak_mb": peak_memory_mb(device), "caches_mb": 0.0}
    task, rows = task_of(pair, images, folder), np.arange(images)
    cache = cache_of(task, teacher_of(pair, Device(device.name, device.precision)), 2, folder)
    fill_at_random(cache, rows)
    made = training(pair, task, rows, device, folder, cache)
    packed = made.data.images.pack.store.row_bytes * images
    reset_peak_memory(device)
    made.run()
    return {"peak_mb": peak_memory_mb(device), "caches_mb": (packed + cache.store.row_bytes * images) / 1e6}


def _bare(pair: Pair, device: Device) -> None:
    network = load_network(pair.student, 10, image_size=pair.size, pretrained=False, seed=0).network
    network = device.place(network).train()
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    images = torch.rand(pair.batch, 3, pair.size, pair.size, device=device.name)
    labels = torch.arange(pair.batch, device=device.name) % 10
    for _ in range(4):
        with device.autocast():
            loss = functional.cross_entropy(network(images).logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", choices=PAIRS, default="32")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2, help="in a chunk")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",") if n], default=[])
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--peak", choices=["bare", "distill"], help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
