"""Makes the report of stored runs again: `azeotrope.report(folder)`. It needs the records; no images, no torch."""

from __future__ import annotations

from pathlib import Path

from azeotrope.analysis.comparisons import compared
from azeotrope.analysis.study import Functions, sweep_of
from azeotrope.api.advise import advise
from azeotrope.api.boundary import boundary
from azeotrope.api.fit import fit
from azeotrope.record.store import RunStore
from azeotrope.reporting.files import PAGE, read_disagreements, write_page
from azeotrope.reporting.html import Section
from azeotrope.reporting.numbers import Document
from azeotrope.reporting.part import Missing, attempt


def report(runs: str | Path, out: str | Path | None = None) -> Path:
    """Write one self-contained HTML file from the records under `runs` (a folder, or a URL) and return its path.

    Every number comes from the records; what only `compare` knew (arms not tested, the plan, the price of pre-training,
    pictures) is taken from the files it left beside them. Without `out` the page goes to `report.html` in that folder,
    or into the working folder when the runs are at a URL.

    Raises InputError when there are no readable records, StoreError when `out` cannot be written.
    """
    comparisons = compared(runs)
    document = Document(comparisons=comparisons, disagreements=read_disagreements(runs))
    path = out or (PAGE if "://" in str(runs) else Path(runs) / PAGE)
    sweep = attempt(lambda: sweep_of(list(RunStore(str(runs))), Functions(fit, boundary, advise)))
    if isinstance(sweep, Missing):
        return write_page(path, document, [Section("Over sizes", f"Not shown. {sweep.reason}", None)])
    return write_page(path, document, sweep=sweep)
