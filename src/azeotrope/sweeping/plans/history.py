"""What a store holds already: the plans that were carried out there and the records that they left.

Several plans may share a store, of one task. Nothing is written before all of it is found to fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from azeotrope.errors import InputError, StoreError, message_of
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.claim import PLAN, check_same_data
from azeotrope.record.storage.store import RunStore
from azeotrope.spec import to_yaml
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

PLANS = "plans"
SHOWN = 3


def check_same_folds(store: RunStore, folds: int | None) -> None:
    """Raises StoreError where the last plan of the store cut the images into another number of folds."""
    try:
        content: Any = yaml.safe_load(store.read(PLAN) or b"")
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # `keep_plan` says so
    if not isinstance(content, dict) or content.get("folds") == folds:
        return
    raise StoreError(
        f"The runs in {store.root} were made with other test images",
        found=f"{_divided(folds)} asked, the folder has {_divided(content.get('folds'))}",
        allowed="one way to divide the images in one output folder",
        next_step="choose another folder with --out; the old runs are untouched",
    )


def _divided(folds: int | None) -> str:
    return "one test split" if folds is None else f"{folds} folds"


def stored_records(store: RunStore, fingerprint: str) -> dict[str, RunRecord]:
    """All records by run id. Raises StoreError when one is of another task or cannot be read by this version."""
    records = {record.run_id: record for record in store}
    if store.problems:
        raise StoreError(
            f"The store {store.root} holds records that cannot be read",
            found="; ".join(problem.reason for problem in store.problems[:SHOWN])
            + (f"; and {len(store.problems) - SHOWN} more" if len(store.problems) > SHOWN else ""),
            allowed="records of this version of azeotrope or of an older one",
            next_step="upgrade azeotrope, move damaged files away, or choose another folder with --out",
        )
    for record in records.values():
        check_same_data(Path(store.root), record.task.fingerprint, fingerprint)
    return records


def keep_plan(store: RunStore, plan: SweepPlan) -> None:
    """Write `plan.yaml`, the newest plan, and keep it beside earlier ones in `plans/`.

    Raises StoreError when the last plan was for other images; nothing is then overwritten.
    """
    if (present := store.read(PLAN)) is not None:
        check_same_data(Path(store.root), planned_for(present, f"{store.root}/{PLAN}"), plan.fingerprint or "")
    text = to_yaml(plan).encode()
    store.write(f"{PLANS}/{plan.question()}.yaml", text)
    store.write(PLAN, text)


def planned_for(content: bytes, name: str) -> str:
    """The fingerprint of the images that a plan, of a sweep or a comparison, was made for."""
    try:
        plan: Any = yaml.safe_load(content)
        return str(plan["fingerprint"])
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"The file {name} is not a plan that azeotrope wrote",
            found=message_of(error),
            next_step="move it away, or choose another folder with --out",
        ) from error
