"""What the loop and the evaluation read, as the host has it: packed pixels, which view of each, labels, and what the
teacher said of the same views.

One object a run. It draws views and looks up targets; a device makes batches of them (`prepare`). It knows nothing of
networks or losses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.augmentation.philox import permutation
from azeotrope.data.augmentation.views import PLAIN, Number, draw
from azeotrope.data.division.sampling import balanced_order
from azeotrope.data.host_batch import HostBatch, Inputs
from azeotrope.data.packing.pack import Pack
from azeotrope.kinds._balance import Shown
from azeotrope.kinds._kind import UNSCALED, Kind, Scale
from azeotrope.kinds._measures import judged_by
from azeotrope.kinds.single import UNLABELLED
from azeotrope.models.backbone import Preprocessing
from azeotrope.recipe import OWN_ERROR, Sampling, ViewPolicy
from azeotrope.teacher.ensemble import AnyCache, EnsembleHead
from azeotrope.teacher.heads.folds import ANY
from azeotrope.teacher.heads.head import Head

_OTHER_STREAM = 1 << 20  # the order of further pictures is drawn apart from that of the labelled ones


@lru_cache(maxsize=4)  # the pools are large, and a pass lasts many steps
def _order(count: int, seed: int, passes: int) -> NDArray[np.int64]:
    """The order of one pass over further pictures; not to be written to."""
    return permutation(count, seed + _OTHER_STREAM, passes)


@dataclass(frozen=True)
class Targets:
    """The teacher's word on each view: embeddings, cached or (`live`) asked for at every step, and this run's head
    that turns them into logits.

    `folds` says, of each image of the task [n], which of the head's models has not seen its label; None for pictures
    that no head was fitted on.
    """

    cache: AnyCache
    head: Head | EnsembleHead
    folds: NDArray[np.int64] | None = None
    live: bool = False

    def folds_of(self, rows: NDArray[np.int64]) -> Int[Tensor, " n"]:
        """The fold of each of these images; -1 for those that no model of the head was fitted on."""
        return torch.from_numpy(np.full(len(rows), ANY) if self.folds is None else self.folds[rows])


@dataclass(frozen=True)
class TaskImages:
    """The pictures of one task, the views of them that train, and the teacher's word on these where there is one.
    `scale` is that of the run's numbers. `plain` is what plain views are made of (None: the frames of `pack`, as a
    teacher sees them).
    """

    pack: Pack
    policy: ViewPolicy
    views: int
    targets: Targets | None = None
    scale: Scale = UNSCALED
    plain: Pack | None = None

    @property
    def judged(self) -> Pack:
        """What plain views are made of: the pictures that judge."""
        return self.plain or self.pack

    def batch(self, rows: NDArray[np.int64], view: Number) -> HostBatch:
        """One view of each of these rows; with the teacher's targets where there is a teacher and the view trains."""
        task, targets = self.pack.task, self.targets
        drawn = draw(self.policy, task.identities[rows], view)
        labels: NDArray[Any] = task.kind.targets(task.labels[rows], self.scale).numpy()
        plain = isinstance(view, int) and view == PLAIN
        host = Inputs((self.judged if plain else self.pack).pixels(rows), drawn, labels)
        if targets is None or plain:
            return host
        folds = targets.folds_of(rows).numpy()
        if targets.live:
            return replace(host, folds=folds, asked=targets.cache.asked(rows, drawn))
        return replace(host, folds=folds, stored=targets.cache.stored(rows, view))


@dataclass(frozen=True)
class Extra:
    """TaskImages beside the labelled ones: `per_step` of these `rows` in every step.

    They are gone through pass after pass, each in an order of its own and as another view, whatever the epochs of the
    labelled images are; so the steps, and what labels say in them, are those of a training without these pictures.
    """

    images: TaskImages
    rows: NDArray[np.int64]
    per_step: int
    labelled: bool = False

    @property
    def steps_per_pass(self) -> int:
        """Steps until every picture was shown; what would be a short step is left to a later pass's order."""
        return len(self.rows) // self.per_step

    def views_needed(self, steps: int) -> int:
        """How many views of each picture a training of so many steps shows."""
        return min(self.images.views, -(-steps // self.steps_per_pass))

    def batch(self, step: int, seed: int, first_place: int, share: slice, of: int) -> HostBatch:
        """The pictures of this step with the teacher's word; `share` of a batch `of` images is this process's part."""
        passes, place = divmod(step, self.steps_per_pass)
        order = _order(len(self.rows), seed, passes)
        start, stop, _ = share.indices(of)
        shown = slice(start * self.per_step // of, stop * self.per_step // of)
        places = order[place * self.per_step : (place + 1) * self.per_step][shown]
        host = self.images.batch(self.rows[places], passes % self.images.views)
        assert host.labels is not None
        labels = host.labels if self.labelled else np.full_like(host.labels, UNLABELLED)
        return replace(host, labels=labels, places=places + first_place)


@dataclass(frozen=True)
class StudentData:
    """The images of one task as one student sees them at `image_size` pixels, and the pictures beside them."""

    images: TaskImages
    image_size: int
    preprocessing: Preprocessing
    extra: Extra | None = None
    metric: str = OWN_ERROR
    sampling: Sampling = "shuffled"

    @property
    def kind(self) -> Kind:
        """Of the task."""
        return self.images.pack.task.kind

    @property
    def judge(self) -> Kind:
        """The same with the measure that chooses and is judged."""
        return judged_by(self.kind, self.metric)

    @property
    def alone(self) -> StudentData:
        """Without a teacher and further pictures: what evaluation reads."""
        return replace(self, images=replace(self.images, targets=None), extra=None)

    @property
    def targets(self) -> Targets | None:
        """The teacher's word on the task's images."""
        return self.images.targets

    def labels_shown(self, rows: NDArray[np.int64], batch: int) -> list[Shown]:
        """The labels that training batches of these rows hold: theirs, and those of labelled pictures beside them."""
        own = Shown(self.images.pack.task.labels[rows], batch, evenly=self.sampling == "balanced")
        if self.extra is None or not self.extra.labelled:
            return [own]
        return [own, Shown(self.extra.images.pack.task.labels[self.extra.rows], self.extra.per_step)]

    def epoch(
        self, rows: NDArray[np.int64], batch: int, seed: int, epoch: int, share: slice = slice(None)
    ) -> Iterator[HostBatch]:
        """Training batches of one epoch. Order depends on (seed, epoch) and, where classes are shown alike, on the
        labels. The view depends on the epoch or, there, on how often the image was shown before: an image that comes
        again comes as its next view. All are the same for every arm. `share` is which images of each batch this
        process shows.

        A last batch that would be short is left to a later epoch's order.
        """
        whole = len(rows) // batch * batch
        if self.sampling == "balanced":
            order, passes = balanced_order(self.images.pack.task.labels[rows], whole, seed, epoch)
        else:
            order, passes = permutation(len(rows), seed, epoch), np.full(whole, epoch)
        views = passes % self.images.views
        for start in range(0, whole, batch):
            here = slice(start, start + batch)
            places = order[here][share]
            shown = replace(self.images.batch(rows[places], views[here][share]), places=places)
            if self.extra is not None:
                step = (epoch * whole + start) // batch
                shown = replace(shown, further=self.extra.batch(step, seed, len(rows), share, batch))
            yield shown

    def plain(self, rows: NDArray[np.int64], batch: int = 256) -> Iterator[HostBatch]:
        """All rows in order, as they are: what evaluation reads."""
        for start in range(0, len(rows), batch):
            yield self.images.batch(rows[start : start + batch], PLAIN)
