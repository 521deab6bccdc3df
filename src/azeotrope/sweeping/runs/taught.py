"""A teacher made ready for one run: this run's images embedded, its head fitted and judged, the gate passed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.data.packing.pack import Pack
from azeotrope.data.task import Task
from azeotrope.kinds._kind import Kind, Scale
from azeotrope.plan import FOLDS, TeacherSpec
from azeotrope.record.facts import HeadFacts
from azeotrope.record.machine import energy
from azeotrope.sweeping.runs.tuned_teacher import Tuning, tune
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.ensemble import AnyCache, Ensemble, EnsembleCache, EnsembleHead, scale_of
from azeotrope.teacher.heads import gate
from azeotrope.teacher.heads.folds import ANY, folds_of
from azeotrope.teacher.heads.head import Head, best_temperature, fit_head, fit_in_sample
from azeotrope.teacher.heads.pixels import judged_rows, pixel_losses
from azeotrope.teacher.heads.zero_shot import zero_shot_head
from azeotrope.teacher.routed import RoutedCache
from azeotrope.teacher.teacher import Teacher
from azeotrope.train.dataset import Targets
from azeotrope.train.loop import Rows


@dataclass(frozen=True)
class Taught:
    """A teacher made ready for one run, what its head says of the labels, and what that cost: seconds of the head, and
    where the backbone was tuned, seconds and images of the tuning. `head_joules` are None where they are not known.
    """

    targets: Targets
    facts: HeadFacts
    head_seconds: float
    tuning_seconds: float = 0.0
    tuning_images: int = 0
    head_joules: float | None = None


def make_ready(spec: TeacherSpec, cache: EmbeddingCache, task: Task, rows: Rows, scale: Scale) -> Taught:
    """Embed this run's images, make the head, pass the gate. Raises RunFailed at the gate."""
    cache.ensure(np.concatenate([rows.train, rows.val]), [PLAIN])  # first, so that it is not the head's energy
    before = energy.here().joules()
    targets, seconds = fitted(spec, cache, task, rows, scale)
    joules = energy.here().since(before)
    _check(spec, targets, cache.pack, rows, scale)
    return Taught(targets, _facts(targets, task, rows, scale), seconds, head_joules=joules)


def fitted(spec: TeacherSpec, cache: EmbeddingCache, task: Task, rows: Rows, scale: Scale) -> tuple[Targets, float]:
    """A head on the embeddings of this run's images, and the seconds that it took; nothing is judged."""
    cache.ensure(np.concatenate([rows.train, rows.val]), [PLAIN])
    train = known(cache, rows.train, task, scale)
    began = time.perf_counter()
    folds = np.full(len(task.labels), ANY)
    if spec.head == "zero_shot":
        head = zero_shot_head(spec.model, task.classes)
    elif spec.folds == 1:
        head = fit_in_sample(*train, len(task.classes), known(cache, rows.val, task, scale), task.kind)
    else:
        folds[rows.train] = _folds(task, rows.train, spec.folds)
        head = fit_head(*train, len(task.classes), torch.from_numpy(folds[rows.train]), task.kind)
    return Targets(cache, head, folds), time.perf_counter() - began


def make_tuned(tuning: Tuning, cache: EmbeddingCache, open_version: Callable[[Teacher], EmbeddingCache]) -> Taught:
    """Tune the teacher on this run's images (once a fold too where it is cross-fitted) and pass the gate.

    `cache` holds the pretrained teacher's embeddings, on which the heads start; `open_version` opens that of a tuned
    one. Raises RunFailed at the gate and when a tuning diverges.
    """
    spec, rows, scale, task = tuning.spec, tuning.rows, tuning.scale, tuning.pack.task
    linear = spec.model_copy(update={"head": "linear", "folds": max(spec.folds, 2)})
    start, seconds = fitted(linear, cache, task, rows, scale)
    assert isinstance(start.head, Head)
    assert start.folds is not None
    folds = start.folds if spec.folds > 1 else np.full(len(task.labels), ANY)
    parts = [(fold, rows.train[folds[rows.train] != fold]) for fold in range(folds.max() + 1)]
    versions = [tune(tuning, start.head, fold, train) for fold, train in [*parts, (ANY, rows.train)]]
    routed = RoutedCache(tuple(open_version(version.teacher) for version in versions), folds)
    routed.ensure(np.concatenate([rows.train, rows.val]), [PLAIN])
    routed.members[-1].ensure(rows.train, [PLAIN])
    weights, biases = ([getattr(version, part) for version in versions] for part in ("weight", "bias"))
    head = Head(torch.stack(weights), torch.stack(biases))
    of = rows.train if spec.folds > 1 else rows.val
    features, wanted = known(routed, of, task, scale)
    temperature = best_temperature(head.logits(features, torch.from_numpy(folds[of])), wanted, task.kind)
    head = replace(head, weight=head.weight / temperature, bias=head.bias / temperature, temperature=temperature)
    targets = Targets(routed, head, folds)
    _check(spec, targets, cache.pack, rows, scale)
    return Taught(
        targets,
        _facts(targets, task, rows, scale),
        seconds,
        sum(version.seconds for version in versions),
        sum(version.images for version in versions),
    )


