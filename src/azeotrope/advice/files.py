"""Runs judged by their files of one export target, in the place of their networks: advice for what a device runs."""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.errors import InputError
from azeotrope.record.run import RunRecord


def measured_targets(records: Sequence[RunRecord]) -> tuple[str, ...]:
    """The export targets that any of these runs was measured as."""
    return tuple(dict.fromkeys(target for run in records for target in run.deployed))


def as_files(records: Sequence[RunRecord], target: str) -> tuple[list[RunRecord], tuple[str, ...]]:
    """The runs as their files of this target, and a sentence a run that has none. Raises InputError where none has."""
    found = {run.run_id: file for run in records if (file := run.as_deployed(target)) is not None}
    if not found:
        known = measured_targets(records)
        raise InputError(
            f"No run was measured as a file of {target}",
            found=f"files of {', '.join(known)}" if known else "runs of networks alone",
            allowed=", ".join(known),
            next_step=f"give the command that made the runs again with --deploy {target}",
        )
    lacking = [run for run in records if run.state == "done" and run.run_id not in found]
    said = tuple(
        f"{run.arm}, seed {run.seed}, has no {target} file and is left out"
        + (f": {run.deployed[target].reason}" if target in run.deployed else "")
        for run in lacking
    )
    return list(found.values()), said
