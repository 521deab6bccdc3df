"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from azeotrope.arm import Arm, Pictures
from azeotrope.errors import InputError
from azeotrope.plan import PicturesSpec
from azeotrope.record.result import SCHEMA
from azeotrope.record.store import expanded
from azeotrope.terms import split


class HeadName(StrEnum):
    """What `--teacher-head` takes."""

    linear = "linear"
    finetune = "finetune"
    zero_shot = "zero-shot"


class KindOption(StrEnum):
    """What `--kind` takes."""

    single = "single"
    multi = "multi"
    number = "number"


class LayoutOption(StrEnum):
    """What `--layout` takes."""

    by_class = "class"
    by_split = "split/class"
    by_class_then_split = "class/split"
    by_group = "group/class"


class PrecisionName(StrEnum):
    """What `--precision` takes."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class ScheduleName(StrEnum):
    """What `--schedule` takes."""

    cosine = "cosine"
    constant = "constant"


class SynthUse(StrEnum):
    """What `--synth-as` takes."""

    distill = "distill"
    labelled = "labelled"


Data = Annotated[
    str,
    typer.Argument(metavar="DATA", help="Folder of class folders, CSV or Parquet table, or scheme:name."),
]
HeldOut = Annotated[
    float | None,
    typer.Option(
        "--held-out",
        help="Share of images for test, and of the rest for validation, where DATA has no such split (0.2).",
    ),
]
Kind = Annotated[
    KindOption | None,
    typer.Option("--kind", help="What a table's labels are: one class an image (single), several, or a number."),
]
LabelColumn = Annotated[str | None, typer.Option("--label-column", help="The table's column of labels or values.")]
Separator = Annotated[
    str | None, typer.Option("--separator", help="Between several labels of an image (;), with --kind multi.")
]
Unit = Annotated[str | None, typer.Option("--unit", help="Of the value, to be shown, with --kind number.")]
PathColumn = Annotated[str | None, typer.Option("--path-column", help="The table's column of paths or URLs.")]
SplitColumn = Annotated[
    str | None, typer.Option("--split-column", help="The table's column of train, val and test; none: no column is.")
]
LayoutOf = Annotated[
    LayoutOption | None,
    typer.Option(
        "--layout", help="What a folder's levels are, from above: class, split/class, class/split, group/class."
    ),
]
Range = Annotated[
    str | None, typer.Option("--range", help="Values of black and white in files of more than 8 bits, such as 0,4095.")
]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group", help="The table's column of what images belong together: patient, film, place."),
]
GroupBy = Annotated[
    str | None,
    typer.Option("--group-by", help="The same from each path: a regular expression, or parent for the folder."),
]
KeepLeaks = Annotated[
    bool, typer.Option("--keep-leaks", help="Allow given splits of which several hold images of one group.")
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        callback=lambda given: Path(expanded(given)),
        help="Output folder: new, empty, or of an earlier run on the same images.",
    ),
]
Student = Annotated[
    str,
    typer.Option("--student", "-s", help="The small model: scheme:name@weights; timm and its own weights by default."),
]
Teacher = Annotated[
    str | None,
    typer.Option("--teacher", "-t", help="The pretrained teacher, written like the student; several as A+B."),
]
TeacherHead = Annotated[
    HeadName | None,
    typer.Option(
        "--teacher-head",
        help="Linear on your labels (the default), the whole teacher tuned on them, or class names.",
    ),
]
TeacherFolds = Annotated[
    int | None,
    typer.Option(
        "--teacher-folds",
        min=1,
        max=20,
        help="Parts in which the teacher is cross-fitted, 1: not at all (5; of finetune 1).",
    ),
]
WeakTeacher = Annotated[
    bool, typer.Option("--weak-teacher", help="Let a teacher teach that knows less of the images than bare pixels.")
]
TeacherSize = Annotated[
    int | None, typer.Option("--teacher-size", min=8, help="Pixels at which the teacher looks (its own).")
]
TrainImages = Annotated[
    int | None, typer.Option("--train-images", "-n", min=1, help="How many labelled images train (all).")
]
Sizes = Annotated[
    str | None,
    typer.Option("--train-images", "-n", metavar="N,...", help="How many labelled images train, by commas (all)."),
]
Deploy = Annotated[
    str | None,
    typer.Option("--deploy", help="Judge the arms as files of these targets too: onnx,onnx-int8 (`list targets`)."),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Paired seeds; fewer than 3 never give a verdict.")]
ImageSize = Annotated[int | None, typer.Option("--image-size", min=8, help="Pixels at which the student looks.")]
Upstream = Annotated[str | None, typer.Option("--upstream", help="A labelled set to pre-train the student on, here.")]
PretrainImages = Annotated[
    int | None, typer.Option("--pretrain-images", min=1, help="How many images of the upstream set.")
]
Unlabelled = Annotated[
    str | None, typer.Option("--unlabelled", help="Folder, URL or source of pictures without labels, to distil on too.")
]
Synth = Annotated[
    str | None, typer.Option("--synth", help="Where azeotrope synth left its pictures, to distil on too.")
]
SynthAs = Annotated[
    SynthUse | None,
    typer.Option("--synth-as", help="Whether made pictures only distil (the default), or count as labelled too."),
]
Mix = Annotated[
    float | None,
    typer.Option("--mix", min=0.01, max=16, help="Further pictures in a step for each labelled image (1)."),
]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Passes over the images (the recipe's rule).")]
Patience = Annotated[
    float | None, typer.Option("--patience", help="How many times as long to train, 1 or more; for every arm alike.")
]
Schedule = Annotated[
    ScheduleName | None, typer.Option("--schedule", help="Of the learning rate after its warm-up (cosine).")
]
WeightAverage = Annotated[
    float | None,
    typer.Option(
        "--weight-average",
        help="Average the weights over this share of the steps (0.05); 0 keeps the epoch that validation likes best.",
    ),
]
Batch = Annotated[int | None, typer.Option("--batch-images", help="Images a step (the recipe's rule).")]
Accumulate = Annotated[
    int | None, typer.Option("--accumulate", help="Parts that a batch is gone through in, to save memory (1).")
]
Rates = Annotated[
    str | None, typer.Option("--learning-rates", help="Comma-separated list to choose from on validation.")
]
Views = Annotated[
    str | None,
    typer.Option("--views", help="Different views of each image, reused in turn; `live`: new ones in every epoch."),
]
Mirror = Annotated[
    bool | None,
    typer.Option("--mirror/--no-mirror", help="Whether a mirror image keeps its class (yes, but for digits)."),
]
Precision = Annotated[
    PrecisionName | None,
    typer.Option("--precision", help="Of matrix work (auto: bf16 where native); fp16 on GPUs only."),
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="cpu, cuda, cuda:N (card N, from 0) or mps; auto: a CUDA card that works, else cpu."),
]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder of decoded images and embeddings; may be deleted.")]
CacheGb = Annotated[
    float | None,
    typer.Option("--cache-gb", min=0, help="Room for the teacher's embeddings; fewer views if it is short."),
]
VerifyCache = Annotated[
    bool, typer.Option("--verify-cache", help="Hold a random sample of the teacher's embeddings against the teacher.")
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Read every image again; refuse a set with an unreadable one, or with pictures passed over."
    ),
]
SeenWeights = Annotated[
    bool | None, typer.Option("--seen-weights", help="Allow weights that were trained on these very images.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else.")]


def names(text: str | None) -> list[str] | None:
    """A comma-separated option as a list, None when it was not given; commas in parentheses separate nothing."""
    return None if text is None else [part.strip() for part in split(text, ",") if part.strip()]


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given; an enumeration as its text."""
    return {
        key: value.value if isinstance(value, StrEnum) else value for key, value in flags.items() if value is not None
    }


