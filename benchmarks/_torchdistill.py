"""torchdistill itself as an arm of `end_to_end.py`: its box, its loader, two workers, live teacher, its own KD loss.

It does less than the other arms: no contrastive loss, since it has none like ours. `pip install torchdistill` first.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import RandomSampler
from torchdistill.core.distillation import get_distillation_box
from torchvision.datasets import ImageFolder

WORKERS = 2


def epoch_of(teacher: nn.Module, student: nn.Module, pictures: ImageFolder, batch: int) -> Callable[[], None]:
    """An epoch. Both models end in a Linear named `fc`."""
    box = get_distillation_box(
        teacher, student, {"train": pictures}, _config(batch), torch.device("cpu"), None, False, 1
    )

    def epoch() -> None:
        box.pre_epoch_process(epoch=0)
        for images, labels, more in box.train_data_loader:
            box.post_forward_process(loss=box.forward_process(images, labels, more))

    return epoch


def _config(batch: int) -> dict[str, object]:
    model = {"forward_proc": "forward_batch_only", "sequential": [], "forward_hook": {"input": [], "output": ["fc"]}}
    ends = {f"{who}_module_{what}": value for who in ("student", "teacher") for what, value in _LOGITS.items()}
    distilled = {"key": "KDLoss", "kwargs": {**ends, "temperature": 4.0, "alpha": 0.5, "reduction": "batchmean"}}
    return {
        "num_epochs": 1,
        "train_data_loader": {
            "dataset_id": "train",
            "sampler": {"class_or_func": RandomSampler, "kwargs": {}},
            "kwargs": {"batch_size": batch, "num_workers": WORKERS, "drop_last": True},
        },
        "teacher": {**model, "requires_grad": False},
        "student": {**model, "requires_grad": True},
        "optimizer": {"key": "AdamW", "kwargs": {"lr": 1e-3}},
        "criterion": {
            "key": "WeightedSumLoss",
            "kwargs": {"sub_terms": {"kd": {"criterion": distilled, "weight": 1.0}}},
        },
    }


_LOGITS = {"path": "fc", "io": "output"}