def together(name: str, parts: Sequence[Taught], task: Task, rows: Rows, scale: Scale) -> Taught:
    """Several teachers, each ready and past the gate, as one. They have the same folds, those of the run's images."""
    caches = tuple(part.targets.cache for part in parts if not isinstance(part.targets.cache, EnsembleCache))
    heads = tuple(part.targets.head for part in parts if isinstance(part.targets.head, Head))
    scales = tuple(scale_of(cache.read(rows.train, PLAIN)) for cache in caches)
    members = tuple(cache.teacher for cache in caches)
    cache = EnsembleCache(Ensemble(members, name), caches, scales)
    targets = Targets(cache, EnsembleHead(heads, scales, task.kind), parts[0].targets.folds)
    return Taught(
        targets,
        _facts(targets, task, rows, scale),
        sum(part.head_seconds for part in parts),
        sum(part.tuning_seconds for part in parts),
        sum(part.tuning_images for part in parts),
        head_joules=_sum([part.head_joules for part in parts]),
    )


def _sum(joules: Sequence[float | None]) -> float | None:
    """Of all; None where one is not known."""
    known_ones = [each for each in joules if each is not None]
    return sum(known_ones) if len(known_ones) == len(joules) else None


def _check(spec: TeacherSpec, targets: Targets, pack: Pack, rows: Rows, scale: Scale) -> None:
    """The gate, on labels that the head has not seen: all of the run's where it was cross-fitted or not fitted at all,
    else those of validation.
    """
    task = pack.task
    of = rows.val if spec.head != "zero_shot" and spec.folds == 1 else rows.train
    features, wanted = known(targets.cache, of, task, scale)
    gate.check(spec.model, targets.head.logits(features, targets.folds_of(of)), wanted, task.kind)
    if spec.weak:
        return
    of = judged_rows(of)
    features, wanted = known(targets.cache, of, task, scale)
    folds = torch.from_numpy(_folds(task, of))
    pixels = pixel_losses(pack.read(of), wanted, folds, len(task.classes), task.kind)
    said = targets.head.logits(features, targets.folds_of(of))
    gate.check_against_pixels(spec.model, task.kind.losses(said, wanted), pixels)


def _folds(task: Task, rows: NDArray[np.int64], folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each of these images; what belongs together is in one, for teacher and pixels alike."""
    return folds_of(task.labels[rows], task.kind, folds, None if task.units is None else task.units[rows])


def known(cache: AnyCache, rows: NDArray[np.int64], task: Task, scale: Scale) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings of these images as they are, and what the outputs of a head are compared with."""
    return cache.read(rows, PLAIN), task.kind.targets(task.labels[rows], scale)


def _facts(targets: Targets, task: Task, rows: Rows, scale: Scale) -> HeadFacts:
    """Errors and log-losses: of the model for other images on the training images that it was fitted on, of each fold's
    on those that it has not seen, and of the first on validation.
    """
    cache, head = targets.cache, targets.head
    train, val = known(_unrouted(cache), rows.train, task, scale), known(cache, rows.val, task, scale)
    crossed = isinstance(head, EnsembleHead) or head.folds > 0
    single = head if isinstance(head, Head) else None
    in_sample, validation = (_judged(head.logits(said), wanted, task.kind) for said, wanted in (train, val))
    fold = None
    if crossed:
        features, wanted = known(cache, rows.train, task, scale)
        fold = _judged(head.logits(features, targets.folds_of(rows.train)), wanted, task.kind)
    return HeadFacts(
        folds=single.folds if single else None,
        strength=single.strength if single else None,
        temperature=single.temperature if single else None,
        train_error=in_sample[0],
        train_log_loss=in_sample[1],
        fold_error=fold[0] if fold else None,
        fold_log_loss=fold[1] if fold else None,
        val_error=validation[0],
        val_log_loss=validation[1],
    )


def _unrouted(cache: AnyCache) -> AnyCache:
    """The version that was tuned on all images, where there are several."""
    return cache.members[-1] if isinstance(cache, RoutedCache) else cache


def _judged(outputs: torch.Tensor, targets: torch.Tensor, kind: Kind) -> tuple[float, float]:
    return kind.error(outputs, targets), kind.loss(outputs, targets).item()
