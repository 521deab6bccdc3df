"""What the teacher saw: its pooled embedding of every (image, view) that some run needed, computed once.

The key holds all that an embedding depends on: teacher weights (and code, where that is the user's), resolution and
normalisation, the images, the view policy and the precision. K is not in it: view 3 is the same of 4 views and of 16.
Embeddings are kept, not logits or projections: the head differs per run and projectors learn.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.augmentation.views import PLAIN, RENDERING, Number, Views, draw
from azeotrope.data.host_batch import HostBatch, Inputs
from azeotrope.data.packing.pack import Pack
from azeotrope.data.packing.pack_rows import DECODING
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.devices.ahead import ahead
from azeotrope.errors import RunFailed
from azeotrope.models.sources.file import code_hash
from azeotrope.recipe import MAX_VIEWS, ViewPolicy
from azeotrope.teacher.embedder import Embedder
from azeotrope.teacher.teacher import Teacher

_CHUNK = 128  # images through the teacher at a time


@dataclass(frozen=True)
class EmbeddingCache:
    """Embeddings of one task by one teacher under one policy: the plain view and views 0 .. K−1 (`views`)."""

    teacher: Teacher
    pack: Pack
    policy: ViewPolicy
    views: int
    store: RowStore

    def ensure(
        self,
        rows: NDArray[np.int64],
        views: Iterable[int],
        advance: Callable[[int], None] = lambda images: None,
    ) -> None:
        """Embed what is missing of these images under these views (PLAIN among them if wanted)."""
        self.pack.ensure(rows)  # first, so that decoding is not charged to the teacher
        for view in views:
            self.store.fill_from(
                self.positions(rows, view), partial(self._embedded, view), batch=_CHUNK, advance=advance
            )

    def read(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """Embeddings of one view, float32; they must have been ensured."""
        return torch.from_numpy(self.stored(rows, view)[0]).float()

    def stored(self, rows: NDArray[np.int64], view: Number) -> tuple[NDArray[np.float16]]:
        """What `read` gives, as it is on disk."""
        return (self.store.read(self.positions(rows, view)),)

    def asked(self, rows: NDArray[np.int64], views: Views[NDArray[Any]]) -> tuple[HostBatch]:
        """What the teacher must look at to say of these views what is not stored. Images must be packed."""
        return (Inputs(self.pack.pixels(rows), views),)

    @property
    def embedders(self) -> tuple[Embedder]:
        """What answers to `asked`, on the teacher's device."""
        return (self.teacher.embedder,)

    @property
    def scales(self) -> tuple[float]:
        """What embeddings are multiplied by."""
        return (1.0,)

    def missing(self, rows: NDArray[np.int64], view: int) -> NDArray[np.int64]:
        """Those of these images of which this view is not embedded yet."""
        return rows[np.isin(self.positions(rows, view), self.store.missing(self.positions(rows, view)))]

    def embed(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """What `read` gives, from the teacher itself: float32 on its device, nothing stored. Images must be packed."""
        features: Tensor = self.teacher.embedder(self.teacher.device.send(self._asked(rows, view)))
        return features

    def positions(self, rows: NDArray[np.int64], view: Number) -> NDArray[np.int64]:
        """Where one view of each of these images lies in the store."""
        if not PLAIN <= np.min(view) <= np.max(view) < self.views:
            raise ValueError(f"view {view} is not among the {self.views} cached views")
        return rows + (view - PLAIN) * len(self.pack.task.labels)

    def _asked(self, rows: NDArray[np.int64], view: int) -> HostBatch:
        return self.asked(rows, draw(self.policy, self.pack.task.identities[rows], view))[0]

    def _embedded(self, view: int, chunks: Iterator[NDArray[np.int64]]) -> Generator[NDArray[np.float16], None, None]:
        """Read, sent and rendered one chunk ahead of the teacher."""
        offset, embedder = (view - PLAIN) * len(self.pack.task.labels), self.teacher.embedder
        hosts = (self._asked(positions - offset, view) for positions in chunks)
        with closing(ahead(hosts, self.teacher.device, embedder.render)) as rendered:
            for pixels in rendered:
                yield self._halved(embedder.look(pixels))

    def _halved(self, embeddings: Float[Tensor, "n F"]) -> NDArray[np.float16]:
        features = embeddings.cpu().numpy()
        if not np.isfinite(features).all() or np.abs(features).max() > np.finfo(np.float16).max:
            raise RunFailed(
                f"The teacher {self.teacher.name} gives embeddings that are not finite in half precision",
                next_step="take another teacher, or --precision fp32",
            )
        return features.astype(np.float16)


def open_cache(root: Path, teacher: Teacher, pack: Pack, policy: ViewPolicy, views: int) -> EmbeddingCache:
    """Open or create the cache for these. Another teacher, policy, task or precision is another cache. Raises
    InputError where the teacher is to look at a band that is not there.
    """
    pack = pack.showing(teacher.bands)
    key: dict[str, object] = {
        "teacher": teacher.weights_hash,
        "code": code_hash(teacher.name),
        "image_size": teacher.image_size,
        "preprocessing": repr(teacher.preprocessing),
        "fingerprint": pack.task.manifest.fingerprint,  # not the task's: splits and folds share it
        "order": pack.task.order_digest,
        "pack_size": pack.size,
        "policy": policy.digest(),
        "decoding": DECODING,
        "rendering": RENDERING,
        "precision": teacher.device.precision,
    }
    if teacher.bands is not None:  # older caches keep their names
        key["bands"] = list(teacher.bands)
    rows = (MAX_VIEWS + 1) * len(pack.task.labels)  # what is not filled takes no space
    return EmbeddingCache(
        teacher, pack, policy, views, RowStore.open(root, "teacher", key, rows, (teacher.features,), np.float16)
    )
