"""What the loop and the evaluation read: packed images, labels, and the teacher's embeddings of the same views.

One object a run. It draws views and looks up targets; it knows nothing of networks or losses.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.pack import Pack
from azeotrope.data.philox import permutation
from azeotrope.data.views import PLAIN, draw, render
from azeotrope.kinds._kind import UNSCALED, Kind, Scale
from azeotrope.kinds.single import UNLABELLED
from azeotrope.models.backbone import Preprocessing
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.ensemble import AnyCache, EnsembleHead
from azeotrope.teacher.folds import ANY
from azeotrope.teacher.head import Head

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

    def features(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n G"]:
        """Embeddings of one view of these images, float32."""
        return self.cache.embed(rows, view) if self.live else self.cache.read(rows, view)

    def folds_of(self, rows: NDArray[np.int64]) -> Int[Tensor, " n"]:
        """The fold of each of these images; -1 for those that no model of the head was fitted on."""
        return torch.from_numpy(np.full(len(rows), ANY) if self.folds is None else self.folds[rows])


@dataclass(frozen=True)
class Batch:
    """B images as the student sees them, their labels as `Kind.targets` and, where a loss asks, the teacher's
    embeddings of the same views and the folds of its head that speak of them. `places` are those of the images among
    the training images; None in evaluation.
    """

    images: Float[Tensor, "B 3 H W"]
    labels: Shaped[Tensor, B * label]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None
    folds: Int[Tensor, " B"] | None = None
    places: Int[Tensor, " B"] | None = None


@dataclass(frozen=True)
class Extra:
    """Pictures beside the labelled ones: `rows` of `data`'s task, `per_step` of them in every step.

    They are gone through pass after pass, each in an order of its own and as another view, whatever the epochs of the
    labelled images are; so the steps, and what labels say in them, are those of a training without these pictures.
    """

    data: StudentData
    rows: NDArray[np.int64]
    per_step: int
    labelled: bool = False

    @property
    def steps_per_pass(self) -> int:
        """Steps until every picture was shown; what would be a short step is left to a later pass's order."""
        return len(self.rows) // self.per_step

    def views_needed(self, steps: int) -> int:
        """How many views of each picture a training of so many steps shows."""
        return min(self.data.views, -(-steps // self.steps_per_pass))

    def batch(self, step: int, seed: int, first_place: int, share: slice, of: int) -> Batch:
        """The pictures of this step with the teacher's word; `share` of a batch `of` images is this process's part."""
        passes, place = divmod(step, self.steps_per_pass)
        order = _order(len(self.rows), seed, passes)
        start, stop, _ = share.indices(of)
        shown = slice(start * self.per_step // of, stop * self.per_step // of)
        places = order[place * self.per_step : (place + 1) * self.per_step][shown]
        batch = self.data.batch(self.rows[places], passes % self.data.views)
        labels = batch.labels if self.labelled else torch.full_like(batch.labels, UNLABELLED)
        numbered = torch.from_numpy(places + first_place).to(self.data.device)
        return replace(batch, labels=labels, places=numbered)


@dataclass(frozen=True)
class StudentData:
    """The images of one task as one student sees them at `image_size` pixels, on `device`. `scale` is that of the run's
    numbers.
    """

    pack: Pack
    image_size: int
    preprocessing: Preprocessing
    policy: ViewPolicy
    views: int
    device: str
    targets: Targets | None = None
    extra: Extra | None = None
    scale: Scale = UNSCALED

    @property
    def kind(self) -> Kind:
        """Of the task."""
        return self.pack.task.kind

    @property
    def worth_a_thread(self) -> bool:
        """Whether a batch can be made beside a step. A teacher that looks at every batch (`live`) on the CPU keeps all
        its cores busy: side by side the two take half as long again as one after the other (docs/log.md).
        """
        return self.device != "cpu" or self.targets is None or not self.targets.live

    def epoch(
        self, rows: NDArray[np.int64], batch: int, seed: int, epoch: int, share: slice = slice(None)
    ) -> Generator[Batch, None, None]:
        """Training batches of one epoch. Order depends on (seed, epoch), the view on the epoch; both are the same
        for every arm. `share` is which images of each batch this process shows.

        A last batch that would be short is left to a later epoch's order.
        """
        order = permutation(len(rows), seed, epoch)
        for start in range(0, len(order) - batch + 1, batch):
            places = order[start : start + batch][share]
            shown = self.batch(rows[places], epoch % self.views)
            shown = replace(shown, places=torch.from_numpy(places).to(self.device))
            step = epoch * (len(order) // batch) + start // batch
            yield (
                shown if self.extra is None else together(shown, self.extra.batch(step, seed, len(rows), share, batch))
            )

    def plain(self, rows: NDArray[np.int64], batch: int = 256) -> Iterator[Batch]:
        """All rows in order, as they are: what evaluation reads."""
        for start in range(0, len(rows), batch):
            yield self.batch(rows[start : start + batch], PLAIN)

    def batch(self, rows: NDArray[np.int64], view: int) -> Batch:
        """One view of these rows, with the teacher's targets when there is a teacher and the view is for training."""
        parameters = draw(self.policy, self.pack.task.identities[rows], view)
        look = self.preprocessing
        packed = self.pack.read(rows).to(self.device)
        images = render(packed, parameters, self.image_size, look.interpolation, look.mean, look.std)
        labels = self.kind.targets(self.pack.task.labels[rows], self.scale).to(self.device)
        if self.targets is None or view == PLAIN:
            return Batch(images, labels)
        features = self.targets.features(rows, view).to(self.device)
        folds = self.targets.folds_of(rows).to(self.device)
        return Batch(images, labels, features, self.targets.head.logits(features, folds), folds)


def together(first: Batch, second: Batch) -> Batch:
    """Both batches as one; what one of them lacks (the teacher's word), the whole lacks."""

    def both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        return None if a is None or b is None else torch.cat([a, b])

    return Batch(
        torch.cat([first.images, second.images]),
        torch.cat([first.labels, second.labels]),
        both(first.teacher_features, second.teacher_features),
        both(first.teacher_logits, second.teacher_logits),
        both(first.folds, second.folds),
        both(first.places, second.places),
    )
