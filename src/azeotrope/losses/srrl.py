"""The student's features must do in the teacher's own classifier (Yang et al. 2021, "Knowledge distillation via softmax
regression representation learning", ICLR).
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.errors import RunFailed
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import full_precision, projector, require_images


class Loss(nn.Module):
    """r(g(f_s), f_t) + r(W_t(g(f_s)), z_t), with r(x, y) = Σ_B ‖x − y‖² / Σ_B ‖y − ȳ‖² and W_t the teacher's head.

    The paper's squared errors, each over the variance of the teacher's values in the batch: 1 is what the batch's mean
    would reach, 0 is equality. Left open by the method, and chosen here: without the variance the value would grow with
    the teacher's scale and with the number of classes. The projector g is Linear-ReLU-Linear to the teacher's
    width; only the student has one, and the head stays as it was fitted. Batches of one image have no variance and
    are refused.
    """

    needs_teacher = True
    relates_images = True

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        if setup.teacher_head is None:
            raise RunFailed(
                "srrl needs the teacher's head",
                found="a teacher whose logits are no function of its embeddings",
                next_step="take another loss, such as align_uniform",
            )
        self.head = setup.teacher_head
        self.projector = projector(setup.student_features, setup.teacher_features)

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, and its logits [B, C], to one number."""
        assert signals.teacher_features is not None
        assert signals.teacher_logits is not None
        require_images(len(signals.features), 2, "a variance needs images")
        projected = self.projector(signals.features).float()
        with full_precision(projected):
            by_head = unexplained(self.head(projected, signals.folds), signals.teacher_logits.float())
            return unexplained(projected, signals.teacher_features.float()) + by_head


def unexplained(x: Float[Tensor, "B D"], y: Float[Tensor, "B D"]) -> Float[Tensor, ""]:
    """Squared error of x over the variance of y: 1 − R²."""
    return (x - y).square().sum() / (y - y.mean(dim=0)).square().sum().clamp_min(1e-12)
