"""`azeotrope export`: a thin call of `azeotrope.export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from azeotrope.cli._options import shared as options
from azeotrope.cli._options.labels import Labels
from azeotrope.cli._terminal import printing
from azeotrope.record.storage.store import expanded

if TYPE_CHECKING:
    from azeotrope.api.export import Exported
    from azeotrope.record.storage.verification import File


def command(
    model: options.Model,
    *,
    to: Annotated[
        str,
        typer.Option("--to", metavar="TARGET,...", help="Such as onnx,onnx-int8: `azeotrope list targets` names them."),
    ] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            callback=lambda given: given and Path(expanded(given)),
            help="Folder of the bundle.",
            show_default="export/ in the model's folder",
        ),
    ] = None,
    max_drop: Annotated[
        float, typer.Option("--max-drop", min=0, max=1, help="How much more error a file may make: 0.01 is a point.")
    ] = 0.01,
    calibration_images: Annotated[
        int | None,
        typer.Option(
            "--calibration-images", min=1, help="Training images that set the ranges of int8.", show_default="256"
        ),
    ] = None,
    validation_images: Annotated[
        int, typer.Option("--validation-images", min=1, help="Validation images that each file is verified on.")
    ] = 2000,
    page: Annotated[
        str | None,
        typer.Option(
            "--page",
            metavar="npm|FOLDER",
            help="Add demo.html: npm fetches onnxruntime-web, or name the folder of a copy.",
            show_default="none",
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            metavar="make|FOLDER",
            help="Environment of litert, executorch, coreml: make puts it into AZEOTROPE_CACHE (gigabytes).",
            show_default="the one made or named last",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="DATA", help="The images of the training.", show_default="those of plan.yaml beside it"
        ),
    ] = None,
    labels: Labels,
    held_out: options.HeldOut = None,
    cache: options.Cache = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a saved model as files for a device, each verified on real images.

    Example: azeotrope export azeotrope-compare --to onnx,onnx-int8

    A target whose file is refused is named on standard error, the others are kept, and the exit status is 1.
    """
    import azeotrope
    from azeotrope.cli._terminal.progress import Shown

    with Shown() as progress:
        exported = azeotrope.export(
            model,
            to=to,
            out=out,
            data=data,
            labels=labels.spec() if labels.given() else None,
            held_out=held_out,
            max_drop=max_drop,
            calibration_images=calibration_images,
            validation_images=validation_images,
            page=page,
            env=env,
            cache=cache,
            progress=progress,
        )
    verification = exported.verification
    if as_json:
        printing.print_document(folder=str(exported.folder), verification=verification.model_dump(mode="json"))
    else:
        _show(exported)
    for refused in verification.refused:
        typer.echo(f"{refused.target}: not exported. {refused.reason}", err=True)
    if verification.refused:
        raise typer.Exit(1)


def _show(exported: Exported) -> None:
    """A line a file, and where they are."""
    verification, folder = exported.verification, exported.folder
    network = verification.network
    typer.echo(
        f"{verification.model}: error {network.error:.4f} on {verification.validation_images:,} validation images, "
        f"{network.latency.median_ms:.2f} ms in torch on one thread"
    )
    for file in verification.files:
        typer.echo(f"{file.file}: {_said(file)}")
    for each in verification.not_run:
        typer.echo(f"{each.file}: converted, {each.bytes / 1e6:.2f} MB, not run here: nothing is known of its answers")
    typer.echo(f"Bundle: {folder}")
    if verification.files:
        typer.echo(f"Use it: azeotrope predict {folder / verification.files[0].file} IMAGE")


def _said(file: File) -> str:
    lost = file.drop
    share = "" if file.int8_share is None else f", {100 * file.int8_share:.0f} % int8"
    return (
        f"error {file.error:.4f}, drop {lost.value:+.4f} ({lost.low:+.4f} to {lost.high:+.4f}): "
        f"{lost.said}; {file.latency.median_ms:.2f} ms, {file.bytes / 1e6:.2f} MB{share}"
    )
