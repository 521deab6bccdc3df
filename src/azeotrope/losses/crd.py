"""Contrast with a memory bank of all training images (Tian et al. 2020, arXiv 1910.10699).

A reference to compare with: `info_nce` asks the same question of the batch, at a fraction of the cost and memory.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from azeotrope.errors import RunFailed
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import full_precision, unit
from azeotrope.losses._parameters import Count, Momentum, Positive

LARGEST_BANK_MB = 512  # student's and teacher's together


class Bank(nn.Module):
    """The last embeddings of all M training images, and the constant Z that turns similarities with them into
    probabilities. Z is fixed by the first batch.
    """

    rows: Tensor
    partition: Tensor

    def __init__(self, images: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", unit(torch.rand(images, width) - 0.5))
        self.register_buffer("partition", torch.zeros(()))  # 0: no batch has been seen

    def contrast(
        self, anchors: Float[Tensor, "B D"], places: Int[Tensor, "B K"], temperature: float
    ) -> Float[Tensor, "B K"]:
        """The rows at `places` as exp(⟨anchor, row⟩ / τ) / Z. Memory B · M floats."""
        raw = (anchors @ self.rows.T).gather(1, places).div(temperature).exp()
        first = raw.detach().mean() * len(self.rows)
        self.partition = torch.where(self.partition == 0, first, self.partition)  # no branch: a device would wait
        return raw / self.partition

    @torch.no_grad()
    def remember(self, places: Int[Tensor, " B"], embeddings: Float[Tensor, "B D"], momentum: float) -> None:
        """Move the rows of these images towards their new embeddings, in a new tensor: the gradient needs the old.

        An image that comes twice is moved once, towards its last embedding.
        """
        moved = unit(momentum * self.rows[places] + (1 - momentum) * embeddings[last_of(places)])
        self.rows = self.rows.index_copy(0, places, moved)


class Loss(nn.Module):
    """Mean over the batch of −[log h₊ / (h₊ + N/M) + Σ_N log (N/M) / (h₋ + N/M)], for the student's embedding against
    the teacher's bank and the teacher's against the student's, added.

    Each image is told apart from N images drawn from the other M − 1, with replacement. Projectors are linear to
    `width`, as the authors'. Left open by the method, and chosen here: the authors draw negatives of other classes
    only, here they are drawn from all images, so that no label enters; a whole row of similarities is computed and N of
    them kept, which needs B · M floats in the place of B · N · width. Banks of more than 512 MB are refused: the two
    are held twice during a step.
    """

    needs_teacher = True
    relates_images = True  # on several devices every bank must see all images

    def __init__(
        self,
        setup: Setup,
        *,
        width: Count = 128,
        negatives: Count = 4096,
        tau: Positive = 0.07,
        momentum: Momentum = 0.5,
    ) -> None:
        super().__init__()
        require_bank(setup.train_images, width)
        self.negatives, self.tau, self.momentum = negatives, tau, momentum
        self.student_projector = nn.Linear(setup.student_features, width)
        self.teacher_projector = nn.Linear(setup.teacher_features, width)
        self.student_bank, self.teacher_bank = Bank(setup.train_images, width), Bank(setup.train_images, width)

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, to one number; the banks are updated."""
        assert signals.teacher_features is not None
        assert signals.places is not None
        student = self.student_projector(signals.features)
        teacher = self.teacher_projector(signals.teacher_features)
        with full_precision(student):
            return self.value(unit(student), unit(teacher), signals.places, signals.progress)

    def value(
        self, student: Float[Tensor, "B D"], teacher: Float[Tensor, "B D"], places: Int[Tensor, " B"], progress: float
    ) -> Float[Tensor, ""]:
        """The loss of unit rows, against the banks as they were before this batch."""
        drawn = torch.cat([places[:, None], self._others(places, progress)], dim=1)
        of_student = self.teacher_bank.contrast(student, drawn, self.tau)
        of_teacher = self.student_bank.contrast(teacher, drawn, self.tau)
        self.student_bank.remember(places, student, self.momentum)
        self.teacher_bank.remember(places, teacher, self.momentum)
        odds = self.negatives / len(self.student_bank.rows)
        return told_apart(of_student, odds) + told_apart(of_teacher, odds)

    def _others(self, places: Int[Tensor, " B"], progress: float) -> Int[Tensor, "B N"]:
        """N places of other images for each image. The draw depends on the progress only: it is the same on every
        device, and in a training that goes on after a kill.
        """
        others = len(self.student_bank.rows) - 1
        generator = torch.Generator(places.device).manual_seed(round(progress * 2**48))
        drawn = torch.randint(others, (len(places), self.negatives), generator=generator, device=places.device)
        return drawn + (drawn >= places[:, None])


def last_of(places: Int[Tensor, " B"]) -> Int[Tensor, " B"]:
    """The last index at which each image comes: what is written to one row is then the same, in whatever order."""
    itself = torch.arange(len(places), device=places.device)
    return (itself * (places[:, None] == places)).amax(dim=1)


def told_apart(h: Float[Tensor, "B K"], odds: float) -> Float[Tensor, ""]:
    """−[log h₊ / (h₊ + odds) + Σ log odds / (h₋ + odds)], mean over rows; the positive is the first column."""
    positive = (h[:, 0] / (h[:, 0] + odds)).log()
    negative = (math.log(odds) - (h[:, 1:] + odds).log()).sum(dim=1)
    return -(positive + negative).mean()


def require_bank(images: int, width: int) -> None:
    """Raises RunFailed when there is nothing to contrast, or when the two banks would not be small beside the model."""
    if images < 2:
        raise RunFailed("crd contrasts an image with others", found=f"{images} training images", allowed="2 or more")
    megabytes = 2 * 4 * width * images / 2**20
    if megabytes > LARGEST_BANK_MB:
        raise RunFailed(
            "The memory bank of crd is too large",
            found=f"{images:,} training images, {megabytes:,.0f} MB",
            allowed=f"{LARGEST_BANK_MB:,} MB, that is {LARGEST_BANK_MB * 2**20 // (8 * width):,} images",
            next_step="take info_nce, whose negatives are those of the batch, or fewer --train-images",
        )
