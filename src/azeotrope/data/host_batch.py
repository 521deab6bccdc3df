"""What a step needs of the host: packed pixels, which view of each is wanted, labels, and what a teacher said or is to
look at. NumPy arrays only: it is made without a device, and a device renders it (`render`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.augmentation.views import Views

Array = TypeVar("Array")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Inputs(Generic[Array]):
    """B images: arrays of the host, or tensors on a device. A field is None, or empty, where nothing needs it.

    `pixels` are packed, uint8 or uint16 [B, S, S, K]; `labels` as `Kind.targets`; `places` are those among the training
    images, and `folds` those of the teacher's head that speak of them, int64 [B]. `stored` has the stored embeddings of
    each teacher, float16 [B, G]; `asked` what each teacher that looks at every step is to look at. Where one of these
    has versions, `versions` says how many images in turn are for which, and `order` where each image then lies [B].
    `further` are pictures beside the labelled ones, which end up in the same batch.
    """

    pixels: Array
    views: Views[Array]
    labels: Array | None = None
    places: Array | None = None
    folds: Array | None = None
    stored: tuple[Array, ...] = ()
    asked: tuple[Inputs[Array], ...] = ()
    versions: tuple[tuple[int, int], ...] = ()
    order: Array | None = None
    further: Inputs[Array] | None = None

    def map(self, function: Callable[[Array], Other]) -> Inputs[Other]:
        """The same with every array replaced, each one once, in the order of `arrays`."""

        def of(array: Array | None) -> Other | None:
            return None if array is None else function(array)

        return Inputs(
            function(self.pixels),
            Views(function(self.views.values), self.views.cutout),
            of(self.labels),
            of(self.places),
            of(self.folds),
            tuple(function(array) for array in self.stored),
            tuple(each.map(function) for each in self.asked),
            self.versions,
            of(self.order),
            None if self.further is None else self.further.map(function),
        )

    def arrays(self) -> list[Array]:
        """Every array of the batch, in the order in which `map` meets them."""
        found: list[Array] = []
        self.map(found.append)
        return found


HostBatch = Inputs[NDArray[Any]]
DeviceInputs = Inputs[Tensor]