def counts(text: str | None) -> list[int] | None:
    """Numbers of images, by commas. Raises InputError."""
    if text is None:
        return None
    if not (parts := names(text)) or not all(part.isdecimal() and int(part) for part in parts):
        raise InputError("Numbers of images are whole numbers, 1 or more", found=text, allowed="such as 250,500")
    return [int(part) for part in parts]


def print_document(**content: JsonValue) -> None:
    """The document of a command, with the number of its schema (`azeotrope schema` prints that)."""
    print_json({"schema": SCHEMA, **content})


def print_json(content: JsonValue) -> None:
    """The one document on standard output, in the letters that this output can carry."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content, indent=1)
    typer.echo(text)


def arm_with(arm: str, pictures: PicturesSpec | None) -> str:
    """The one arm of `distill`: pictures that were named are used, unless it says which. Raises InputError where it
    says nothing and both kinds were named.
    """
    parsed = Arm.parse(arm)
    if pictures is None or parsed.pictures or parsed.strategy != "distill":
        return arm
    if pictures.synth and pictures.unlabelled:
        raise InputError(
            "One student learns from one kind of further pictures",
            found="both --unlabelled and --synth",
            next_step="give one of them, or compare both: azeotrope compare",
        )
    kind: Pictures = "synth" if pictures.synth else "unlabelled"
    return parsed.model_copy(update={"pictures": kind}).name


def multiple(text: str | None) -> float | None:
    """`2x`, or `2`, as a number."""
    if text is None:
        return None
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise InputError("A multiple is a positive number of times", found=text, allowed="such as 1x, 2x or 0.5x")
    return value


def views(text: str | None) -> dict[str, Any]:
    """`--views 16` or `--views live`, as fields of the recipe."""
    if text is None:
        return {}
    if text == "live":
        return {"live": True}
    if not text.isdecimal() or int(text) < 1:
        raise InputError("--views is a number of views or `live`", found=text, allowed="1 or more, or live")
    return {"views": int(text)}


def value_range(text: str | None) -> tuple[float, float] | None:
    """`--range 0,4095` as two numbers."""
    if text is None:
        return None
    try:
        black, white = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError("--range is two numbers, black and white", found=text, allowed="such as 0,4095") from None
    return black, white


def numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError("--learning-rates is a list of numbers", found=text, allowed="such as 5e-4,2e-3") from None
