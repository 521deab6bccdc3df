"""Groups of options that commands which train share, and what they are turned into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

import typer

from azeotrope.cli._options import choices, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.labels import Labels
from azeotrope.cli._options.recipe import Recipe
from azeotrope.cli._options.spread import Group, given, refuse_idle
from azeotrope.errors import InputError
from azeotrope.plan import PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.session.options import Machine as MachineOptions
from azeotrope.session.options import Options as AskedOptions
from azeotrope.spec import validated

FURTHER = "Pre-training and further pictures"


UpstreamData = Annotated[
    str | None,
    typer.Option(
        "--upstream", metavar="DATA", help="A labelled set to pre-train the student on, here.", show_default="none"
    ),
]


@dataclass(frozen=True)
class Teaching(Group):
    """How a teacher that is named looks and is fitted."""

    panel: ClassVar[str] = "Teacher"
    called: ClassVar = {
        "teacher_size": "image_size",
        "teacher_head": "head",
        "teacher_folds": "folds",
        "weak_teacher": "weak",
        "teacher_bands": "bands",
    }

    teacher_size: options.TeacherSize = None
    teacher_head: Annotated[
        choices.Head | None,
        typer.Option(
            "--teacher-head",
            help="A linear head fitted on your labels, the whole teacher tuned on them, or a head made of class names.",
            show_default="linear",
        ),
    ] = None
    teacher_folds: Annotated[
        int | None,
        typer.Option(
            "--teacher-folds",
            min=1,
            max=20,
            help="Parts in which the teacher is cross-fitted; 1: not at all.",
            show_default="5 of a linear head, else 1",
        ),
    ] = None
    teacher_bands: options.TeacherBands = None
    weak_teacher: Annotated[
        bool, typer.Option("--weak-teacher", help="Let a teacher teach that knows less of the images than bare pixels.")
    ] = False

    @property
    def bands(self) -> tuple[int, ...] | None:
        """The bands that were named. Raises InputError for other words."""
        return words.teacher_bands(self.teacher_bands)

    def given(self) -> dict[str, Any]:
        """The fields of `TeacherSpec` that were asked for."""
        fields = super().given()
        fields |= {"head": self.teacher_head.name} if self.teacher_head else {}
        return fields | ({"bands": self.bands} if self.teacher_bands else {})

    def spec(self, teacher: str | None, suggested_size: int | None = None) -> TeacherSpec | None:
        """The teacher of this name, where there is one, at the size that was asked for, else at the suggested one.

        Raises InputError for options of a teacher that is none.
        """
        if teacher is None:
            refuse_idle(self.flags(), "no teacher is named", "name one with --teacher, or leave these out")
            return None
        return validated(TeacherSpec, {"model": teacher, "image_size": suggested_size, **self.given()})


@dataclass(frozen=True)
class Upstream(Group):
    """Pre-training here; both options belong together."""

    panel: ClassVar[str] = FURTHER

    upstream: UpstreamData = None
    pretrain_images: Annotated[
        int | None,
        typer.Option("--pretrain-images", min=1, help="How many images of the upstream set.", show_default="none"),
    ] = None

    def spec(self) -> UpstreamSpec | None:
        """The upstream source, where one was named."""
        data, images = self.upstream, self.pretrain_images
        if (data is None) != (images is None):
            raise InputError(
                "Pre-training here needs a source and a number of images",
                found="--upstream alone" if data else "--pretrain-images alone",
                next_step="give both --upstream SOURCE and --pretrain-images P, or neither",
            )
        return UpstreamSpec(data=data, pretrain_images=images) if data and images else None


@dataclass(frozen=True)
class Pictures(Group):
    """Further pictures, without labels or made."""

    panel: ClassVar[str] = FURTHER
    called: ClassVar = {"mix": "ratio"}

    unlabelled: Annotated[
        str | None,
        typer.Option(
            "--unlabelled",
            metavar="DATA",
            help="Pictures without labels (folder, URL or source), to distil on too.",
            show_default="none",
        ),
    ] = None
    synth: Annotated[
        str | None,
        typer.Option(
            "--synth",
            metavar="FOLDER",
            help="Pictures that azeotrope synth made, to distil on too.",
            show_default="none",
        ),
    ] = None
    synth_as: Annotated[
        choices.SynthUse | None,
        typer.Option(
            "--synth-as", help="Whether made pictures only distil, or count as labelled.", show_default="distill"
        ),
    ] = None
    mix: Annotated[
        float | None,
        typer.Option(
            "--mix", min=0.01, max=16, help="Further pictures in a step for each labelled image.", show_default="1"
        ),
    ] = None

    def spec(self) -> PicturesSpec | None:
        """The further pictures, where some were named."""
        return validated(PicturesSpec, asked, what="further pictures") if (asked := self.given()) else None


@dataclass(frozen=True)
class Machine(Group):
    """How this machine is used: `session.options.Machine`."""

    panel: ClassVar[str] = options.MACHINE

    cache: options.Cache = None
    verify_cache: Annotated[
        bool,
        typer.Option("--verify-cache", help="Hold a random sample of the teacher's embeddings against the teacher."),
    ] = False
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Read every image again; refuse a set with an unreadable one, or with pictures passed over.",
        ),
    ] = False
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            help="cpu, cuda, cuda:N (card N, from 0) or mps; cuda:0,1 share every batch.",
            show_default="auto: a CUDA card that works, else cpu",
        ),
    ] = None

    def options(self) -> MachineOptions:
        """As the public functions take them."""
        plain: MachineOptions = {"cache": self.cache, "verify_cache": self.verify_cache, "strict": self.strict}
        return plain if self.device is None else {**plain, "device": self.device}


@dataclass(frozen=True, kw_only=True)
class Question(Group):
    """What a plan asks beside its models, arms and sizes, the same for every command that makes one."""

    panel: ClassVar[str] = options.MACHINE

    image_size: Annotated[
        int | None,
        typer.Option(
            "--image-size",
            min=8,
            help="Side of the images that the student sees.",
            rich_help_panel="Training",
            show_default="its own",
        ),
    ] = None
    pictures: Pictures
    recipe: Recipe
    labels: Labels
    held_out: options.HeldOut = None
    precision: options.Precision = None
    compile: Annotated[
        bool,
        typer.Option("--compile", help="Compile students before they train: minutes at first, then faster steps."),
    ] = False
    seen_weights: Annotated[
        bool,
        typer.Option("--seen-weights", help="Allow weights that were trained on these very images."),
    ] = False
    cache_gb: Annotated[
        float | None,
        typer.Option(
            "--cache-gb",
            min=0,
            help="Room for the teacher's embeddings; fewer views if it is short.",
            show_default="as much as they need",
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """The fields of `SweepPlan` that were asked for."""
        groups = {"pictures": self.pictures.given(), "recipe": self.recipe.changes(), "labels": self.labels.given()}
        own = ("image_size", "held_out", "seen_weights", "precision", "compile", "cache_gb")
        return given({key: getattr(self, key) for key in own}) | {k: v for k, v in groups.items() if v}


@dataclass(frozen=True)
class Options(Group):
    """`session.options.Options`: what `compare`, `distill` and `check` share."""

    upstream: Upstream
    question: Question
    machine: Machine

    def options(self) -> AskedOptions:
        """As the public functions take them."""
        question = self.question
        specs = {
            "upstream": self.upstream.spec(),
            "pictures": question.pictures.spec(),
            "labels": question.labels.spec(),
        }
        return cast(AskedOptions, question.given() | specs | self.machine.options())
