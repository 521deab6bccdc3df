"""From the stored answers of the runs of a comparison to its diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.diagnosis.classes import between, class_numbers, thresholds
from azeotrope.diagnosis.confidence import calibration, coverage
from azeotrope.diagnosis.confusion import MOST, confusion, most_confused
from azeotrope.diagnosis.mistakes import Certain, most_certain
from azeotrope.diagnosis.records import ArmDiagnosis, Between, Diagnosis
from azeotrope.diagnosis.residuals import residuals
from azeotrope.labels import KindName
from azeotrope.record.storage.answers import Answers, TestSet, answers_of, stored_test_set, validation_of


def diagnose(
    out: str | Path,
    arms: Mapping[str, Mapping[int, tuple[str, ...]]],
    kind: KindName,
    classes: Sequence[str],
    pair: tuple[str, str] | None,
) -> Diagnosis | None:
    """The diagnosis of these arms (of each the id of its run by seed, or the ids of its runs of all folds); those of
    `pair` are compared class by class.

    None in a store that holds no answers, or does not say what they are about. An arm without answers is left out.
    """
    test = stored_test_set(out, folds_of(chain.from_iterable(runs.values() for runs in arms.values())))
    if test is None:
        return None
    stored = {name: _answers(out, runs, test) for name, runs in arms.items()}
    found = {name: answers for name, answers in stored.items() if answers}
    if not found:
        return None
    diagnosed = tuple(_arm(out, name, arms[name], answers, test, kind, classes) for name, answers in found.items())
    compared = None
    if pair is not None and kind != "number" and set(pair) <= found.keys():
        compared = _between(found, pair, test, classes)
    return Diagnosis(arms=diagnosed, between=() if compared is None else (compared,))


def folds_of(runs: Iterable[tuple[str, ...]]) -> int | None:
    """How many folds these runs have; None where each is one run."""
    most = max(map(len, runs), default=1)
    return most if most > 1 else None


def certain_mistakes(out: str | Path, runs: Sequence[tuple[str, ...]], classes: int) -> tuple[Certain, ...]:
    """The surest mistakes of these runs (of each the ids of its folds) together, of a task with one class an image;
    none without probabilities.
    """
    test = stored_test_set(out, folds_of(runs))
    said = [answers.probabilities for run_ids in runs if (answers := answers_of(out, *run_ids)) is not None]
    known = [probabilities for probabilities in said if probabilities is not None]
    if test is None or not known:
        return ()
    return most_certain(test.labels.astype(np.int64), known, classes)


def _answers(out: str | Path, runs: Mapping[int, tuple[str, ...]], test: TestSet) -> dict[int, Answers]:
    """By seed; answers on another number of images are of another test set."""
    every = {seed: answers_of(out, *run_ids) for seed, run_ids in runs.items()}
    return {seed: found for seed, found in every.items() if found is not None and len(found.said) == len(test.labels)}


def _arm(
    out: str | Path,
    name: str,
    runs: Mapping[int, tuple[str, ...]],
    answers: Mapping[int, Answers],
    test: TestSet,
    kind: KindName,
    classes: Sequence[str],
) -> ArmDiagnosis:
    said = _said(answers, answers)
    labels = test.labels
    if kind == "number":
        return ArmDiagnosis(
            arm=name, seeds=len(answers), residuals=residuals(labels.astype(float), said.astype(float), test.clusters)
        )
    facts: dict[str, Any] = {"classes": class_numbers(labels, said, classes, test.clusters)}
    known = [found.probabilities for found in answers.values() if found.probabilities is not None]
    probabilities = np.stack(known).astype(np.float32) if len(known) == len(answers) else None
    if kind == "single":
        counts = confusion(labels.astype(np.int64), said.astype(np.int64), len(classes))
        facts["confused"] = most_confused(counts, classes)
        if len(classes) <= MOST:
            facts["confusion"] = tuple(map(tuple, counts.tolist()))
        if probabilities is not None:
            sure, right = probabilities.max(axis=2), said == labels
            facts |= {"calibration": calibration(sure, right), "coverage": coverage(sure, right, test.clusters)}
    elif probabilities is not None:
        yes = probabilities.reshape(len(answers), -1)
        facts["calibration"] = calibration(yes, np.broadcast_to(labels.astype(bool).ravel(), yes.shape))
        told = [[_told(out, run_id) for run_id in runs[seed]] for seed in answers]
        known_of = [[one for one in of_seed if one is not None] for of_seed in told]
        if all(len(some) == len(every) for some, every in zip(known_of, told, strict=True)):
            facts["thresholds"] = thresholds(
                labels.astype(bool), probabilities, known_of, classes, test.clusters, test.folds or (len(labels),)
            )
    return ArmDiagnosis(arm=name, seeds=len(answers), **facts)


def _told(out: str | Path, run_id: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """Probabilities and labels of a run's validation images."""
    found = validation_of(out, run_id)
    if found is None or found[0].probabilities is None:
        return None
    return found[0].probabilities.astype(np.float32), found[1].astype(bool)


def _between(
    found: Mapping[str, Mapping[int, Answers]], pair: tuple[str, str], test: TestSet, classes: Sequence[str]
) -> Between | None:
    a, b = pair
    seeds = sorted(found[a].keys() & found[b].keys())
    if a == b or not seeds:
        return None
    return between(test.labels, (_said(found[a], seeds), _said(found[b], seeds)), classes, (a, b), test.clusters)


def _said(answers: Mapping[int, Answers], seeds: Sequence[int] | Mapping[int, Answers]) -> NDArray[Any]:
    return np.stack([answers[seed].said for seed in seeds])
