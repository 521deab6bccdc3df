"""What the teacher saw: its pooled embedding of every (image, view) that some run needed, computed once.

The key holds all that an embedding depends on: teacher weights, resolution and normalisation, the images, the view
policy and the
precision. Embeddings are kept, not logits or projections: the head differs per run and projectors learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.config import ViewPolicy
from azeotrope.data.pack import Pack
from azeotrope.data.rowstore import RowStore
from azeotrope.data.views import PLAIN, RENDERING
from azeotrope.errors import RunFailed
from azeotrope.teacher.teacher import Teacher

_CHUNK = 128  # images through the teacher at a time


@dataclass(frozen=True)
class EmbeddingCache:
    """Embeddings of one task by one teacher under one policy: the plain view and views 0 .. K−1."""

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
            self.store.fill(self._positions(rows, view), partial(self._embed, view), batch=_CHUNK, advance=advance)

    def read(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """Embeddings of one view, float32; they must have been ensured."""
        return torch.from_numpy(self.store.read(self._positions(rows, view))).float()

    def missing(self, rows: NDArray[np.int64], view: int) -> NDArray[np.int64]:
        """Those of these images of which this view is not embedded yet."""
        return rows[np.isin(self._positions(rows, view), self.store.missing(self._positions(rows, view)))]

    def _positions(self, rows: NDArray[np.int64], view: int) -> NDArray[np.int64]:
        if not PLAIN <= view < self.views:
            raise ValueError(f"view {view} is not among the {self.views} cached views")
        return rows + (view - PLAIN) * len(self.pack.task.labels)

    def _embed(self, view: int, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        rows = positions - (view - PLAIN) * len(self.pack.task.labels)
        images = self.pack.read(rows)
        features = self.teacher.embed(images, self.policy, self.pack.task.identities[rows], view).cpu().numpy()
        if not np.isfinite(features).all() or np.abs(features).max() > np.finfo(np.float16).max:
            raise RunFailed(
                f"The teacher {self.teacher.name} gives embeddings that are not finite in half precision",
                next_step="take another teacher, or --precision fp32",
            )
        return features.astype(np.float16)


def open_cache(root: Path, teacher: Teacher, pack: Pack, policy: ViewPolicy, views: int) -> EmbeddingCache:
    """Open or create the cache for these. Another teacher, policy, task or precision is another cache."""
    key = {
        "teacher": teacher.weights_hash,
        "image_size": teacher.image_size,
        "preprocessing": repr(teacher.preprocessing),
        "fingerprint": pack.task.fingerprint,
        "order": pack.task.order_digest,
        "pack_size": pack.size,
        "policy": policy.digest(),
        "rendering": RENDERING,
        "precision": teacher.device.precision,
    }
    rows = (views + 1) * len(pack.task.labels)
    return EmbeddingCache(
        teacher, pack, policy, views, RowStore.open(root, "teacher", key, rows, (teacher.features,), np.float16)
    )
