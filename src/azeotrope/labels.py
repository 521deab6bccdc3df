"""What images and their labels are, and which images belong together, where the source of images leaves it open."""

from __future__ import annotations

import math
import re
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from azeotrope.spec import Spec

KindName = Literal["single", "multi", "number"]  # of task: the files of `kinds`
Fit = Literal["squeeze", "crop", "pad"]  # how a picture becomes a square
Format = Literal["dicom", "heic"]  # those that are read where they are asked for, by an extra
Layout = Literal["class", "split/class", "class/split", "group/class"]  # of folders: what each level says


class PixelSpec(Spec):
    """How the pixels of a file are taken, where that is not as a grey or colour picture of 8 bits.

    `bands` are those that are read, in this order: numbers from 1 as in the file, or all; None reads a grey or colour
    picture. `bits` is how finely what lies between black and white is kept. `colours` are taken as they are stored, or
    brought to sRGB by the file's own ICC profile. A picture that is not square is squeezed whole, cropped to the square
    in its middle, or padded with black to the square around it, as `fit` says. `formats` are read besides those that
    every set may hold.
    """

    bands: tuple[int, ...] | Literal["all"] | None = None
    bits: Literal[8, 16] = 8
    colours: Literal["stored", "srgb"] = "stored"
    fit: Fit = "squeeze"
    formats: tuple[Format, ...] = ()

    @model_serializer(mode="wrap")
    def _as_asked(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what was asked for: a set keeps its fingerprint when there is more to ask."""
        content: dict[str, Any] = written(self)
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        return {name: value for name, value in content.items() if getattr(self, name) != defaults[name]}

    @field_validator("formats")
    @classmethod
    def _in_one_order(cls, value: tuple[Format, ...]) -> tuple[Format, ...]:
        return tuple(sorted(set(value)))

    @field_validator("bands")
    @classmethod
    def _bands_are_numbered_from_one(cls, value: tuple[int, ...] | str | None) -> tuple[int, ...] | str | None:
        if isinstance(value, tuple) and (not value or min(value) < 1 or len(set(value)) < len(value)):
            raise ValueError("bands are all, or numbers from 1, each once, such as 4,3,2")
        return value

    @model_validator(mode="after")
    def _profiles_are_of_pictures(self) -> Self:
        if self.colours == "srgb" and (self.bands is not None or self.bits != 8):
            raise ValueError("ICC profiles bring grey and colour of 8 bits to sRGB: leave bands and bits out")
        return self


PLAIN_PIXELS = PixelSpec()


class LabelSpec(Spec):
    """What the images of a source and their labels are, where the source leaves it open.

    `column` names a table's column of labels or values, `path_column` that of paths, `split_column` that of splits
    ("none": no column says a split). `separator` stands between the labels of one image; `unit` is that of a number, to
    be shown. `layout` says what the levels of a folder are. `value_range` are the values of black and white in files of
    more than 8 bits, or `percentile`: those that few pixels lie beyond. `pixels` is how files are read.
    """

    kind: KindName = "single"
    column: str | None = Field(default=None, min_length=1)
    separator: str | None = Field(default=None, min_length=1)
    unit: str | None = None
    path_column: str | None = Field(default=None, min_length=1)
    split_column: str | None = Field(default=None, min_length=1)
    layout: Layout | None = None
    value_range: tuple[float, float] | Literal["percentile"] | None = None
    pixels: PixelSpec = Field(default=PLAIN_PIXELS, exclude_if=lambda pixels: pixels == PLAIN_PIXELS)
    group: str | None = Field(default=None, min_length=1)
    group_by: str | None = Field(default=None, min_length=1)
    keep_leaks: bool | None = None

    @model_serializer(mode="wrap")
    def _as_asked(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Fields that came later are written only where they were given: what was asked before keeps its hash."""
        later = ("path_column", "split_column", "layout", "value_range", "group", "group_by", "keep_leaks")
        content: dict[str, Any] = written(self)
        return {name: value for name, value in content.items() if name not in later or value is not None}

    @field_validator("value_range")
    @classmethod
    def _black_below_white(cls, value: tuple[float, float] | str | None) -> tuple[float, float] | str | None:
        if isinstance(value, tuple) and not -math.inf < value[0] < value[1] < math.inf:
            raise ValueError("black must lie below white, and both be finite, such as 0,4095")
        return value

    @field_validator("group_by")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"a regular expression, or parent, is needed: {value!r} is none ({error})") from None
        return value

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Self:
        if self.group is not None and self.group_by is not None:
            raise ValueError("group and group_by both say which images belong together: give one of them")
        if self.keep_leaks and self.group is None and self.group_by is None:
            raise ValueError("keep_leaks is about groups: name them with group or group_by")
        if self.separator is not None and self.kind != "multi":
            raise ValueError(f"a separator stands between several labels: with kind multi, not {self.kind}")
        if self.unit is not None and self.kind != "number":
            raise ValueError(f"a unit is that of a number: with kind number, not {self.kind}")
        return self


ONE_CLASS = LabelSpec()
