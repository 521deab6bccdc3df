"""Several versions of one teacher, each asked about its own images: of versions tuned on labels, an image is shown to
the one that was tuned without its label.

To those who use it, it is the cache of one teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.rowstore import RowStore
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.teacher import Teacher


@dataclass(frozen=True)
class RoutedCache:
    """`members` are the versions of the folds and, last, the one that was tuned on all images; `folds` says, of each
    image of the task [n], which version speaks of it (-1: the last).
    """

    members: tuple[EmbeddingCache, ...]
    folds: NDArray[np.int64]

    @property
    def teacher(self) -> Teacher:
        """The version that speaks of images that none was tuned on; the others are like it but for their weights."""
        return self.members[-1].teacher

    @property
    def store(self) -> RowStore:
        """Where the version above keeps its embeddings, and how long they took: all take the same time for an image."""
        return self.members[-1].store

    def ensure(
        self,
        rows: NDArray[np.int64],
        views: Iterable[int],
        advance: Callable[[int], None] = lambda images: None,
    ) -> None:
        """Embed what is missing, each image by its version."""
        wanted = list(views)
        for member, places in self._shares(rows):
            member.ensure(rows[places], wanted, advance)

    def read(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """Embeddings of one view, float32; they must have been ensured."""
        return self._gathered(rows, lambda member, part: member.read(part, view))

    def embed(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """What `read` gives, from the versions themselves; images must be packed."""
        return self._gathered(rows, lambda member, part: member.embed(part, view))

    def _gathered(
        self, rows: NDArray[np.int64], ask: Callable[[EmbeddingCache, NDArray[np.int64]], Tensor]
    ) -> Float[Tensor, "n F"]:
        parts = [(places, ask(member, rows[places])) for member, places in self._shares(rows)]
        if len(parts) == 1:
            return parts[0][1]
        said = torch.empty(len(rows), self.teacher.features, device=parts[0][1].device)
        for places, features in parts:
            said[torch.from_numpy(places).to(said.device)] = features
        return said

    def _shares(self, rows: NDArray[np.int64]) -> Iterator[tuple[EmbeddingCache, NDArray[np.int64]]]:
        """Each version that speaks of some of these images, and their places among them."""
        asked = self.folds[rows] % len(self.members)  # -1 is the last
        for number in np.unique(asked).tolist():
            yield self.members[number], np.flatnonzero(asked == number)
