"""Relations between images: distances of pairs and angles of triplets (Park et al. 2019, arXiv 1904.05068).

Relations have no width, so student and teacher features are compared as they are, without projectors.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import full_precision, require_images
from azeotrope.losses._parameters import Count, NotNegative


def triplets(images: int, per_vertex: int) -> Int[Tensor, "3 T"]:
    """First end, vertex and second end of the angles: all (B−1)(B−2)/2 at each image, or `per_vertex` drawn from them.

    The draw depends on these two numbers only and leaves torch's generator alone: a resumed run meets the same angles.
    Fixed places in a shuffled batch are random images. T = B · per_vertex at most.
    """
    ends = torch.triu_indices(images - 1, images - 1, 1)  # pairs among the other images
    chosen = torch.arange(ends.shape[1]).expand(images, -1)
    if ends.shape[1] > per_vertex:
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randint(ends.shape[1], (images, per_vertex), generator=generator)
    vertex = torch.arange(images)[:, None].expand_as(chosen)
    first, second = (end[chosen] + (end[chosen] >= vertex) for end in ends)  # the vertex is not among its others
    return torch.stack([first, vertex, second]).flatten(1)


def distances(x: Float[Tensor, "B D"]) -> Float[Tensor, "B B"]:
    """‖x_i − x_j‖ by differences, not by a Gram matrix, which cancels where images are close. Gradient 0 at 0."""
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")


def relative(distance: Float[Tensor, "B B"]) -> Float[Tensor, " pairs"]:
    """Distances of the pairs i < j over their mean."""
    first, second = torch.triu_indices(len(distance), len(distance), 1, device=distance.device)
    pairs = distance[first, second]
    return pairs / pairs.mean().clamp_min(1e-12)


def cosines(distance: Float[Tensor, "B B"], angles: Int[Tensor, "3 T"]) -> Float[Tensor, " T"]:
    """Cosine of each angle by the law of cosines, so that memory does not grow with the features; 0 at a point."""
    first, vertex, second = angles
    a, b, opposite = distance[first, vertex], distance[vertex, second], distance[first, second]
    product = 2 * a * b
    open_ = product > 0
    cosine = (a.square() + b.square() - opposite.square()) / torch.where(open_, product, 1)
    return torch.where(open_, cosine, 0).clamp(-1, 1)


class Loss(nn.Module):
    """w_d · mean_{i<j} h(d_ij / d̄) + w_a · mean over triplets h(cos ∠ijk), h the smooth L1 between teacher and student.

    d is the distance of pooled features and d̄ its mean over the batch, for student and teacher each; h(x) = x²/2 below
    1, |x| − ½ above. The weights 25 and 50 are part of the value. Left open by the method, and chosen here: means are
    over pairs and triplets of different images (the authors' code also counts the zeros of i = j, so its distance term
    is (B−1)/B and its angle term (B−1)(B−2)/B² of this one); 64 angles at each image are sampled, all of them up to 12
    images. Batches of fewer than 3 images have no angle and are refused.
    """

    needs_teacher = True
    relates_images = True

    def __init__(
        self,
        setup: Setup,
        *,
        distance_weight: NotNegative = 25.0,
        angle_weight: NotNegative = 50.0,
        angles_per_image: Count = 64,
    ) -> None:
        super().__init__()
        self.distance_weight, self.angle_weight = distance_weight, angle_weight
        self.angles_per_image = angles_per_image
        self.drawn: dict[int, Tensor] = {}  # by the images of a batch: drawn on the host, once a training

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, to one number; zero for similar shapes."""
        assert signals.teacher_features is not None
        with full_precision(signals.features):
            return self.value(distances(signals.features.float()), distances(signals.teacher_features.float()))

    def value(self, student: Float[Tensor, "B B"], teacher: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
        """The loss of two matrices of distances."""
        require_images(len(student), 3, "angles need triplets")
        angles = self._angles(len(student), student.device)
        by_distance = functional.smooth_l1_loss(relative(student), relative(teacher))
        by_angle = functional.smooth_l1_loss(cosines(student, angles), cosines(teacher, angles))
        return self.distance_weight * by_distance + self.angle_weight * by_angle

    def _angles(self, images: int, device: torch.device) -> Int[Tensor, "3 T"]:
        if images not in self.drawn:
            self.drawn[images] = triplets(images, self.angles_per_image).to(device)
        return self.drawn[images]
