"""Our losses beside torchdistill's on the same random batches, where both implement the same formula.

`pip install --no-deps torchdistill`, then `python benchmarks/torchdistill_values.py`. Each row states what theirs must
be multiplied by, so that a difference of definition is a number here and a sentence in docs/losses.md. The test
`tests/losses/test_torchdistill.py` runs these same rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor
from torchdistill.losses import mid_level as theirs

from azeotrope.losses import crd, kl, rkd, similarity
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import unit
from azeotrope.losses.cross_entropy import Loss as CrossEntropy
from azeotrope.testing.losses import SETUP, random_signals

BATCH, TEMPERATURE = 12, 4.0

Row = tuple[str, Callable[[Signals], tuple[Tensor, Tensor]]]


def soft(batch: Signals) -> tuple[Tensor, Tensor]:
    """Without labels their KDLoss leaves T² out."""
    other = theirs.KDLoss("z", "output", "z", "output", TEMPERATURE, beta=1.0)
    return kl.Loss(SETUP)(batch), TEMPERATURE**2 * other(_io("z", batch.logits), _io("z", batch.teacher_logits))


def hard_and_soft(batch: Signals, alpha: float = 0.3) -> tuple[Tensor, Tensor]:
    other = theirs.KDLoss("z", "output", "z", "output", TEMPERATURE, alpha=alpha)
    ours = alpha * CrossEntropy(SETUP)(batch) + (1 - alpha) * kl.Loss(SETUP)(batch)
    return ours, other(_io("z", batch.logits), _io("z", batch.teacher_logits), batch.labels)


def relations(batch: Signals, distance: float, angle: float) -> tuple[Tensor, Tensor]:
    """Theirs averages over all B² and B³ entries, of which those with i = j are zero; ours over what can differ."""
    ours = rkd.Loss(SETUP, distance_weight=distance, angle_weight=angle, angles_per_image=BATCH**2)
    other = theirs.RKDLoss("f", "f", distance, angle, "mean")
    factor = BATCH / (BATCH - 1) if distance else BATCH**2 / ((BATCH - 1) * (BATCH - 2))
    return ours(batch), factor * other(_io("f", batch.features), _io("f", batch.teacher_features))


def similarities(batch: Signals) -> tuple[Tensor, Tensor]:
    """Theirs divides by B², ours by B. Theirs divides rows by their L1 norm (1 is given as p, not as dim), the paper by
    their L2 norm; that is put right first.
    """
    other = theirs.SPKDLoss("f", "f", "batchmean")
    with mock.patch.object(theirs, "normalize", lambda rows, _: torch.nn.functional.normalize(rows)):
        value = other(_io("f", batch.features), _io("f", batch.teacher_features))
    return similarity.Loss(SETUP)(batch), BATCH * value


def memory(batch: Signals, images: int = 50, negatives: int = 40, steps: int = 3) -> tuple[Tensor, Tensor]:
    """The last of three steps, so that the banks' updates and Z count; the same draws, theirs cannot draw (1.1.5)."""
    ours = crd.Loss(Setup(24, 40, 10, train_images=images), width=8, negatives=negatives)
    other = theirs.CRDLoss("n", "e", "n", 8, images, negatives, images)
    other.memory_v1.copy_(ours.student_bank.rows)
    other.memory_v2.copy_(ours.teacher_bank.rows)
    for step in range(steps):
        places = torch.arange(BATCH) + 5 * step  # some images are met again
        student = unit(ours.student_projector(batch.features + step)).detach()
        teacher = unit(ours.teacher_projector(batch.teacher_features + step)).detach()
        others = ours._others(places, (step + 1) / steps)
        with mock.patch.object(ours, "_others", return_value=others):
            value = ours.value(student, teacher, places, 1.0)
        drawn = {"pos_idx": places, "contrast_idx": torch.cat([places[:, None], others], dim=1)}
        expected = other({**_io("n", student), "e": {"input": drawn}}, _io("n", teacher)).squeeze()
    return value, expected


ROWS: tuple[Row, ...] = (
    ("kl = T^2 x KDLoss without labels", soft),
    ("0.3 cross_entropy + 0.7 kl = KDLoss(alpha=0.3)", hard_and_soft),
    ("rkd, distance = RKDLoss x B / (B-1)", functools.partial(relations, distance=25.0, angle=0.0)),
    ("rkd, angle = RKDLoss x B^2 / ((B-1)(B-2))", functools.partial(relations, distance=0.0, angle=50.0)),
    ("similarity = B x SPKDLoss with L2 norms", similarities),
    ("crd = CRDLoss", memory),
)


def _io(path: str, output: Tensor | None) -> dict[str, dict[str, Tensor | None]]:
    return {path: {"output": output}}


def main() -> None:
    """Print one line a row: both values of one batch, and the largest relative difference over 20 batches."""
    for name, row in ROWS:
        pairs = []
        for seed in range(20):
            torch.manual_seed(seed)
            pairs.append([value.item() for value in row(random_signals(BATCH, seed))])
        worst = max(abs(ours / other - 1) for ours, other in pairs)
        print(f"{name:50} ours {pairs[0][0]:.6f}  theirs {pairs[0][1]:.6f}  largest difference {worst:.1e} of 20")


if __name__ == "__main__":
    main()
