"""The runs of all folds of one training as one run whose test set is every labelled image.

What reads records pools them first: an arm and seed is then one run, as without folds, and every labelled image is
tested once. How the trainings of the folds depend on each other is `verdicts.folded`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Any, TypeVar

import numpy as np

from azeotrope.errors import InputError
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import by_class, pack_clusters, side_by_side, unpack_clusters
from azeotrope.record.facts import DeployedFacts, SearchFacts, TeacherFacts
from azeotrope.record.kinds import PER_CLASS
from azeotrope.record.run import RunRecord, pack_correctness

Fact = TypeVar("Fact")


class PooledRun(RunRecord):
    """One (arm, seed, ...) over all of `folds` folds, those made being `parts`, in the order of their numbers; test
    images come in that order.

    Its id is `FoldFacts.over_folds`. The error is that of all test images; further measures are means of the folds' own
    by their test images (but for the mean over classes where classes are stored), without calibration, which a small
    fold overstates. Seconds, energy and FLOPs are means over
    the folds: what one training costs. What folds chose differently is left out, but for losses: those that most took,
    with the count in `search.chosen`. It fails where a fold failed or was not made. It is never stored.
    """

    parts: tuple[RunRecord, ...] = ()
    folds: int = 1

    @property
    def fold_images(self) -> tuple[int, ...]:
        """Test images of each fold."""
        return tuple(part.test_images or 0 for part in self.parts)

    def as_deployed(self, target: str) -> RunRecord | None:
        """The same run, and each of its folds, judged by their files of this target."""
        found, files = super().as_deployed(target), [part.as_deployed(target) for part in self.parts]
        parts = tuple(file for file in files if file is not None)
        return found.model_copy(update={"parts": parts}) if found and len(parts) == len(files) else None


def parts_of(run: RunRecord) -> tuple[RunRecord, ...]:
    """The stored runs that this one is made of: those of its folds, else itself."""
    return run.parts if isinstance(run, PooledRun) else (run,)


def pooled(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Runs of folds as one run each; others as they are, in the order in which the first of each comes.

    Raises InputError where a fold of one arm and seed comes twice.
    """
    found: dict[str, list[RunRecord]] = {}
    for record in records:
        found.setdefault(record.fold.over_folds if record.fold else record.run_id, []).append(record)
    return [_one(sorted(runs, key=_number)) if runs[0].fold else runs[0] for runs in found.values()]


def _number(run: RunRecord) -> int:
    assert run.fold is not None
    return run.fold.number


def _one(parts: Sequence[RunRecord]) -> PooledRun:
    first = parts[0]
    assert first.fold is not None
    same = {name: getattr(first, name) for name in RunRecord.model_fields}
    _require_once(parts)
    own: dict[str, Any] = {
        "run_id": first.fold.over_folds,
        "fold": None,
        "parts": tuple(parts),
        "folds": first.fold.of,
        "environment": _agreed([part.environment for part in parts]),
        **_chosen(parts),
    }
    bad = [part for part in parts if part.state == "failed"]
    if bad or len(parts) < first.fold.of:
        said = f"fold {_number(bad[0])} of {first.fold.of}: {bad[0].reason}" if bad else _missing(parts, first.fold.of)
        return PooledRun.model_construct(**{**same, **own, "state": "failed", "reason": said, "test_error": None})
    return PooledRun.model_construct(**{**same, **own, **_judged(parts)})


def _require_once(parts: Sequence[RunRecord]) -> None:
    numbers = [_number(part) for part in parts]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise InputError(
            "Each fold of an arm and seed counts once",
            found=f"fold {', '.join(map(str, twice))} of {parts[0].arm} with seed {parts[0].seed} several times",
            allowed="one record a fold",
            next_step="give each store once",
        )


def _chosen(parts: Sequence[RunRecord]) -> dict[str, Any]:
    """What each fold chose on validation, as far as one thing can be said of all; losses are those that most took."""
    done = [part for part in parts if part.state == "done"] or parts
    searches = [part.search for part in done if part.search is not None]
    alike = Counter(str(part.losses) for part in done)
    return {
        "tuning": _agreed([part.tuning for part in done]),
        "steps": _agreed([part.steps for part in done]),
        "search": _search(searches) if len(searches) == len(done) else None,
        "losses": max(done, key=lambda part: alike[str(part.losses)]).losses,
    }


def _search(found: Sequence[SearchFacts]) -> SearchFacts:
    """The search of all folds; where they took different lists, how many took which."""
    if same := _agreed(found):
        return same
    taken = Counter(search.chosen for search in found)
    said = [f"{chosen} in {count} fold{'' if count == 1 else 's'}" for chosen, count in taken.most_common()]
    chosen = ", ".join(said) if len(taken) > 1 else found[0].chosen
    return found[0].model_copy(update={"chosen": chosen, "val_errors": (None,) * len(found[0].candidates)})


def _agreed(facts: Sequence[Fact]) -> Fact | None:
    """What all parts say, or None where they differ."""
    return facts[0] if all(fact == facts[0] for fact in facts) else None


