"""The three files that show a comparison: `compare.json`, `examples.json` and `report.html`, in the output folder.

The runs stay the source: `compare.json` keeps what no run knows (what was not tested, the plan, the price of
pre-training), `examples.json` the pictures, so that the report can be made again without the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import fsspec
from pydantic import JsonValue, TypeAdapter, ValidationError

from azeotrope.errors import InputError, message_of
from azeotrope.record.result import SCHEMA
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.record.storage.training_curve import Curve, curves_of
from azeotrope.record.storage.verification import FILE as VERIFICATION
from azeotrope.record.storage.verification import read_verification
from azeotrope.reporting.document import Bundle, Disagreement, Document, Mistake
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.page.html import Section, page
from azeotrope.reporting.page.study import Sweep

NUMBERS, EXAMPLES, MISTAKES, PAGE = "compare.json", "examples.json", "mistakes.json", "report.html"

_Content = TypeVar("_Content")
_DISAGREEMENTS = TypeAdapter(tuple[Disagreement, ...])
_MISTAKES = TypeAdapter(tuple[Mistake, ...])


def as_json(comparisons: Sequence[Comparison]) -> dict[str, JsonValue]:
    """What `compare.json` holds and `--json` prints: the comparison's fields and the number of their schema.

    With several sizes these are of the last (largest) one, and `sizes` lists all.
    """
    dumps: list[dict[str, JsonValue]] = [comparison.model_dump(mode="json") for comparison in comparisons]
    several: dict[str, JsonValue] = {"sizes": [*dumps]} if len(dumps) > 1 else {}
    return {"schema": SCHEMA, **dumps[-1], **several}


def write(folder: str | Path, document: Document, sections: Sequence[Section] = ()) -> Path:
    """Write all four files atomically; returns the report's path. Raises StoreError when one cannot be written."""
    folder = Path(folder)
    _write(folder / NUMBERS, json.dumps(as_json(document.comparisons), indent=1, ensure_ascii=False))
    _write(folder / EXAMPLES, _DISAGREEMENTS.dump_json(document.disagreements, indent=1).decode())
    _write(folder / MISTAKES, _MISTAKES.dump_json(document.mistakes, indent=1).decode())
    return write_page(folder / PAGE, document, sections)


def write_page(
    path: str | Path, document: Document, sections: Sequence[Section] = (), sweep: Sweep | None = None
) -> Path:
    """Write the report alone; returns its path. Raises StoreError when it cannot be written."""
    return _write(Path(path), page(document, sections, sweep))


def read_comparisons(folder: str | Path) -> tuple[Comparison, ...]:
    """The comparisons of `compare.json` in a folder or at a URL; none when there is no such file.

    Raises InputError when the file is torn or not ours.
    """
    return _read(folder, NUMBERS, _comparisons, ())


def read_disagreements(folder: str | Path) -> tuple[Disagreement, ...]:
    """The pictures of `examples.json`; none when there is no such file. Raises InputError when it cannot be read."""
    return _read(folder, EXAMPLES, _DISAGREEMENTS.validate_json, ())


def read_mistakes(folder: str | Path) -> tuple[Mistake, ...]:
    """The pictures of `mistakes.json`; none when there is no such file. Raises InputError when it cannot be read."""
    return _read(folder, MISTAKES, _MISTAKES.validate_json, ())


def read_curves(folder: str | Path, comparisons: Sequence[Comparison]) -> dict[str, Curve]:
    """How the runs of these comparisons trained, by run id; without runs that left no curve. Raises InputError when a
    file cannot be read.
    """
    return curves_of(folder, (run_id for item in comparisons for arm in item.arms for run_id in arm.run_ids))


def read_bundles(folder: str | Path) -> tuple[Bundle, ...]:
    """The exported models beside the runs of a folder, in `models/<run_id>/export/`; none at a URL. A bundle that
    cannot be read is listed with the reason.
    """
    found = [] if "://" in str(folder) else sorted(Path(folder).glob(f"models/*/export/{VERIFICATION}"))
    return tuple(_bundle(path.parent, path.relative_to(folder).parent.as_posix()) for path in found)


def _bundle(path: Path, name: str) -> Bundle:
    try:
        return Bundle(folder=name, verification=read_verification(path))
    except InputError as error:
        return Bundle(folder=name, verification=None, problem=str(error))


def write_text(path: str | Path, text: str) -> Path:
    """Write a page; returns its path. Raises StoreError when it cannot be written."""
    return _write(Path(path), text)


def _comparisons(text: str) -> tuple[Comparison, ...]:
    content = {key: value for key, value in json.loads(text).items() if key != "schema"}
    return tuple(Comparison.model_validate(item) for item in content.get("sizes", [content]))


def _read(folder: str | Path, name: str, parse: Callable[[str], _Content], missing: _Content) -> _Content:
    files, root = fsspec.core.url_to_fs(str(folder))
    path = f"{root}/{name}"
    if not files.exists(path):
        return missing
    try:
        with files.open(path, "r", encoding="utf-8") as file:
            return parse(file.read())
    except (ValueError, ValidationError, AttributeError) as error:
        raise InputError(
            f"The file {path} cannot be read",
            found=message_of(error),
            next_step="move it away; the report is then made from the runs alone",
        ) from error


def _write(path: Path, content: str) -> Path:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path
