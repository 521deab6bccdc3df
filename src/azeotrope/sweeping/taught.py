"""A teacher made ready for one run: this run's images embedded, its head fitted and judged, the gate passed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from azeotrope.config import TeacherSpec
from azeotrope.data.task import Task
from azeotrope.data.views import PLAIN
from azeotrope.kinds._kind import Kind, Scale
from azeotrope.record.run import HeadFacts
from azeotrope.teacher import gate
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.ensemble import Ensemble, EnsembleCache, EnsembleHead, scale_of
from azeotrope.teacher.folds import ANY, folds_of
from azeotrope.teacher.head import Head, fit_head, fit_in_sample
from azeotrope.teacher.zero_shot import zero_shot_head
from azeotrope.train.dataset import Targets
from azeotrope.train.loop import Rows


@dataclass(frozen=True)
class Taught:
    """A teacher made ready for one run, what its head says of the labels, and what the head cost in seconds."""

    targets: Targets
    facts: HeadFacts
    head_seconds: float


def make_ready(spec: TeacherSpec, cache: EmbeddingCache, task: Task, rows: Rows, scale: Scale) -> Taught:
    """Embed this run's images, make the head, pass the gate. Raises RunFailed at the gate."""
    cache.ensure(np.concatenate([rows.train, rows.val]), [PLAIN])
    train, val = known(cache, rows.train, task, scale), known(cache, rows.val, task, scale)
    began = time.perf_counter()
    folds = np.full(len(task.labels), ANY)
    if spec.head == "zero_shot":
        head = zero_shot_head(spec.model, task.classes)
    elif spec.folds == 1:
        head = fit_in_sample(*train, len(task.classes), val, task.kind)
    else:
        folds[rows.train] = folds_of(task.labels[rows.train], task.kind, spec.folds)
        head = fit_head(*train, len(task.classes), torch.from_numpy(folds[rows.train]), task.kind)
    seconds = time.perf_counter() - began
    targets = Targets(cache, head, folds)
    unseen = val if spec.head != "zero_shot" and spec.folds == 1 else train
    of = rows.val if unseen is val else rows.train
    gate.check(spec.model, head.logits(unseen[0], targets.folds_of(of)), unseen[1], task.kind)
    return Taught(targets, _facts(targets, task, rows, scale), seconds)


def together(name: str, parts: Sequence[Taught], task: Task, rows: Rows, scale: Scale) -> Taught:
    """Several teachers, each ready and past the gate, as one. They have the same folds, those of the run's images."""
    caches = tuple(part.targets.cache for part in parts if isinstance(part.targets.cache, EmbeddingCache))
    heads = tuple(part.targets.head for part in parts if isinstance(part.targets.head, Head))
    scales = tuple(scale_of(cache.read(rows.train, PLAIN)) for cache in caches)
    members = tuple(cache.teacher for cache in caches)
    cache = EnsembleCache(Ensemble(members, name), caches, scales)
    targets = Targets(cache, EnsembleHead(heads, scales, task.kind), parts[0].targets.folds)
    return Taught(targets, _facts(targets, task, rows, scale), sum(part.head_seconds for part in parts))


def known(
    cache: EmbeddingCache | EnsembleCache, rows: NDArray[np.int64], task: Task, scale: Scale
) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings of these images as they are, and what the outputs of a head are compared with."""
    return cache.read(rows, PLAIN), task.kind.targets(task.labels[rows], scale)


def _facts(targets: Targets, task: Task, rows: Rows, scale: Scale) -> HeadFacts:
    """Errors and log-losses: of the mean of the heads on the training images that they were fitted on, of each fold's
    on those that it has not seen, and of the mean on validation.
    """
    train, val = known(targets.cache, rows.train, task, scale), known(targets.cache, rows.val, task, scale)
    head = targets.head
    crossed = isinstance(head, EnsembleHead) or head.folds > 1
    single = head if isinstance(head, Head) else None
    fold = _judged(head.logits(train[0], targets.folds_of(rows.train)), train[1], task.kind) if crossed else None
    in_sample = _judged(head.logits(train[0]), train[1], task.kind)
    validation = _judged(head.logits(val[0]), val[1], task.kind)
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


def _judged(outputs: torch.Tensor, targets: torch.Tensor, kind: Kind) -> tuple[float, float]:
    return kind.error(outputs, targets), kind.loss(outputs, targets).item()
