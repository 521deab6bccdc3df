"""Recall, precision and F1 of each class, of one arm and between two, and thresholds for several labels an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Int64
from numpy.typing import NDArray

from azeotrope.diagnosis.ratio import mean, ratio, transformed
from azeotrope.diagnosis.records import Between, ClassDifference, ClassNumbers, Threshold
from azeotrope.record.interval import Interval

Clusters = Int64[np.ndarray, " n"] | None
CHOICES = np.arange(0.02, 1.0, 0.02)  # thresholds that are tried


def each_class(
    labels: NDArray[np.generic], said: NDArray[np.generic], classes: int
) -> Iterator[tuple[Int64[np.ndarray, " m"], Bool[np.ndarray, " m"], Bool[np.ndarray, "seeds m"]]]:
    """For every class the images that show it or are said to: their places, whether they show it, and what each seed
    says. `labels` are [n] or [n, C], `said` [seeds, n] or [seeds, n, C].
    """
    several = labels.ndim == 2
    for number in range(classes):
        shown = np.asarray(labels[:, number] if several else labels == number, dtype=np.bool_)
        answered = np.asarray(said[:, :, number] if several else said == number, dtype=np.bool_)
        places = np.flatnonzero(shown | answered.any(axis=0))
        yield places, shown[places], answered[:, places]


def class_numbers(
    labels: NDArray[np.generic], said: NDArray[np.generic], names: Sequence[str], clusters: Clusters
) -> tuple[ClassNumbers, ...]:
    """One row a class, over all seeds."""
    rows = []
    for name, (places, shown, answered) in zip(names, each_class(labels, said, len(names)), strict=True):
        recall, precision, f1 = _three(shown, answered, None if clusters is None else clusters[places])
        rows.append(ClassNumbers(name=name, support=int(shown.sum()), recall=recall, precision=precision, f1=f1))
    return tuple(rows)


def between(
    labels: NDArray[np.generic],
    said: tuple[NDArray[np.generic], NDArray[np.generic]],
    names: Sequence[str],
    arms: tuple[str, str],
    clusters: Clusters,
) -> Between:
    """Recall by the first arm minus that by the second, class by class; `said` are of the same seeds."""
    rows = []
    pairs = zip(each_class(labels, said[0], len(names)), each_class(labels, said[1], len(names)), strict=True)
    for number, ((places, shown, first), (others, shown_too, second)) in enumerate(pairs):
        if not shown.any():
            continue
        gain = first[:, shown].astype(float) - second[:, shown_too].astype(float)
        where = places[shown]
        assert np.array_equal(where, others[shown_too]), "both arms answer the same images"
        rows.append(
            ClassDifference(name=names[number], recall=mean(gain, None if clusters is None else clusters[where]))
        )
    return Between(a=arms[0], b=arms[1], classes=tuple(rows))


def thresholds(
    labels: NDArray[np.bool_],
    probabilities: NDArray[np.floating],
    validation: Sequence[Sequence[tuple[NDArray[np.floating], NDArray[np.bool_]]]],
    names: Sequence[str],
    clusters: Clusters,
    sizes: Sequence[int],
) -> tuple[Threshold, ...]:
    """For each class the threshold with the highest F1 on each run's own validation images, its mean over runs, and
    what it does on the test images of that run. `probabilities` are [seeds, n, C], `validation` those and the labels of
    each seed and fold, `sizes` the test images of each fold: one, all n, without folds.
    """
    rows = []
    for number, name in enumerate(names):
        chosen = np.array([[_best(said[:, number], shown[:, number]) for said, shown in runs] for runs in validation])
        on_test = probabilities[:, :, number]
        rows.append(
            Threshold(
                name=name,
                threshold=float(chosen.mean()),
                f1=_three(labels[:, number], on_test > np.repeat(chosen, sizes, axis=1), clusters)[2],
                f1_at_half=_three(labels[:, number], on_test > 0.5, clusters)[2],
            )
        )
    return tuple(rows)


def _three(
    shown: NDArray[np.bool_], answered: NDArray[np.bool_], clusters: Clusters
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Recall, precision and F1."""
    true = np.broadcast_to(shown, answered.shape)
    found = (true & answered).astype(float)
    either = (true | answered).astype(float)
    return (
        ratio(found, true.astype(float), clusters),
        ratio(found, answered.astype(float), clusters),
        transformed(ratio(found, either, clusters)),
    )


def _best(said: NDArray[np.floating], shown: NDArray[np.bool_]) -> float:
    """The middle one of the thresholds with the highest F1."""
    answered = said[None] > CHOICES[:, None]
    found = (answered & shown).sum(axis=1)
    f1 = 2 * found / np.maximum(answered.sum(axis=1) + shown.sum(), 1)
    best = np.flatnonzero(f1 == f1.max())
    return float(CHOICES[best[len(best) // 2]])
