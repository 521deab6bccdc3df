"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli._options import choices
from azeotrope.cli._options.spread import PROGRAM
from azeotrope.record.storage.store import expanded

MACHINE = "Machine"

Data = Annotated[
    str,
    typer.Argument(metavar="DATA", help="Folder of class folders, CSV or Parquet table, or scheme:name."),
]
Runs = Annotated[
    str, typer.Argument(metavar="RUNS", help="Folder or URL of runs, or a table (.csv, .tsv or .parquet).")
]
Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="Where it was saved: --out, one of its models, or an exported file.")
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="FOLDER",
        callback=lambda given: Path(expanded(given)),
        help="Output folder: new, empty, or of an earlier run on the same images.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on standard output and nothing else.", rich_help_panel=PROGRAM
    ),
]
_STUDENT = "The small model: scheme:name@weights. A name without scheme is timm's, with its own weights."
_TEACHER = "The pretrained teacher, written like the student; several that teach together as A+B."
Student = Annotated[
    str,
    typer.Option(
        "--student",
        "-s",
        metavar="MODEL",
        help=_STUDENT,
    ),
]
ChosenStudent = Annotated[
    str | None,
    typer.Option(
        "--student",
        "-s",
        metavar="MODEL",
        help=_STUDENT,
        show_default="chosen, and said why",
    ),
]
ChosenTeacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        "-t",
        metavar="MODEL",
        help=_TEACHER,
        show_default="chosen with the student, else none",
    ),
]
ChosenStudents = Annotated[
    str | None,
    typer.Option(
        "--student", "-s", metavar="MODEL,...", help="The small models, by commas.", show_default="chosen, and said why"
    ),
]
DeviceBudget = Annotated[
    str | None,
    typer.Option(
        "--device-budget",
        metavar="LIMIT",
        help="Instead of --student: the largest that fits, such as 5MB or 300M MACs.",
        show_default="none",
    ),
]
Students = Annotated[
    str | None,
    typer.Option("--student", "-s", metavar="MODEL,...", help="The small models, by commas.", show_default="none"),
]
Teacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        "-t",
        metavar="MODEL",
        help=_TEACHER,
        show_default="none",
    ),
]
Teachers = Annotated[
    str | None,
    typer.Option("--teacher", "-t", metavar="MODEL,...", help="Pretrained teachers, by commas.", show_default="none"),
]
TrainImages = Annotated[
    int | None,
    typer.Option("--train-images", "-n", min=1, help="How many labelled images train.", show_default="all"),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--train-images", "-n", metavar="N,...", help="How many labelled images train, by commas.", show_default="all"
    ),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Paired seeds; fewer than 3 never give a verdict.")]
Arms = Annotated[
    str | None,
    typer.Option(
        "--arms", metavar="ARM,...", help="Ways to train: scratch,distill:kl.", show_default="all that are possible"
    ),
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="LIMIT,...", help="1h, 30m, '40 runs' or '5 EUR'.", show_default="no limit"),
]
Deploy = Annotated[
    str | None,
    typer.Option(
        "--deploy",
        metavar="TARGET,...",
        help="Judge the arms as files of these targets too: onnx,onnx-int8 (azeotrope list targets).",
        show_default="none",
    ),
]
TeacherSize = Annotated[
    int | None,
    typer.Option(
        "--teacher-size",
        min=8,
        help="Side of the images that the teacher sees.",
        show_default="its own",
        rich_help_panel="Teacher",
    ),
]
TeacherBands = Annotated[
    str | None,
    typer.Option(
        "--teacher-bands",
        metavar="N,N,N",
        help="The three bands that the teacher sees as red, green and blue, or one as grey.",
        show_default="needed with other bands than grey or colour",
    ),
]
HeldOut = Annotated[
    float | None,
    typer.Option(
        "--held-out",
        rich_help_panel="Images and labels",
        help="Share of images for test, and of the rest for validation, where DATA has no such split.",
        show_default="0.2",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="K",
        help="Cut the images into K parts, each the test set once a seed; for sets under 500 images.",
        show_default="one test split",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Runs side by side; they divide the cores.", show_default="1"),
]
Track = Annotated[
    str | None,
    typer.Option(
        "--track",
        metavar="NAME,...",
        help="Show finished runs to tensorboard, mlflow, wandb or trackio; NAME:FOLDER writes there.",
        show_default="none",
    ),
]
Precision = Annotated[
    choices.Precision | None,
    typer.Option(
        "--precision",
        rich_help_panel=MACHINE,
        help="Of matrix work; fp16 on GPUs only.",
        show_default="auto: bf16 where native",
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        rich_help_panel=MACHINE,
        metavar="FOLDER",
        help="Decoded images and embeddings; may be deleted.",
        show_default="azeotrope in the user's cache folder",
    ),
]
