"""Which student can be had as which file, and what it loses? Trained shortly on real images, exported, verified.

A table student x target: largest difference from the network, accuracy drop with its interval on validation images,
share of int8, latency of one image on one thread (and of int8 as a multiple of float), size; what is refused, and why.

    OMP_NUM_THREADS=1 python benchmarks/exported.py --out exported --images 1000 --epochs 10
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import azeotrope
from azeotrope.errors import AzeotropeError
from azeotrope.exporting.environment import prepare
from azeotrope.exporting.target import backends_of, named
from azeotrope.record.storage.verification import File, Verification

STUDENTS = {
    "resnet10t": 32,
    "mobilenetv3_small_050": 64,
    "tf_efficientnet_lite0": 64,
    "mobilenetv4_conv_small_050": 64,
    "vit_tiny_patch16_224": 32,
    "convnext_atto": 64,
}
FLOAT = {key: key.removesuffix("-int8") for key in ("onnx-int8", "openvino-int8", "litert-int8", "executorch-int8")}


def rows(student: str, said: Verification) -> Iterator[str]:
    """The table's rows of one student."""
    latency = {file.target: file.latency.median_ms for file in said.files}
    network = said.network
    milliseconds, size = f"{network.latency.median_ms:.2f}", f"{network.bytes / 1e6:.2f}"
    yield f"| {student} | torch | | {network.error:.4f} | | | {milliseconds} | {size} |"
    for file in said.files:
        yield f"| {student} | {' | '.join(cells(file, latency))} |"
    for each in said.not_run:
        yield f"| {student} | {each.target} | not run here | | | | | {each.bytes / 1e6:.2f} |"
    for refused in said.refused:
        yield f"| {student} | {refused.target} | refused: {refused.reason} |"


def cells(file: File, latency: dict[str, float]) -> Iterator[str]:
    """One file's."""
    lost, beside = file.drop, latency.get(FLOAT.get(file.target, ""))
    ratio = f" ({file.latency.median_ms / beside:.2f} x)" if beside else ""
    yield file.target
    yield f"{file.parity.largest:.2g} ({file.parity.answers_differ - file.parity.ties} of {file.parity.images} differ)"
    yield f"{file.error:.4f}"
    yield f"{100 * lost.value:+.2f} [{100 * lost.low:+.2f}, {100 * lost.high:+.2f}] {lost.verdict}"
    yield "" if file.int8_share is None else f"{100 * file.int8_share:.0f} %"
    yield f"{file.latency.median_ms:.2f}{ratio}"
    yield f"{file.bytes / 1e6:.2f}"


def main() -> None:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="fashion-mnist")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--students", nargs="+", default=list(STUDENTS))
    parser.add_argument("--to", default="onnx,onnx-int8,pt2")
    parser.add_argument("--env", help="of targets that run in an environment of their own")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--validation-images", type=int, default=1000)
    given = parser.parse_args()
    prepare(backends_of(named(given.to)), given.env, print)  # what is missing is told before anything is trained
    print("| student | file | largest difference | error | points lost, 95 % | int8 | ms | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for student in given.students:
        try:
            trained = azeotrope.distill(
                given.data,
                student=student,
                teacher=None,
                arm="scratch",
                train_images=given.images,
                image_size=STUDENTS.get(student, 64),
                recipe={"epochs": given.epochs, "learning_rates": (2e-3,), "views": 2},
                precision="fp32",
                cache=given.out / "cache",
                out=given.out / student,
            )
            made = azeotrope.export(
                trained.model,
                to=given.to,
                out=given.out / f"{student}-export",
                validation_images=given.validation_images,
                cache=given.out / "cache",
            )
        except AzeotropeError as error:
            print(f"| {student} | all | refused: {error} |", flush=True)
        else:
            print("\n".join(rows(student, made.verification)), flush=True)


if __name__ == "__main__":
    main()
