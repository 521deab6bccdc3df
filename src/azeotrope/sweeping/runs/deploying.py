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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt
from numpy.typing import NDArray

from azeotrope.data.augmentation.render import plain_pixels
from azeotrope.data.division.subset import subset
from azeotrope.errors import AzeotropeError, first_line
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.target import CALIBRATION_IMAGES, Conversion, Program, target_named
from azeotrope.exporting.verification import Evidence, eager, verified
from azeotrope.kinds._kind import UNSCALED
from azeotrope.kinds._measures import judged_by
from azeotrope.models.load import Loaded
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.record.facts import DeployedFacts
from azeotrope.record.run import pack_correctness
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.evaluate import AnswersOf, FileTest, in_parts

VERIFIED_IMAGES = 2000  # of validation that each file is held against its network on, or all
ANY_DROP = 1.0  # an error cannot grow by more: what a file loses is measured here, not limited


@dataclass
class Files:
    """What is known of each target's file, and of those that can be used, what they answer."""

    facts: dict[str, DeployedFacts] = field(default_factory=dict)
    answering: dict[str, AnswersOf] = field(default_factory=dict)

    def add(self, target: str, making: _Making) -> None:
        """Make and measure one; runtimes raise errors of many kinds, and none of them may cost the run."""
        began = time.perf_counter()
        try:
            facts, program = making.measured(target)
        except Exception as error:
            facts = DeployedFacts(reason=_reason(error))
        else:
            self.answering[target] = _Answering(program)
        self.facts[target] = facts.model_copy(update={"seconds": time.perf_counter() - began})

    def tested(self, tests: Mapping[str, FileTest | Exception]) -> dict[str, DeployedFacts]:
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
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="azeotrope-", ignore_cleanup_errors=True))
            making = _Making.of(resources, spec, student, Path(folder))
        except Exception as error:  # a full disk, a network that cannot be copied: none of them may cost the run
            files.facts = {target: DeployedFacts(reason=_reason(error)) for target in targets}
        else:
            for target in targets:
                files.add(target, making)
        yield files


@dataclass(frozen=True)
class _Making:
    """What the files of a run are made from, and held against: `evidence` are a part of the `rows` of validation."""

    resources: Resources
    spec: RunSpec
    saved: SavedModel
    rows: NDArray[np.int64]
    conversion: Conversion
    evidence: Evidence

    @classmethod
    def of(cls, resources: Resources, spec: RunSpec, student: Loaded, work: Path) -> _Making:
        """Of a trained student on the processor; `work` is an empty folder."""
        task, saved = resources.tasks[spec.task], _saved(resources, spec, student)
        rows, deployed = resources.rows(spec.task, spec.train_images, spec.seed), Deployed(saved)
        calibration = _pixels(resources, spec, saved, rows.train[:CALIBRATION_IMAGES])
        shown = rows.val
        if len(shown) > VERIFIED_IMAGES:
            shown = subset(shown, task.labels, VERIFIED_IMAGES, spec.seed, task.manifest.checksums, task.kind)
        pixels = _pixels(resources, spec, saved, shown)
        judge = judged_by(task.kind, spec.recipe.metric)
        evidence = Evidence(judge, pixels, task.labels[shown], eager(deployed, pixels), ANY_DROP)
        conversion = Conversion(deployed, spec.image_size, calibration, work, len(saved.preprocessing.mean))
        return cls(resources, spec, saved, rows.val, conversion, evidence)

    def measured(self, target: str) -> tuple[DeployedFacts, Program]:
        """Raises NotExported as `verified` does, and what runtimes raise."""
        converter, conversion = target_named(target), self.conversion
        path = conversion.file_of(target)
        program = converter.open_program(path, conversion.deployed.outputs)
        file = verified(target, converter, path, program, self.evidence)
        facts = DeployedFacts(
            val_error=file.error if file.images == len(self.rows) else self._error(program),
            latency_ms=file.latency.median_ms,
            size_mb=file.bytes / 1e6,
            int8_share=file.int8_share,
            calibration_images=len(conversion.calibration) if converter.INT8 else None,
        )
        return facts, program

    def _error(self, program: Program) -> float:
        """On all validation images, as many at a time as judging a network takes: that of the run is of all too."""
        parts = in_parts(self.rows, self.spec.image_size)
        said = [program.answer(_pixels(self.resources, self.spec, self.saved, part))[0] for part in parts]
        judge, labels = self.evidence.kind, self.resources.tasks[self.spec.task].labels[self.rows]
        return judge.error(torch.from_numpy(np.concatenate(said)), judge.targets(labels, UNSCALED))


@dataclass(frozen=True)
class _Answering:
    """The first output of a file: logits, or values."""

    program: Program

    def __call__(self, pixels: UInt[np.ndarray, "n bands S S"]) -> Float[np.ndarray, "n C"]:
        return self.program.answer(pixels)[0]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, AzeotropeError) else first_line(error)


def _with(facts: DeployedFacts, test: FileTest | Exception) -> DeployedFacts:
    """A file that fails on the test images cannot be used, whatever it did on others."""
    if isinstance(test, Exception):
        return DeployedFacts(reason=_reason(test), seconds=facts.seconds)
    correct = None if test.correct is None else pack_correctness(test.correct)
    return facts.model_copy(update={"test_error": test.error, "test_nll": test.log_loss, "correct": correct})


def _saved(resources: Resources, spec: RunSpec, student: Loaded) -> SavedModel:
    """As `azeotrope export` reads it from disk: of numbers, answering values in their unit."""
    task, network = resources.tasks[spec.task], copy.deepcopy(student.network).eval()
    resources.scale(spec.task, spec.train_images, spec.seed).fold(network.head)
    look = replace(student.preprocessing, size=spec.image_size, pixels=task.manifest.pixels)
    return SavedModel(network, task.classes, look, ModelSpec.parse(spec.student), {}, task.kind.name, task.source.unit)


def _pixels(
    resources: Resources, spec: RunSpec, saved: SavedModel, rows: NDArray[np.int64]
) -> UInt[np.ndarray, "n bands S S"]:
    size, how, channels = spec.image_size, saved.preprocessing.interpolation, len(saved.preprocessing.mean)
    pack = resources.plain(spec.task, size, how)
    pack.ensure(rows)
    return np.concatenate([plain_pixels(pack.read(part), size, how, channels) for part in in_parts(rows, size)])
