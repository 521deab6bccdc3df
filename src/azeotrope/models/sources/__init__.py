"""Where models come from: one file per source, the file name is the scheme of the spec.

A new source is one new file that offers what `Source` lists.
"""

from __future__ import annotations

from typing import Protocol, cast

from azeotrope.lookup import member
from azeotrope.models.backbone import Backbone
from azeotrope.models.spec import WeightsRef


class Source(Protocol):
    """What a file of this folder offers. All raise InputError for names and sizes that cannot be had."""

    def build(self, name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
        """The model with random weights, at `image_size` pixels (None: the resolution it was made for)."""

    def build_from_hub(self, name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
        """The same with the source's own pretrained weights, fetched or from its cache; `weights` is set."""

    def default_weights(self, name: str) -> WeightsRef | None:
        """Where pretrained weights of this model are best had; None when none are known."""

    def hub_problem(self, name: str) -> str | None:
        """Why `build_from_hub` would fail, found within seconds; None when the weights are cached or reachable."""

    def names(self) -> list[str]:
        """All names that can be listed."""


def source_of(scheme: str) -> Source:
    """The source of a scheme; raises InputError with the nearest schemes when there is none."""
    return cast(Source, member("models.sources", scheme, "model source"))
