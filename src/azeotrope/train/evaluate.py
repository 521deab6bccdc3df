"""How a student is judged. Validation is read after every epoch; the test split has one reader, `final_test`.

A test greps the package for other readers of the test rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt
from numpy.typing import NDArray

from azeotrope.data.augmentation.render import plain_pixels
from azeotrope.devices.ahead import ahead
from azeotrope.devices.device import Device
from azeotrope.kinds._kind import UNSCALED, Kind
from azeotrope.models.network import Network
from azeotrope.record.machine import energy
from azeotrope.record.storage.answers import Answers, TestSet
from azeotrope.train.dataset import StudentData, Targets
from azeotrope.train.prepare import Prepare

AT_A_TIME = (256, 2**21)  # images and pixels: so that judging takes less memory than training, at any image size


AnswersOf = Callable[[UInt[np.ndarray, "n bands S S"]], Float[np.ndarray, "n C"]]
"""What an exported file answers to pixels: logits, or values in their unit."""


@dataclass(frozen=True, order=True)
class Score:
    """Error first, then mean cross-entropy (`Kind.loss`) to break ties: what validation compares. Lower is better."""

    error: float
    cross_entropy: float

    def by(self, first: Literal["error", "cross_entropy"]) -> tuple[float, float]:
        """What compares first, then the other."""
        both = (self.error, self.cross_entropy)
        return both if first == "error" else both[::-1]


@dataclass(frozen=True)
class FileTest:
    """What an exported file of the student answers on the same test images, as `Test` says it of the network."""

    error: float
    correct: NDArray[np.bool_] | None
    log_loss: float | None


@dataclass(frozen=True)
class Test:
    """The one look at the test split: the error, the images, for each what the student said and with which
    probabilities, whether it was right (None where an answer is not simply right or wrong), its log-loss and
    calibration error (None where it says no probabilities), further `metrics` of the kind, and the teacher's error.
    `files` are the student's exported files, by target.
    """

    error: float
    images: TestSet
    answers: Answers
    correct: NDArray[np.bool_] | None
    teacher_error: float | None
    log_loss: float | None = None
    calibration_error: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    joules: float | None = None
    files: Mapping[str, FileTest | Exception] = field(default_factory=dict)


def batch_images(image_size: int) -> int:
    """How many images of so many pixels a side are judged at a time."""
    images, pixels = AT_A_TIME
    return max(1, min(images, pixels // image_size**2))


def in_parts(rows: NDArray[np.int64], image_size: int) -> list[NDArray[np.int64]]:
    """These rows, about as many at a time as are judged."""
    return np.array_split(rows, max(1, len(rows) // batch_images(image_size)))


def validate(network: Network, data: StudentData, rows: NDArray[np.int64], device: Device) -> Score:
    """Score on these rows, which must not be test rows."""
    logits, labels = _logits(network, data, rows, device)
    return Score(data.judge.error(logits, labels), data.kind.loss(logits, labels).item())


def answers_on(network: Network, data: StudentData, rows: NDArray[np.int64], device: Device) -> Answers:
    """What the student says of these rows, which must not be test rows."""
    logits, _ = _logits(network, data, rows, device)
    return _answers(data, logits)


def _answers(data: StudentData, logits: torch.Tensor) -> Answers:
    sure = data.kind.probabilities(logits)
    return Answers(data.kind.said(logits, data.images.scale), None if sure is None else sure.astype(np.float16))


def final_test(
    network: Network,
    data: StudentData,
    teacher: Targets | None,
    device: Device,
    files: Mapping[str, AnswersOf] | None = None,
) -> Test:
    """Read the test split, once a run, after everything has been chosen. `files` are the network's exported ones."""
    judged, task = data.images.judged, data.images.pack.task
    judge, rows = data.judge, task.splits.test
    judged.ensure(rows)
    before, began = energy.here().joules(), time.perf_counter()
    logits, labels = _logits(network, data, rows, device)
    seconds, joules = time.perf_counter() - began, energy.here().since(before)
    answers = _answers(data, logits)
    teacher_error = None
    if teacher is not None:
        teacher.cache.ensure(rows, [-1])
        teacher_error = judge.error(teacher.head.logits(teacher.cache.read(rows, -1)), labels)
    correct = judge.right(logits, task.labels[rows], data.images.scale)
    return Test(
        error=_error(judge, logits, labels, correct),
        images=TestSet(
            tuple(task.manifest.keys[row] for row in rows.tolist()),
            task.labels[rows],
            None if task.units is None else np.unique(task.units[rows], return_inverse=True)[1],
        ),
        answers=answers,
        correct=correct,
        teacher_error=teacher_error,
        log_loss=task.kind.log_loss(logits, labels),
        calibration_error=task.kind.calibration_error(logits, labels),
        metrics=judge.metrics(logits, labels, data.images.scale),
        seconds=seconds,
        joules=joules,
        files={target: _file_test(answer, data, rows) for target, answer in (files or {}).items()},
    )


def _file_test(answer: AnswersOf, data: StudentData, rows: NDArray[np.int64]) -> FileTest | Exception:
    """As many images at a time as judging a network takes: a test set at full size may not fit into memory. A runtime
    that fails gives its error: the run is done, whatever becomes of a file.
    """
    pack, size, kind, look = data.images.judged, data.image_size, data.judge, data.preprocessing
    try:
        said = [
            answer(plain_pixels(pack.read(part), size, look.interpolation, len(look.mean)))
            for part in in_parts(rows, size)
        ]
    except Exception as error:  # of many kinds
        return error
    outputs, labels = torch.from_numpy(np.concatenate(said)), pack.task.labels[rows]
    targets, correct = kind.targets(labels, UNSCALED), kind.right(outputs, labels, UNSCALED)
    return FileTest(_error(kind, outputs, targets, correct), correct, kind.log_loss(outputs, targets))


def _error(judge: Kind, outputs: torch.Tensor, targets: torch.Tensor, right: NDArray[np.bool_] | None) -> float:
    """To the last bit what the answers on each image say, where it is their mean."""
    return float(1 - right.mean()) if right is not None and judge.over_images else judge.error(outputs, targets)


@torch.inference_mode()
def _logits(
    network: Network, data: StudentData, rows: NDArray[np.int64], device: Device
) -> tuple[torch.Tensor, torch.Tensor]:
    network.eval()
    prepare, hosts = Prepare(data.alone, device), data.plain(rows, batch_images(data.image_size))
    logits, labels = [], []
    with closing(ahead(hosts, device, prepare)) as batches:
        for batch in batches:
            with device.autocast():
                logits.append(network(batch.images).logits.float())
            labels.append(batch.labels)
    return torch.cat(logits).cpu(), torch.cat(labels).cpu()
