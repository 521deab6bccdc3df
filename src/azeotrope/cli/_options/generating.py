"""Options of a generator of pictures, of how many it makes, and of what the teacher lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from azeotrope.cli._options import choices, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.spread import Group, Typed, given, refuse_idle
from azeotrope.errors import InputError
from azeotrope.spec import validated

if TYPE_CHECKING:
    from azeotrope.synthesis.spec import FilesSpec, FilterSpec, GeneratorSpec, SetsSpec

_IDLE = {  # what has no effect beside each way to make pictures
    "--train": ("method", "strength", "template", "descriptions", "revision"),
    "--method text": ("strength", "training_steps"),
    "--method vary": ("template", "descriptions", "training_steps"),
    "--method mix": ("template", "descriptions", "training_steps"),
}
ITS_OWN = "the pipeline's own"


@dataclass(frozen=True, kw_only=True)
class Generator(Group):
    """Which generator, and how it draws."""

    panel: ClassVar[str] = "Generator"

    generator: Annotated[
        str | None,
        typer.Option(
            "--generator",
            "-g",
            metavar="MODEL",
            help="A diffusers pipeline: hub id or local folder.",
            show_default="none",
            rich_help_panel="Common options",
        ),
    ] = None
    train: Annotated[
        bool,
        typer.Option(
            "--train",
            help="Train a small generator on this run's own images instead.",
            rich_help_panel="Common options",
        ),
    ] = False
    method: Annotated[
        choices.Method | None,
        typer.Option(
            "--method", help="With --generator: from text, or redraw own images (vary, mix).", show_default="text"
        ),
    ] = None
    template: Annotated[
        list[str] | None,
        typer.Option(
            "--template",
            help="Prompt with {class} in it; several are taken in turn.",
            show_default="a photo of a {class}",
        ),
    ] = None
    descriptions: Annotated[
        Path | None,
        typer.Option(
            "--descriptions",
            metavar="FILE",
            help="Lines with class = words for the prompt.",
            show_default="the classes' names",
        ),
    ] = None
    strength: Annotated[
        float | None,
        typer.Option("--strength", help="With vary and mix: how far from the image, up to 1.", show_default="0.6"),
    ] = None
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps of sampling.", show_default=ITS_OWN)] = None
    guidance: Annotated[
        float | None, typer.Option("--guidance", min=0, help="How much the class is stressed.", show_default=ITS_OWN)
    ] = None
    picture_size: Annotated[
        int | None, typer.Option("--picture-size", min=8, help="Pixels of a picture.", show_default=ITS_OWN)
    ] = None
    revision: Annotated[
        str | None, typer.Option("--revision", help="Of the hub's repository.", show_default="the newest")
    ] = None
    training_steps: Annotated[
        int | None,
        typer.Option(
            "--training-steps", min=1, help="With --train: steps of the generator's training.", show_default="1000"
        ),
    ] = None
    typed: Typed

    def spec(self) -> GeneratorSpec:
        """The generator. Raises InputError for none, for two, and for options that change nothing."""
        from azeotrope.synthesis.names import read_descriptions
        from azeotrope.synthesis.spec import GeneratorSpec

        if self.train == (self.generator is not None):
            raise InputError(
                "Pictures need one generator",
                found="both --train and --generator" if self.train else "neither --train nor --generator",
                allowed="--train for one of your own, or --generator with a hub id or folder",
            )
        method = (self.method or choices.Method.text).value
        way = "--train" if self.train else f"--method {method}"
        refuse_idle(self.typed.of_these(*_IDLE[way]), f"they change nothing beside {way}")
        content: dict[str, Any] = {
            "kind": "own" if self.train else method,
            "model": self.generator,
            "templates": self.template,
            "descriptions": read_descriptions(self.descriptions) if self.descriptions else None,
        } | {name: getattr(self, name) for name in ("revision", "steps", "guidance", "strength")}
        size = {"picture_size": self.picture_size}
        more = {"training": given(size | {"steps": self.training_steps})} if self.train else size
        return validated(GeneratorSpec, given(content | more), what="generator")


@dataclass(frozen=True, kw_only=True)
class Sets(Group):
    """How many pictures, for which subsets."""

    per_class: Annotated[
        int | None, typer.Option("--per-class", help="Pictures made of each class.", show_default="see --multiple")
    ] = None
    multiple: Annotated[
        str | None,
        typer.Option(
            "--multiple",
            metavar="Nx",
            help="Pictures made, as a multiple of the training images: 2x.",
            show_default="see --per-class",
        ),
    ] = None
    train_images: options.TrainImages = None
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="A set for each of so many paired seeds.")] = 1
    seed: Annotated[int | None, typer.Option("--seed", help="A set for this seed only.", show_default="none")] = None
    typed: Typed

    def spec(self) -> SetsSpec:
        """As `azeotrope.synth` takes it. Raises InputError where --seeds changes nothing."""
        from azeotrope.synthesis.spec import SetsSpec

        if self.seed is not None:
            refuse_idle(self.typed.of_these("seeds"), "--seed asks for one set")
        seeds = range(self.seeds) if self.seed is None else (self.seed,)
        amount = {"per_class": self.per_class, "multiple": words.multiple(self.multiple)}
        return validated(
            SetsSpec, {**amount, "train_images": self.train_images, "seeds": seeds}, what="number of pictures"
        )


@dataclass(frozen=True)
class Filter(Group):
    """What the teacher lets pass, and how files are written."""

    panel: ClassVar[str] = "Which pictures are kept, and how"

    teacher_size: options.TeacherSize = None
    agreement: Annotated[
        float, typer.Option("--agreement", min=0, max=1, help="The teacher's probability of the class, at least.")
    ] = 0.5
    diverse: Annotated[
        int | None,
        typer.Option(
            "--diverse", min=1, help="Keep at most so many of a class, unlike each other.", show_default="all"
        ),
    ] = None
    batch_pictures: Annotated[int, typer.Option("--batch-pictures", min=1, help="Pictures made at once.")] = 32
    picture_format: Annotated[choices.Format, typer.Option("--format", help="Of the files.")] = choices.Format.png

    def spec(self) -> FilterSpec:
        """As `azeotrope.synth` takes it."""
        from azeotrope.synthesis.spec import FilterSpec

        return validated(FilterSpec, {"agreement": self.agreement, "diverse": self.diverse})

    def files(self) -> FilesSpec:
        """How pictures are made and written."""
        from azeotrope.synthesis.spec import FilesSpec

        return FilesSpec(batch_pictures=self.batch_pictures, format=self.picture_format.value)
