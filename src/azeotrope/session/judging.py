"""The teacher of one subset judges the pictures of a set, beside its own view of the subset and of what is held out.

What a picture must show is `synthesis.filter`'s part; here it gets the embeddings, and what judging costs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.data.listing.scan import scan
from azeotrope.data.task import Task
from azeotrope.data.unlabelled import Pool, held_out_rows, keep_apart
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.session.progress import Progress
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.synthesis.filter import Judgement, Reference, judge
from azeotrope.synthesis.making import Line
from azeotrope.synthesis.pictures import source_of
from azeotrope.synthesis.spec import SynthPlan
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.heads.head import Head


@dataclass(frozen=True)
class Judged:
    """What the teacher said, and the seconds that it would have taken alone. `near_measured` as in `Pool`."""

    judgement: Judgement
    seconds: float
    near_measured: bool


def judged(
    task: Task, resources: Resources, plan: SynthPlan, folder: Path, lines: Sequence[Line], progress: Progress
) -> Judged:
    """Judge these pictures of `folder`. What caches hold already is charged at the rate at which they were filled; the
    subset's own images are not charged, since every run that distils on it pays for them.
    """
    recipe = Recipe.for_images(plan.train_images)
    policy = ViewPolicy(mirror=task.source.mirror)  # the plain view of the same cache that `compare` uses by default
    taught = resources.taught(plan.teacher, task.fingerprint, plan.train_images, plan.seed, policy, recipe.views)
    rows, held = resources.rows(task.fingerprint, plan.train_images, plan.seed).train, held_out_rows(task)
    own = resources.embeddings(plan.teacher, task.fingerprint, policy, recipe.views)
    progress.start("judging pictures", len(held) + len(lines), "pictures")
    own.ensure(np.concatenate([rows, held]), [PLAIN], progress.advance)
    began = time.perf_counter()
    source = source_of(folder, [line.file for line in lines], [line.label for line in lines], task.classes)
    pool = keep_apart(source, scan(source), task)
    seconds = time.perf_counter() - began
    resources.add(pool.task)
    cache = resources.embeddings(plan.teacher, pool.task.fingerprint, policy, recipe.views)
    readable = np.flatnonzero(pool.task.manifest.readable)
    cache.ensure(readable, [PLAIN], progress.advance)
    began = time.perf_counter()
    features = torch.zeros(len(lines), own.teacher.features)
    features[readable] = cache.read(readable, PLAIN)
    head = taught.targets.head
    assert isinstance(head, Head), "one teacher has one head"
    reference = Reference(own.read(rows, PLAIN), own.read(held, PLAIN))
    labels = torch.tensor([line.label for line in lines])
    judgement = judge(features, labels, head, reference, plan.filter, _known(lines, pool))
    seconds += time.perf_counter() - began
    return Judged(judgement, seconds + _alone(own, len(held)) + _alone(cache, len(readable)), pool.near_measured)


def _known(lines: Sequence[Line], pool: Pool) -> dict[int, str]:
    """Why pictures are refused before the teacher looks. The generator's own word counts more than what follows of it:
    pictures that its safety checker withheld are all black, and so copies of each other.
    """
    readable = pool.task.manifest.readable
    withheld = {place: line.refused for place, line in enumerate(lines) if line.refused and readable[place]}
    return pool.dropped | withheld


def _alone(cache: EmbeddingCache, images: int) -> float:
    """Seconds that decoding and embedding so many images takes, whoever did it."""
    return images * (cache.pack.store.seconds_per_row() + cache.store.seconds_per_row())
