"""The shapes in which a diagnosis is shown and stored in `compare.json`: plain numbers, no logic.

Shares are fractions in [0, 1] with 95 % intervals over test images (or their clusters) and seeds; of one seed over
images alone. What cannot be said is None.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from azeotrope.record.interval import Interval


class Numbers(BaseModel):
    """Base of all records here: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassNumbers(Numbers):
    """How one class fares. `support` are the test images that show it.

    `recall`: the share of these that are found; `precision`: the share of the answers that are right; `f1`: the
    harmonic mean of the two. None where no image shows it, or no run ever answers it.
    """

    name: str
    support: int
    recall: Interval | None
    precision: Interval | None
    f1: Interval | None


class Confused(Numbers):
    """Images of the class `label` that are given `answer` instead: how many a run, and which share of the class."""

    label: str
    answer: str
    images: float
    share: float


class Bin(Numbers):
    """Answers of about one probability: how sure they are on average, how often they come true, their share of all."""

    said: float
    came_true: float
    share: float


class Coverage(Numbers):
    """The error on the images that are left when the least sure answers are refused: those below `threshold`."""

    kept: float
    threshold: float
    error: Interval


class Threshold(Numbers):
    """Above which probability a class is best said to be there: chosen on validation for the highest F1, and the F1
    that it and one half have on test.
    """

    name: str
    threshold: float
    f1: Interval | None
    f1_at_half: Interval | None


class Fifth(Numbers):
    """A fifth of the test images by their true value: the mean value, answer − value on average, and the mean size."""

    value: float
    bias: Interval
    mae: float


class Residuals(Numbers):
    """Answer − value of a number, in its unit: `bias` is the mean, `sizes` are the 50, 90 and 95 % quantiles of its
    size, `fifths` go from the lowest values to the highest.
    """

    bias: Interval
    sizes: tuple[float, float, float]
    fifths: tuple[Fifth, ...]


class ArmDiagnosis(Numbers):
    """One arm over its seeds. `confusion` are images a run, a row a true class and a column an answer, for up to
    `confusion.MOST` classes; `confused` are the pairs that are confused most.
    """

    arm: str
    seeds: int
    classes: tuple[ClassNumbers, ...] = ()
    confusion: tuple[tuple[float, ...], ...] = ()
    confused: tuple[Confused, ...] = ()
    calibration: tuple[Bin, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    residuals: Residuals | None = None


class ClassDifference(Numbers):
    """Recall of a class by arm a minus that by arm b, over paired seeds; above zero a finds more."""

    name: str
    recall: Interval


class Between(Numbers):
    """Two arms class by class."""

    a: str
    b: str
    classes: tuple[ClassDifference, ...]


class Diagnosis(Numbers):
    """All arms of a comparison, and the winner against the reference class by class."""

    arms: tuple[ArmDiagnosis, ...]
    between: tuple[Between, ...] = ()

    def arm(self, name: str) -> ArmDiagnosis | None:
        """The arm of that name, if it has stored answers."""
        return next((arm for arm in self.arms if arm.arm == name), None)
