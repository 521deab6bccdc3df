"""`verification.json` of a bundle: what was measured of each exported file, for whoever shows it.

`exporting` writes it; the card, the report and `predict` read it. It measures nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from azeotrope.errors import InputError
from azeotrope.recipe import OWN_ERROR
from azeotrope.record.facts import EnvironmentFacts
from azeotrope.spec import Spec, from_yaml

FILE = "verification.json"
Verdict = Literal["LOSES LESS", "INCONCLUSIVE", "LOSES MORE"]


class Latency(Spec):
    """Milliseconds for one image on one thread: the median, and the tenth and ninetieth hundredth of `runs`."""

    median_ms: float
    p10_ms: float
    p90_ms: float
    runs: int


class Calibration(Spec):
    """The temperature, and log-loss (nats) and calibration error of validation images without and with it.

    "With" is cross-fitted in five parts: the temperature of each part comes from the others.
    """

    temperature: float
    images: int
    log_loss_before: float
    log_loss_after: float
    calibration_error_before: float
    calibration_error_after: float


class Parity(Spec):
    """How far two stages of the way from picture to answer are apart, on `images` real images.

    `spread` is the standard deviation of what is compared; `answers_differ` counts images with another answer, `ties`
    those of them whose two best answers the network itself holds for equal.
    """

    stage: str
    images: int
    largest: float
    mean: float
    spread: float
    answers_differ: int = 0
    ties: int = 0


class Drop(Spec):
    """Error of the file less that of the network on the same validation images, with its interval, and whether that is
    less than `allowed`.
    """

    value: float
    low: float
    high: float
    level: float
    allowed: float
    verdict: Verdict

    @property
    def said(self) -> str:
        """The verdict in words."""
        return f"{self.verdict} {'against' if self.verdict == 'INCONCLUSIVE' else 'than'} {self.allowed:g}"


class File(Spec):
    """One exported file: what was measured of it in its own runtime. `error` is on validation, `test_error` on the test
    images, which choose nothing.
    """

    target: str
    file: str
    bytes: int
    parity: Parity
    images: int
    error: float
    drop: Drop
    latency: Latency
    int8_share: float | None = None
    test_error: float | None = None


class NotRun(Spec):
    """A file that was converted and that no runtime of this system opens: nothing was measured of its answers."""

    target: str
    file: str
    bytes: int
    reason: str


class Refused(Spec):
    """A file that was not made, or made and not kept."""

    target: str
    reason: str


class TorchNetwork(Spec):
    """The trained network itself, in torch on one thread."""

    parameters: int
    bytes: int
    error: float
    latency: Latency
    test_error: float | None = None


class Verification(Spec):
    """`verification.json`. `test_images`: how many gave the test errors; None in bundles that are older. `metric`: the
    measure that every error and drop is by, as the training's `--metric` named it. `packages`: versions in the
    environments of targets that run in one of their own, by its name.
    """

    format: Literal[1] = 1
    model: str
    weights: str
    run_id: str | None
    data: str
    fingerprint: str
    metric: str = OWN_ERROR
    validation_images: int
    calibration_images: int
    test_images: int | None = None
    environment: EnvironmentFacts
    network: TorchNetwork
    calibration: Calibration | None
    stages: tuple[Parity, ...]
    files: tuple[File, ...]
    refused: tuple[Refused, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    packages: dict[str, dict[str, str]] = Field(default_factory=dict)


def read_verification(folder: Path) -> Verification:
    """That of a bundle. Raises InputError when it is not there, or cannot be read."""
    return from_yaml(Verification, bundle_file(folder, FILE, "what was verified"))


def bundle_file(folder: Path, name: str, says: str) -> Path:
    """A file beside the exported ones. Raises InputError when it is not there."""
    if not (folder / name).is_file():
        raise InputError(
            f"An exported file is used from its bundle, which says {says}",
            found=f"no {name} in {folder}",
            next_step="keep the file in the folder that `azeotrope export` wrote, or copy that folder whole",
        )
    return folder / name
