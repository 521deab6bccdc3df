"""Several teachers as one: embeddings side by side, probabilities (or values) averaged.

Each member keeps its own resolution, normalisation, cache and head, so that what one teacher saw serves it alone and in
every ensemble. Both parts look, to those who use them, like those of a single teacher.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.data.augmentation.views import Number, Views
from azeotrope.data.host_batch import HostBatch
from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.embedder import Embedder, Frozen, Versions, side_by_side
from azeotrope.teacher.heads.head import Head
from azeotrope.teacher.routed import RoutedCache
from azeotrope.teacher.teacher import Teacher


class SideBySide(nn.Module):
    """All members on one batch of images, each resized to its own size: to measure what they cost together.

    Their embeddings for training come from their caches instead, each with its own views and normalisation.
    """

    def __init__(self, members: Sequence[Teacher]) -> None:
        super().__init__()
        self.bodies = nn.ModuleList(member.module for member in members)
        self.sizes = [member.image_size for member in members]

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B F"]:
        """Embeddings side by side."""
        resized = (functional.interpolate(images, size) for size in self.sizes)
        return torch.cat([body(image) for body, image in zip(self.bodies, resized, strict=True)], dim=1)


@dataclass(frozen=True)
class Ensemble:
    """Several loaded teachers. `image_size` is the largest of theirs; `features` the sum."""

    members: tuple[Teacher, ...]
    name: str

    @property
    def weights_hash(self) -> str:
        """Identifies the weights of all members, in order."""
        return hashlib.sha256(" ".join(member.weights_hash for member in self.members).encode()).hexdigest()

    @property
    def features(self) -> int:
        """Width of all embeddings side by side."""
        return sum(member.features for member in self.members)

    @property
    def image_size(self) -> int:
        """Pixels of the largest member's images."""
        return max(member.image_size for member in self.members)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one image through all members; None when one of them is not known."""
        counted = [member.macs for member in self.members]
        return None if None in counted else sum(macs for macs in counted if macs)

    @property
    def module(self) -> Frozen:
        """What it costs to run all members once."""
        return Frozen(SideBySide(self.members))


@dataclass(frozen=True)
class Work:
    """How long the members took together, as `RowStore` says it of one."""

    members: tuple[EmbeddingCache | RoutedCache, ...]

    def seconds_per_row(self) -> float:
        """Seconds for one view of one image through all members."""
        return sum(member.store.seconds_per_row() for member in self.members)

    def joules_per_row(self) -> float | None:
        """Joules for the same; None where one member's are not known."""
        each = [member.store.joules_per_row() for member in self.members]
        known = [joules for joules in each if joules is not None]
        return sum(known) if len(known) == len(each) else None


@dataclass(frozen=True)
class EnsembleCache:
    """The members' caches, read side by side. Each embedding is multiplied by its member's `scale`."""

    teacher: Ensemble
    members: tuple[EmbeddingCache | RoutedCache, ...]
    scales: tuple[float, ...]

    @property
    def store(self) -> Work:
        """What the members' stores say of their work."""
        return Work(self.members)

    def ensure(
        self,
        rows: NDArray[np.int64],
        views: Iterable[int],
        advance: Callable[[int], None] = lambda images: None,
    ) -> None:
        """Embed what is missing, one member after the other."""
        wanted = list(views)
        for member in self.members:
            member.ensure(rows, wanted, advance)

    def read(self, rows: NDArray[np.int64], view: int) -> Float[Tensor, "n F"]:
        """Embeddings of one view side by side; they must have been ensured."""
        return side_by_side([member.read(rows, view) for member in self.members], self.scales)

    def stored(self, rows: NDArray[np.int64], view: Number) -> tuple[NDArray[np.float16], ...]:
        """The members' embeddings as they are on disk."""
        return tuple(array for member in self.members for array in member.stored(rows, view))

    def asked(self, rows: NDArray[np.int64], views: Views[NDArray[Any]]) -> tuple[HostBatch, ...]:
        """What the members must look at; images must be packed for each."""
        return tuple(host for member in self.members for host in member.asked(rows, views))

    @property
    def embedders(self) -> tuple[Embedder | Versions, ...]:
        """What answers to `asked`, on the teachers' device."""
        return tuple(embedder for member in self.members for embedder in member.embedders)


AnyCache = EmbeddingCache | RoutedCache | EnsembleCache


@dataclass(frozen=True)
class EnsembleHead:
    """The members' heads; what they say is averaged as the `kind` of task asks."""

    heads: tuple[Head, ...]
    scales: tuple[float, ...]
    kind: Kind = SINGLE

    def logits(self, features: Float[Tensor, "B F"], folds: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B C"]:
        """Outputs of scaled embeddings side by side; `folds` as in `Head.logits`, the same for all members."""
        parts = features.split([head.weight.shape[2] for head in self.heads], dim=1)  # type: ignore[no-untyped-call]
        members = zip(self.heads, parts, self.scales, strict=True)
        return self.kind.averaged([head.logits(part / scale, folds) for head, part, scale in members])

    def to(self, device: str) -> EnsembleHead:
        """The same head with its members' weights on this device."""
        return replace(self, heads=tuple(head.to(device) for head in self.heads))


def scale_of(features: Float[Tensor, "N F"]) -> float:
    """One over the root mean square length: afterwards no member outweighs another by its units.

    A constant per member, since a length of its own per image would throw away what its length says.
    """
    return 1 / max(features.square().sum(dim=1).mean().sqrt().item(), 1e-12)
