"""Does bf16 pay on this machine? Images per second against fp32, interleaved in one process, median of n trials.

Run alone on the machine: `python benchmarks/precision.py`. Decides the rule in `devices/device.py`.
"""

from __future__ import annotations

import statistics

from azeotrope.devices.choice import choose
from azeotrope.devices.device import Device
from azeotrope.devices.process import prepare
from azeotrope.models.load import load_backbone, load_network
from azeotrope.train.throughput import inference_rate, training_rate

TRIALS = 5
SECONDS = 2.0


def main() -> None:
    """Print one line a case: median ratio bf16 / fp32 and its range."""
    prepare()
    place = choose().name
    teacher = load_backbone("tf_efficientnet_lite0", pretrained=False, image_size=64).module
    print(f"device {place}, {TRIALS} interleaved trials of {SECONDS:g} s; ratio = images/s in bf16 over fp32")
    for what, size, batch in (("resnet10t", 32, 64), ("tf_efficientnet_lite0", 64, 64), ("mobilenetv2_100", 224, 16)):
        student = load_network(what, 10, image_size=size, pretrained=False, seed=0).network
        report(
            f"train {what} at {size} px",
            lambda device, s=student, p=size, b=batch: training_rate(s, p, b, device, SECONDS),
            place,
        )
    report(
        "embed tf_efficientnet_lite0 at 64 px", lambda device: inference_rate(teacher, 64, 128, device, SECONDS), place
    )


def report(what, rate, place) -> None:
    pairs = [(rate(Device(place, "fp32")), rate(Device(place, "bf16"))) for _ in range(TRIALS)]
    ratios = sorted(bf16 / fp32 for fp32, bf16 in pairs)
    fp32, bf16 = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(
        f"{what}: {fp32:,.0f} -> {bf16:,.0f} images/s, ratio {statistics.median(ratios):.2f} "
        f"[{ratios[0]:.2f}, {ratios[-1]:.2f}], n = {TRIALS}"
    )


if __name__ == "__main__":
    main()
