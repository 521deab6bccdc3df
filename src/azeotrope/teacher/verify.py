"""Does a cache still hold what its teacher says? A random sample is embedded again and compared.

Checksums prove that the rows are those that were written; this proves that they were written by this teacher, of these
images, by code that renders views as it does now. It repairs nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.errors import StoreError
from azeotrope.teacher.cache import EmbeddingCache

SAMPLE = 32  # embeddings: a cache of which one in ten is wrong passes once in 29 times, one in four once in 10,000
# Length of the difference over length of the embedding; that of another view is above 0.3.
TOLERANCE = {"fp32": 0.01, "bf16": 0.05, "fp16": 0.05}


def verify(cache: EmbeddingCache, rows: NDArray[np.int64], *, sample: int = SAMPLE, seed: int | None = None) -> int:
    """Embed up to `sample` of the stored (image, view) of these images again; returns how many were compared.

    Raises StoreError when one differs by more than the precision explains. `seed` None draws another sample each time.
    """
    views = np.arange(PLAIN, cache.views)
    everything = np.concatenate([cache.positions(rows, int(view)) for view in views])
    stored = np.setdiff1d(everything, cache.store.missing(everything))
    chosen = np.random.default_rng(seed).permutation(stored)[:sample]
    images = len(cache.pack.task.labels)
    cache.pack.ensure(chosen % images)
    allowed = TOLERANCE[cache.teacher.device.precision]
    for view in np.unique(chosen // images).tolist():
        of_view = chosen[chosen // images == view] % images
        apart = _apart(cache, of_view, view + PLAIN)
        if not apart.max() <= allowed:  # also when it is not a number
            worst = int(of_view[apart.argmax()])
            raise StoreError(
                f"The teacher cache {cache.store.folder} does not hold what the teacher {cache.teacher.name} says",
                found=f"{int((apart > allowed).sum())} of {len(of_view)} sampled embeddings of view {view + PLAIN} are "
                f"off, by {float(apart.max()):.1%} for {cache.pack.task.manifest.keys[worst]}",
                allowed=f"{allowed:.0%} of an embedding's length",
                next_step="delete this folder; it is rebuilt by the next command",
            )
    return len(chosen)


def _apart(cache: EmbeddingCache, rows: NDArray[np.int64], view: int) -> NDArray[np.float32]:
    """Relative distance of each stored embedding from the teacher's [n]."""
    stored, now = cache.read(rows, view), cache.embed(rows, view).cpu()
    lengths = torch.linalg.vector_norm(now, dim=1).clamp_min(1e-6)
    apart: NDArray[np.float32] = (torch.linalg.vector_norm(stored - now, dim=1) / lengths).numpy()
    return np.nan_to_num(apart, nan=np.inf)
