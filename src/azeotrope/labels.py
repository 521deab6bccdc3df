"""What the label of an image is, where the source of images leaves it open."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from azeotrope.spec import Spec

KindName = Literal["single", "multi", "number"]  # of task: the files of `kinds`


class LabelSpec(Spec):
    """What the label of an image is, where the source leaves it open: its kind, and for a table where it stands.

    `column` names the column of labels or values. `separator` stands between the labels of one image; `unit` is that of
    a number, to be shown.
    """

    kind: KindName = "single"
    column: str | None = Field(default=None, min_length=1)
    separator: str | None = Field(default=None, min_length=1)
    unit: str | None = None

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Self:
        if self.separator is not None and self.kind != "multi":
            raise ValueError(f"a separator stands between several labels: with kind multi, not {self.kind}")
        if self.unit is not None and self.kind != "number":
            raise ValueError(f"a unit is that of a number: with kind number, not {self.kind}")
        return self


ONE_CLASS = LabelSpec()
