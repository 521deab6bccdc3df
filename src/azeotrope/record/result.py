"""What every answer can do for a person in Python: a table, a JSON document, a figure, and a short name for itself.

How an answer looks is the part of `reporting/results/`, where the file of its `shown_as` is looked up by name: answers
know nothing of drawing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from azeotrope.lookup import member

if TYPE_CHECKING:
    import polars as pl

SCHEMA = 1
"""Of the JSON documents: a key that changes its meaning or goes changes this number."""


class Result:
    """Base of `Advice`, `Boundary`, `Comparison` and `FitResult`."""

    shown_as: ClassVar[str]

    def to_frame(self) -> pl.DataFrame:
        """The numbers as a polars table; for pandas, `.to_frame().to_pandas()`."""
        return self._look.frame(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        """The document that `--json` prints, with its `schema` number; a bound at infinity is null."""
        return json.dumps(self._look.document(self), indent=1, ensure_ascii=False)

    def plot(self, path: str | Path | None = None) -> Any:
        """The figure, an altair chart that a notebook shows; with `path` (.svg, .png, .html) it is saved there too.

        Raises InputError for another extension, StoreError when the file cannot be written.
        """
        return self._look.plot(self, path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._look.line(self)}>"

    def _repr_html_(self) -> str:
        return str(self._look.html(self))

    @property
    def _look(self) -> Any:
        return member("reporting.results", self.shown_as, "result")