def _missing(parts: Sequence[RunRecord], folds: int) -> str:
    made = {_number(part) for part in parts}
    lacking = ", ".join(str(number) for number in range(1, folds + 1) if number not in made)
    return f"not made yet: fold {lacking} of {folds}"


def _judged(parts: Sequence[RunRecord]) -> dict[str, Any]:
    """What is put together of finished folds."""
    images = [part.test_images or 1 for part in parts]

    def mean(name: str) -> float | None:
        return _mean([getattr(part, name) for part in parts], images)

    classes = _joined([part.test_classes for part in parts], apart=False)
    correct = _bits(parts)
    error = mean("test_error")
    if classes is not None and correct is not None:  # a mean over classes is one over those of all images
        error = _over_classes(correct, classes)
    every = set.intersection(*(set(part.metrics) for part in parts))
    metrics = {name: _mean([part.metrics[name] for part in parts], images) for name in sorted(every)}
    if PER_CLASS in metrics and classes is not None:
        metrics[PER_CLASS] = error  # the same thing, which has one value
    common = [part.task.common_error for part in parts]
    return {
        "task": parts[0].task.model_copy(update={"common_error": _mean(common, images)}),
        "val_images": min((part.val_images or 0) for part in parts) or None,
        "best_epoch": None,
        "val_error": _mean([part.val_error for part in parts]),
        "test_error": error,
        "test_nll": mean("test_nll"),
        "test_ece": None,
        "test_images": sum(part.test_images or 0 for part in parts) or None,
        "metrics": metrics,
        "correct": correct,
        "clusters": _joined([part.clusters for part in parts], apart=True),
        "test_classes": classes,
        "teacher": _teacher(parts, images),
        "seconds": _means([part.seconds for part in parts]),
        "joules": _means([part.joules for part in parts]) if all(part.joules for part in parts) else {},
        "flops": mean("flops"),
        "peak_memory_mb": max((part.peak_memory_mb or 0.0) for part in parts) or None,
        "deployed": _deployed(parts, images),
    }


def _mean(values: Sequence[float | None], weights: Sequence[int] | None = None) -> float | None:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return float(np.average(known, weights=weights))


def _means(costs: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for cost in costs for name in cost)
    return {name: fmean(cost.get(name, 0.0) for cost in costs) for name in names}


def _bits(parts: Sequence[RunRecord]) -> str | None:
    outcomes = [part.correctness() for part in parts]
    known = [outcome for outcome in outcomes if outcome is not None]
    return pack_correctness(np.concatenate(known)) if len(known) == len(parts) else None


def _joined(packed: Sequence[str | None], *, apart: bool) -> str | None:
    """Numbers of all test images; those of clusters are `apart`, since no cluster stands in two folds."""
    known = [unpack_clusters(text) for text in packed if text is not None]
    if len(known) < len(packed):
        return None
    return pack_clusters(side_by_side(known) if apart else np.concatenate(known))


def _over_classes(correct: str, classes: str) -> float:
    numbers = unpack_clusters(classes)
    return float(by_class(1.0 - unpack_correct(correct, len(numbers)), numbers).mean())


def _teacher(parts: Sequence[RunRecord], images: Sequence[int]) -> TeacherFacts | None:
    teachers = [part.teacher for part in parts if part.teacher is not None]
    if len(teachers) < len(parts):
        return None
    return teachers[0].model_copy(
        update={
            "head": _agreed([teacher.head for teacher in teachers]),
            "head_accuracy": _mean([teacher.head_accuracy for teacher in teachers]),
            "head_error": _mean([teacher.head_error for teacher in teachers], images),
        }
    )


def _deployed(parts: Sequence[RunRecord], images: Sequence[int]) -> dict[str, DeployedFacts]:
    """The files of each target that every fold was measured as; a fold without one leaves its reason."""
    targets = [target for target in parts[0].deployed if all(target in part.deployed for part in parts)]
    return {target: _file([part.deployed[target] for part in parts], images) for target in targets}


def _file(files: Sequence[DeployedFacts], images: Sequence[int]) -> DeployedFacts:
    if reasons := [file.reason for file in files if file.reason]:
        return DeployedFacts(reason=reasons[0])

    def middle(name: str) -> float | None:
        known = [value for file in files if (value := getattr(file, name)) is not None]
        return median(known) if known else None

    texts = [file.correct for file in files]
    bits = [unpack_correct(text, count) for text, count in zip(texts, images, strict=True) if text is not None]
    return files[0].model_copy(
        update={
            "val_error": _mean([file.val_error for file in files]),
            "test_error": _mean([file.test_error for file in files], images),
            "test_nll": _mean([file.test_nll for file in files], images),
            "correct": pack_correctness(np.concatenate(bits)) if len(bits) == len(files) else None,
            "latency_ms": middle("latency_ms"),
            "size_mb": middle("size_mb"),
            "int8_share": _mean([file.int8_share for file in files]),
            "seconds": _mean([file.seconds for file in files]),
        }
    )
