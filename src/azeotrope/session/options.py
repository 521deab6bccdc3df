"""What `compare`, `distill` and `check` take by keyword beside the data, the models and the folder of results, as typed
groups that are passed on whole: an option is named here, on the command line (`cli._options.groups`), and where it
acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Required, TypedDict, cast

from azeotrope.labels import LabelSpec
from azeotrope.plan import AskedPrecision, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.session.progress import Progress


class Machine(TypedDict, total=False):
    """How this machine is used; nothing of it enters a run's identity. `sweep` and `foresee` take it too.

    `cache` is the folder of decoded images and embeddings. `verify_cache` holds a sample of the embeddings against the
    teacher. `strict` refuses a set with an unreadable image, or with pictures that are passed over. `device` is what
    computes: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`, or `cuda:0,1` where cards share every run; where the precision
    is `auto`, it decides that too.
    """

    cache: str | Path | None
    verify_cache: bool
    strict: bool
    device: str


class Options(Machine, total=False):
    """`Machine`, and fields of `SweepPlan`. `upstream` is the source and how many of its images; `pictures` are further
    ones, for arms such as `distill+unlabelled`; `recipe` holds fields of `RecipeChanges`; `labels` says what a label
    is; `compile` compiles students before they train; `held_out` is the share of images in each split that the source
    does not give; `cache_gb` the room for the teacher's embeddings; `seen_weights` lets in weights that were trained on
    these very images.
    """

    image_size: int | None
    upstream: UpstreamSpec | None
    pictures: PicturesSpec | None
    recipe: Mapping[str, Any] | None
    precision: AskedPrecision
    compile: bool
    cache_gb: float | None
    labels: LabelSpec
    held_out: float
    seen_weights: bool


class SynthOptions(Machine, total=False):
    """What `synth` takes beside its specs: `precision` of the teacher and the generator, and `held_out` as in
    `Options`.
    """

    precision: AskedPrecision
    held_out: float


class Compared(Options, total=False):
    """What `compare` takes beside the data and its sizes."""

    student: Required[str]
    teacher: Required[str | TeacherSpec | None]
    out: Required[str | Path]
    arms: str | Sequence[str] | None
    losses: str | Sequence[str] | None
    seeds: int | Sequence[int] | Literal["auto"]
    folds: int | None
    deploy: str | Sequence[str]
    workers: int
    track: str | Sequence[str]
    progress: Progress | None


def parted(options: Options) -> tuple[dict[str, Any], Machine]:
    """(what belongs to the plan, what belongs to this machine)."""
    machine = {key: value for key, value in options.items() if key in Machine.__annotations__}
    plan = {key: value for key, value in options.items() if key not in machine}
    return plan, cast(Machine, machine)
