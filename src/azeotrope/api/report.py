"""Makes the report of stored runs again: `azeotrope.report(folder)`. It needs the records; no images, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.analysis.comparisons import compared, task_folders
from azeotrope.analysis.study import Functions, joined, sweep_of
from azeotrope.api.advise import advise
from azeotrope.api.boundary import boundary
from azeotrope.api.fit import fit
from azeotrope.record.store import RunStore
from azeotrope.reporting.files import PAGE, read_disagreements, write_page
from azeotrope.reporting.html import Section
from azeotrope.reporting.numbers import Document
from azeotrope.reporting.part import Missing, attempt
from azeotrope.reporting.study import Sweep


def report(runs: str | Path, out: str | Path | None = None) -> Path:
    """Write one self-contained HTML file from the records under `runs` (a folder, or a URL) and return its path.

    Every number comes from the records; what only `compare` knew (arms not tested, the plan, the price of pre-training,
    pictures) is taken from the files it left beside them. Without `out` the page goes to `report.html` in that folder,
    or into the working folder when the runs are at a URL.

    Of a sweep over several tasks the page begins with their table, and holds the curves of every task.

    Raises InputError when there are no readable records, StoreError when `out` cannot be written.
    """
    folders = task_folders(runs)
    comparisons = tuple(comparison for folder in folders for comparison in compared(folder))
    document = Document(comparisons=comparisons, disagreements=read_disagreements(runs))
    path = out or (PAGE if "://" in str(runs) else Path(runs) / PAGE)
    sweep = attempt(lambda: _sweep(folders))
    if isinstance(sweep, Missing):
        return write_page(path, document, [Section("Over sizes", f"Not shown. {sweep.reason}", None)])
    return write_page(path, document, sweep=sweep)


def _sweep(folders: Sequence[str]) -> Sweep | None:
    functions = Functions(fit, boundary, advise)
    sweeps = {folder.rpartition("/")[2]: sweep_of(list(RunStore(folder)), functions) for folder in folders}
    return joined(sweeps) if len(sweeps) > 1 else next(iter(sweeps.values()))
