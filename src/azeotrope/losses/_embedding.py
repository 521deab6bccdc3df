"""What the losses on embeddings share: the projector, rows in standard form, and the pair of learned projections.

Not a loss: `align_uniform` and `info_nce` are pairs, the feature and relation losses take the pieces.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._parameters import Hidden


def projector(features: int, width: int, hidden: Hidden | None = None) -> nn.Sequential:
    """Linear-ReLU-Linear to `width`, with a hidden layer of the same width, or of `hidden`; `features`: as wide as what
    is projected.
    """
    between = features if hidden == "features" else hidden or width
    return nn.Sequential(nn.Linear(features, between), nn.ReLU(), nn.Linear(between, width))


def unit(rows: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """Each row divided by its length, in float32. A row of zeros stays one."""
    return functional.normalize(rows.float())


def standardised(rows: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """Each row less its mean, over its standard deviation, in float32."""
    return functional.layer_norm(rows.float(), rows.shape[1:])


def full_precision(tensor: Tensor) -> torch.autocast:
    """The context in which products of tensors on this one's device are not rounded to half precision."""
    return torch.autocast(device_type=tensor.device.type, enabled=False)


def require_images(found: int, least: int, why: str) -> None:
    """Raises ValueError when a batch holds fewer than `least` images, with the reason."""
    if found < least:
        raise ValueError(f"{why}: a batch must hold at least {least} images, got {found}")


def one_image(places: Int[Tensor, " B"] | None, rows: Float[Tensor, "B D"]) -> Bool[Tensor, "B B"]:
    """Which pairs of rows show one image: each row with itself, and an image that comes again in the batch, as under
    balanced sampling. `places` are those of `Signals`; None: every row is another image.
    """
    if places is None:
        return torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    return places[:, None] == places


class PairLoss(nn.Module):
    """A loss of unit embeddings â = g(f) / |g(f)|, one learned projector g for the student and one for the teacher.

    A subclass gives `value`. It must not be lowest where all embeddings are equal: both projectors learn, and would
    get there.
    """

    needs_teacher = True
    relates_images = True
    spreads_images = True

    def __init__(self, setup: Setup, width: int, hidden: Hidden) -> None:
        super().__init__()
        self.student_projector = projector(setup.student_features, width, hidden)
        self.teacher_projector = projector(setup.teacher_features, width, hidden)

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, to one number."""
        assert signals.teacher_features is not None
        student = self.student_projector(signals.features)
        teacher = self.teacher_projector(signals.teacher_features)
        with full_precision(student):
            return self.value(unit(student), unit(teacher), signals.places)

    def value(
        self, student: Float[Tensor, "B D"], teacher: Float[Tensor, "B D"], places: Int[Tensor, " B"] | None = None
    ) -> Float[Tensor, ""]:
        """The loss of unit rows; row i of both is the same view of the same image. `places` tell which rows show one
        image: these are not pushed apart.
        """
        raise NotImplementedError
