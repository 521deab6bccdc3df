"""The student of a run as files for a device: converted, held against the network on validation images, then asked
beside it in the run's one look at the test images.

A file that cannot be had is recorded with its reason and never costs the run. What a person takes to a device is made
by `azeotrope export`; here nothing is kept.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from azeotrope.data.render import plain_pixels
from azeotrope.errors import AzeotropeError
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.target import Conversion, Program, first_line, target_named
from azeotrope.exporting.verification import Evidence, eager, verified
from azeotrope.kinds._measures import judged_by
from azeotrope.models.load import Loaded
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.record.run import DeployedFacts, pack_correctness
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.evaluate import AnswersOf, FileTest

CALIBRATION_IMAGES = 256  # of the run's training images, or all; as `azeotrope export`
ANY_DROP = 1.0  # an error cannot grow by more: what a file loses is measured here, not limited


@dataclass
class Files:
    """What is known of each target's file, and of those that can be used, what they answer."""

    facts: dict[str, DeployedFacts] = field(default_factory=dict)
    answering: dict[str, AnswersOf] = field(default_factory=dict)

    def tested(self, tests: Mapping[str, FileTest]) -> dict[str, DeployedFacts]:
        """The facts with what the test images said."""
        return {
            target: _with(facts, tests[target]) if target in tests else facts for target, facts in self.facts.items()
        }


@contextmanager
def files_of(resources: Resources, spec: RunSpec, student: Loaded, targets: Sequence[str]) -> Iterator[Files]:
    """The files of a trained student on the processor, which stays as it is; they are gone afterwards."""
    files = Files()
    if not targets:
        yield files
        return
    with tempfile.TemporaryDirectory(prefix="azeotrope-") as folder:
        saved = _saved(resources, spec, student)
        conversion, evidence = _conversion(resources, spec, saved, Path(folder)), _evidence(resources, spec, saved)
        for target in targets:
            began = time.perf_counter()
            try:
                facts, program = _measured(target, conversion, evidence)
            except AzeotropeError as error:
                facts = DeployedFacts(reason=str(error))
            except Exception as error:  # runtimes raise errors of many kinds, and none of them may cost the run
                facts = DeployedFacts(reason=first_line(error))
            else:
                files.answering[target] = _Answering(program)
            files.facts[target] = facts.model_copy(update={"seconds": time.perf_counter() - began})
        yield files


@dataclass(frozen=True)
class _Answering:
    """The first output of a file: logits, or values."""

    program: Program

    def __call__(self, pixels: UInt8[np.ndarray, "n 3 S S"]) -> Float[np.ndarray, "n C"]:
        return self.program.answer(pixels)[0]


def _measured(target: str, conversion: Conversion, evidence: Evidence) -> tuple[DeployedFacts, Program]:
    """Raises NotExported as `verified` does, and what runtimes raise."""
    converter = target_named(target)
    path = conversion.file_of(target)
    program = converter.open_program(path, conversion.deployed.outputs)
    file = verified(target, converter, path, program, evidence)
    facts = DeployedFacts(
        val_error=file.error,
        latency_ms=file.latency.median_ms,
        size_mb=file.bytes / 1e6,
        int8_share=file.int8_share,
        calibration_images=len(conversion.calibration) if converter.INT8 else None,
    )
    return facts, program


def _with(facts: DeployedFacts, test: FileTest) -> DeployedFacts:
    correct = None if test.correct is None else pack_correctness(test.correct)
    return facts.model_copy(update={"test_error": test.error, "test_nll": test.log_loss, "correct": correct})


def _saved(resources: Resources, spec: RunSpec, student: Loaded) -> SavedModel:
    """As `azeotrope export` reads it from disk: of numbers, answering values in their unit."""
    task, network = resources.tasks[spec.task], copy.deepcopy(student.network).eval()
    resources.scale(spec.task, spec.train_images, spec.seed).fold(network.head)
    look = replace(student.preprocessing, size=spec.image_size)
    return SavedModel(network, task.classes, look, ModelSpec.parse(spec.student), {}, task.kind.name, task.source.unit)


def _conversion(resources: Resources, spec: RunSpec, saved: SavedModel, work: Path) -> Conversion:
    rows = resources.rows(spec.task, spec.train_images, spec.seed).train[:CALIBRATION_IMAGES]
    return Conversion(Deployed(saved), spec.image_size, _pixels(resources, spec, saved, rows), work)


def _evidence(resources: Resources, spec: RunSpec, saved: SavedModel) -> Evidence:
    task, rows = resources.tasks[spec.task], resources.rows(spec.task, spec.train_images, spec.seed).val
    pixels = _pixels(resources, spec, saved, rows)
    judge = judged_by(task.kind, spec.recipe.metric)
    return Evidence(judge, pixels, task.labels[rows], eager(Deployed(saved), pixels), ANY_DROP)


def _pixels(resources: Resources, spec: RunSpec, saved: SavedModel, rows: np.ndarray) -> UInt8[np.ndarray, "n 3 S S"]:
    pack = resources.pack(spec.task, spec.image_size)
    pack.ensure(rows)
    return plain_pixels(pack.read(rows), spec.image_size, saved.preprocessing.interpolation)
