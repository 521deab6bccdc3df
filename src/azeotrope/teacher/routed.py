"""Several versions of one teacher, each asked about its own images: of versions tuned on labels, an image is shown to
the one that was tuned without its label.

To those who use it, it is the cache of one teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.augmentation.views import Number, Views
from azeotrope.data.host_batch import HostBatch, Inputs
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.embedder import Versions
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
        for version, places in self._shares(rows):
            self.members[version].ensure(rows[places], wanted, advance)

    def read(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """Embeddings of one view, float32; they must have been ensured."""
        return torch.from_numpy(self.stored(rows, view)[0]).float()

    def stored(self, rows: NDArray[np.int64], view: Number) -> tuple[NDArray[np.float16]]:
        """What `read` gives, as it is on disk."""
        said, views = np.empty((len(rows), self.teacher.features), np.float16), np.broadcast_to(view, len(rows))
        for version, places in self._shares(rows):
            said[places] = self.members[version].stored(rows[places], views[places])[0]
        return (said,)

    def asked(self, rows: NDArray[np.int64], views: Views[NDArray[Any]]) -> tuple[HostBatch]:
        """What the versions must look at, one version's images after the other's; images must be packed."""
        shares = list(self._shares(rows))
        places = np.concatenate([places for _, places in shares])
        return (
            Inputs(
                self.members[-1].pack.pixels(rows[places]),
                Views(views.values[places], views.cutout),
                versions=tuple((version, len(places)) for version, places in shares),
                order=np.argsort(places),
            ),
        )

    @property
    def embedders(self) -> tuple[Versions]:
        """What answers to `asked`, on the teacher's device."""
        return (Versions([member.teacher.embedder for member in self.members]),)

    @property
    def scales(self) -> tuple[float]:
        """What embeddings are multiplied by."""
        return (1.0,)

    def _shares(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """The number of each version that speaks of some of these images, and their places among them."""
        asked = self.folds[rows] % len(self.members)  # -1 is the last
        for number in np.unique(asked).tolist():
            yield number, np.flatnonzero(asked == number)
