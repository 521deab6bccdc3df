"""What the loop and the evaluation read: packed images, labels, and the teacher's embeddings of the same views.

One object a run. It draws views and looks up targets; it knows nothing of networks or losses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.config import ViewPolicy
from azeotrope.data.pack import Pack
from azeotrope.data.philox import permutation
from azeotrope.data.views import PLAIN, draw, render
from azeotrope.models.backbone import Preprocessing
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.head import Head


@dataclass(frozen=True)
class Targets:
    """The teacher's word on each view: cached embeddings, and this run's head that turns them into logits."""

    cache: EmbeddingCache
    head: Head


@dataclass(frozen=True)
class Batch:
    """B images as the student sees them, their labels and, where a loss asks, the teacher's embeddings of the same
    views. `places` are those of the images among the training images; None in evaluation.
    """

    images: Float[Tensor, "B 3 H W"]
    labels: Int[Tensor, " B"]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None
    places: Int[Tensor, " B"] | None = None


@dataclass(frozen=True)
class StudentData:
    """The images of one task as one student sees them at `image_size` pixels, on `device`."""

    pack: Pack
    image_size: int
    preprocessing: Preprocessing
    policy: ViewPolicy
    views: int
    device: str
    targets: Targets | None = None

    def epoch(
        self, rows: NDArray[np.int64], batch: int, seed: int, epoch: int, share: slice = slice(None)
    ) -> Iterator[Batch]:
        """Training batches of one epoch. Order depends on (seed, epoch), the view on the epoch; both are the same
        for every arm. `share` is which images of each batch this process shows.

        A last batch that would be short is left to a later epoch's order.
        """
        order = permutation(len(rows), seed, epoch)
        for start in range(0, len(order) - batch + 1, batch):
            places = order[start : start + batch][share]
            shown = self.batch(rows[places], epoch % self.views)
            yield replace(shown, places=torch.from_numpy(places).to(self.device))

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
        labels = torch.from_numpy(self.pack.task.labels[rows]).to(self.device)
        if self.targets is None or view == PLAIN:
            return Batch(images, labels)
        features = self.targets.cache.read(rows, view).to(self.device)
        return Batch(images, labels, features, self.targets.head.logits(features))
