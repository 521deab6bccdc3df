"""The id that the runs of all folds of one training share. It pools nothing: that is `record.folds`."""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec


def over_folds(resources: Resources, spec: RunSpec) -> str:
    """The id of this run over all folds of its task. Further pictures count by their content as they were found: which
    of them a fold's test images leave out is the fold's.
    """
    pictures = resources.unlabelled(spec.task).task.manifest.images_digest if spec.extra else None
    return spec.over_folds(resources.tasks[spec.task].set_fingerprint, pictures).digest()


def check_pooled(resources: Resources, specs: Sequence[RunSpec], arms: int) -> None:
    """That runs of folds will be pooled, seen before any is made: each arm and seed has one id over its folds."""
    ids = {over_folds(resources, spec) for spec in specs if spec.fold is not None}
    assert len(ids) in (0, arms), f"{len(ids)} ids over folds for {arms} trainings: something of a fold is in them"
