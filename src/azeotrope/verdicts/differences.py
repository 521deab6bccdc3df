"""Paired differences of two arms at one size, whoever made them: stored records or rows of a table of runs.

It pairs and refuses what cannot be paired; it concludes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import unpack_clusters
from azeotrope.record.folds import PooledRun, parts_of
from azeotrope.record.kinds import words_of
from azeotrope.record.resizes import STORED
from azeotrope.record.run import RunRecord
from azeotrope.tables.columns import CLUSTERS, CORRECT, TEST_CLASSES
from azeotrope.verdicts.folded import Folded, folded
from azeotrope.verdicts.moderated import Spread
from azeotrope.verdicts.sampling import binomial_variance, image_variance


@dataclass(frozen=True)
class Differences:
    """Test error of `a` minus that of `b`, one value a seed that both have; `error` is the mean of both arms.

    `image_variance` is what the sampling of test images adds to the variance of the mean; None where that is not
    known, and `uncounted` then says why. `bound` says that it is the most it can be. Over folds `folded` is the
    variance of the mean with everything in it, and the two others have no part.
    """

    a: str
    b: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    error: float
    image_variance: float | None
    uncounted: str = ""
    bound: bool = False
    folded: Folded | None = None

    @property
    def trainings(self) -> int:
        """How often each arm was trained: once a seed and fold."""
        return len(self.seeds) * (self.folded.folds if self.folded else 1)

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> Spread | None:
        """Variance over seeds; None below two, which say nothing of it, and over folds."""
        if len(self.values) < 2 or self.folded:
            return None
        return Spread(float(np.var(self.values, ddof=1)), len(self.values) - 1, self.error)


def of_records(a: Sequence[RunRecord], b: Sequence[RunRecord]) -> Differences:
    """The differences of two arms, one run a seed; failed runs take no part.

    Raises InputError when the runs are of several arms, tasks, sizes or test sets, or repeat a seed.
    """
    runs_a, runs_b = by_seed(a, "a"), by_seed(b, "b")
    _refuse_different([*a, *b])
    seeds = tuple(sorted(runs_a.keys() & runs_b.keys()))
    pairs = [(runs_a[seed], runs_b[seed]) for seed in seeds]
    values = tuple(error_of(left) - error_of(right) for left, right in pairs)
    if not pairs:
        return Differences(a[0].arm, b[0].arm, (), (), 0.0, None)
    left, right = (float(np.mean([error_of(pair[side]) for pair in pairs])) for side in (0, 1))
    if isinstance(pairs[0][0], PooledRun):
        folded = _folded(pairs)
        unknown = "" if folded.of_images else _FOLDS_ALONE
        return Differences(a[0].arm, b[0].arm, seeds, values, (left + right) / 2, None, unknown, folded=folded)
    variance, bound = _image_variance(pairs, (left, right))
    uncounted = _uncounted(pairs[0][0]) if variance is None else ""
    return Differences(a[0].arm, b[0].arm, seeds, values, (left + right) / 2, variance, uncounted, bound)


def of_rows(left: pl.DataFrame, right: pl.DataFrame, a: str, b: str) -> Differences:
    """The same from rows of one size in tables as `RunFrame` has them; without seeds nothing is paired."""
    both = left.drop_nulls("seed").join(right.drop_nulls("seed"), on="seed", suffix="_b").sort("seed")
    if both.is_empty():
        return Differences(a, b, (), (), 0.0, None)
    mean_a, mean_b = float(np.mean(both["error"].to_numpy())), float(np.mean(both["error_b"].to_numpy()))
    images = one_number(both["test_images"])
    variance, bound = _variance_of_rows(both, (mean_a, mean_b), images) if images else (None, False)
    uncounted = "" if images else "; sampling of test images is not counted: the table does not give their number"
    return Differences(
        a=a,
        b=b,
        seeds=tuple(int(seed) for seed in both["seed"]),
        values=tuple((both["error"] - both["error_b"]).to_list()),
        error=(mean_a + mean_b) / 2,
        image_variance=variance,
        uncounted=uncounted,
        bound=bound,
    )


def one_number(values: pl.Series) -> int | None:
    """The number that all which are given share; None where they differ or none is given."""
    found = values.drop_nulls().unique().to_list()
    return int(found[0]) if len(found) == 1 else None


def _variance_of_rows(both: pl.DataFrame, means: tuple[float, float], images: int) -> tuple[float, bool]:
    """From what each image got; unless every run holds that, from the number of images, as a bound."""
    bits = both.select(CORRECT, f"{CORRECT}_b")
    if bits.null_count().sum_horizontal()[0]:
        return binomial_variance(*means, images), True
    left, right = (np.array([unpack_correct(text, images) for text in bits[name]]) for name in bits.columns)
    packed = (both[name][0] for name in (CLUSTERS, TEST_CLASSES))
    clusters, classes = (None if text is None else unpack_clusters(text) for text in packed)
    return image_variance(right.astype(float) - left, clusters, classes), False


def by_seed(runs: Sequence[RunRecord], name: str) -> dict[int, RunRecord]:
    """The finished runs of one arm. Raises InputError for none, for several arms, and for a seed that comes twice."""
    if not runs:
        raise InputError(f"A verdict needs runs of both arms; {name} has none", next_step="check the names of the arms")
    arms = sorted({run.arm for run in runs})
    if len(arms) > 1:
        raise InputError(f"{name} must be one arm", found=", ".join(arms), next_step="pass the runs of one arm")
    done = [run for run in runs if run.state == "done" and run.test_error is not None]
    found = {run.seed: run for run in done}
    if len(found) < len(done):
        raise InputError(
            f"Each seed of {arms[0]} may have one run",
            found=f"{len(done)} runs of seeds {', '.join(map(str, sorted(found)))}",
            next_step="pass the runs of one student, recipe and size",
        )
    return found


def error_of(run: RunRecord) -> float:
    """The test error of a finished run."""
    assert run.test_error is not None  # by_seed kept runs with an outcome only
    return run.test_error


def wrong(correct: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """1 where an answer was wrong."""
    assert correct is not None
    return np.asarray(~correct, dtype=np.float64)


def _refuse_different(runs: Sequence[RunRecord]) -> None:
    """Arms are comparable on the same task, size and test images only, and as one version judges them."""
    shared: dict[str, set[str | int]] = {
        "task": {run.task.fingerprint for run in runs},
        "measure": {run.judged_by for run in runs},
        "train_images": {run.train_images for run in runs},
        "number of test images": {run.test_images for run in runs if run.test_images is not None},
    }
    for size in {run.student.image_size for run in runs}:  # at another size the pictures may be those of the files
        same = [run for run in runs if run.student.image_size == size]
        shared[f"resize of what is judged at {size} pixels"] = {run.resize or STORED for run in same}
    for arm in {run.arm for run in runs}:
        marks: set[str | int] = {run.upstream_resize or STORED for run in runs if run.arm == arm and run.upstream}
        shared[f"resize of what judged the pre-training of {arm}"] = marks
    for what, values in shared.items():
        if len(values) > 1:
            raise InputError(
                f"Both arms of a verdict must share one {what}",
                found=", ".join(sorted(map(str, values))),
                next_step="compare runs made by one `azeotrope compare`, or filter the runs",
            )


_FOLDS_ALONE = "; only the folds' errors are counted, since the error is no mean over images"


def _folded(pairs: Sequence[tuple[RunRecord, RunRecord]]) -> Folded:
    """Of the differences of two arms."""
    outcomes = [(left.correctness(), right.correctness()) for left, right in pairs]
    known = not any(left is None or right is None for left, right in outcomes)
    by_fold = [
        [error_of(one) - error_of(other) for one, other in zip(parts_of(left), parts_of(right), strict=True)]
        for left, right in pairs
    ]
    by_image = np.array([wrong(left) - wrong(right) for left, right in outcomes]) if known else None
    return folded([left for left, _ in pairs], np.array(by_fold), by_image)


def _image_variance(pairs: list[tuple[RunRecord, RunRecord]], means: tuple[float, float]) -> tuple[float | None, bool]:
    """From what each image got; without that, from the number of images, as a bound."""
    outcomes = [(left.correctness(), right.correctness()) for left, right in pairs]
    if not any(left is None or right is None for left, right in outcomes):
        advantage = np.array([wrong(left) - wrong(right) for left, right in outcomes])
        return image_variance(advantage, pairs[0][0].test_clusters(), pairs[0][0].test_labels()), False
    images = pairs[0][0].test_images if words_of(pairs[0][0].measure).sampled else None
    return (binomial_variance(means[0], means[1], images), True) if images else (None, False)


def _uncounted(run: RunRecord) -> str:
    """Why the sampling of test images is no part of the interval."""
    words = words_of(run.measure)
    why = "the number of test images is not given" if words.sampled else f"{words.error} is no mean over images"
    return f"; sampling of test images is not counted: {why}"
