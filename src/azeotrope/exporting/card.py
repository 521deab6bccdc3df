"""The card of a bundle: what was verified, in Markdown. Names come from outside and are escaped."""

from __future__ import annotations

from collections.abc import Iterable

from azeotrope.exporting.preparation import Grey, Preparation, Square
from azeotrope.models.card import escape
from azeotrope.recipe import OWN_ERROR
from azeotrope.record.kinds import words_of
from azeotrope.record.storage.verification import File, Verification

_COLUMNS = (
    "file",
    "MB",
    "error",
    "test error",
    "drop",
    "verdict",
    "other answers",
    "largest difference",
    "int8",
    "ms, one thread",
)


def bundle_card(verification: Verification, preparation: Preparation) -> str:
    """The text of card.md in a bundle."""
    return "\n".join(
        [
            f"# Files for a device: {escape(verification.model)}",
            "",
            *_facts(verification, preparation),
            "",
            "## Verified on real images",
            "",
            _verified(verification) + _judged(verification) + _tested(verification),
            "",
            *_table(verification),
            *_not_run(verification),
            *_refused(verification),
            "",
            "## The way from picture to answer, stage by stage",
            "",
            *_stages(verification),
            "",
            "## What a program must do before the graph",
            "",
            *_preparation(preparation),
            "",
            f"`preprocessing.json` says the same for programs{_run(verification)}. `samples/` holds validation "
            "pictures, their inputs and the outputs to expect: take them out before you publish, where pictures are "
            "private.",
            "",
        ]
    )


def _facts(verification: Verification, preparation: Preparation) -> Iterable[str]:
    network = verification.network
    yield f"- network: {network.parameters:,} parameters, {network.bytes / 1e6:.2f} MB of weights"
    yield f"- measured on: {escape(verification.environment.processor or 'not known')}"
    for name, versions in verification.packages.items():
        listed = ", ".join(f"{package} {version}" for package, version in versions.items())
        yield f"- {name} in an environment of its own: {escape(listed)}"
    yield f"- int8 files were calibrated on {verification.calibration_images:,} training images"
    if (calibration := verification.calibration) is not None:
        yield (
            f"- temperature inside: {calibration.temperature:.3f}; log-loss {calibration.log_loss_before:.4f} -> "
            f"{calibration.log_loss_after:.4f} nats, calibration error {calibration.calibration_error_before:.4f} -> "
            f"{calibration.calibration_error_after:.4f} (cross-fitted on {calibration.images:,} validation images)"
        )
    yield f"- outputs: {', '.join(preparation.outputs)}, of {len(preparation.classes)} in `labels.txt`"


def _verified(verification: Verification) -> str:
    if not verification.files:
        return f"No file was run here. Errors are on {verification.validation_images:,} validation images."
    return (
        f"Each file of this table was run in its own runtime on {verification.validation_images:,} validation images "
        f"of {escape(verification.data)} and held against the trained network. The drop is the file's error less "
        "the network's on the same images, with its 95 % interval."
    )


def _run(verification: Verification) -> str:
    return ", `run.py` does it" if any(file.target.startswith("onnx") for file in verification.files) else ""


def _judged(verification: Verification) -> str:
    """What the error is, where `--metric` named another than the kind's own."""
    if verification.metric == OWN_ERROR:
        return ""
    words = words_of(verification.metric)
    return f" The error is the {escape(words.error)}, {escape(words.meaning)}."


def _tested(verification: Verification) -> str:
    if verification.test_images is None:
        return ""
    return f" Test errors are on {verification.test_images:,} test images, which decided nothing."


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _table(verification: Verification) -> Iterable[str]:
    network = verification.network
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{'---|' * len(_COLUMNS)}"
    yield (
        f"| the network, in torch | {network.bytes / 1e6:.2f} | {network.error:.4f} | {_error(network.test_error)} "
        f"| | | | | | {network.latency.median_ms:.2f} |"
    )
    for file in verification.files:
        yield f"| {' | '.join(_cells(file))} |"


def _cells(file: File) -> tuple[str, ...]:
    lost, same = file.drop, file.parity
    return (
        f"`{file.file}`",
        f"{file.bytes / 1e6:.2f}",
        f"{file.error:.4f}",
        _error(file.test_error),
        f"{lost.value:+.4f} ({lost.low:+.4f} to {lost.high:+.4f})",
        lost.said,
        f"{same.answers_differ - same.ties} of {same.images:,}" + (f" and {same.ties} ties" if same.ties else ""),
        f"{same.largest:.2g}",
        "" if file.int8_share is None else f"{100 * file.int8_share:.0f} %",
        f"{file.latency.median_ms:.2f}",
    )


def _not_run(verification: Verification) -> Iterable[str]:
    if verification.not_run:
        yield ""
        yield from (
            f"- **not run here**: `{each.file}` ({each.bytes / 1e6:.2f} MB). It was converted; whether it answers what "
            f"the network answers was not measured. {escape(each.reason)}"
            for each in verification.not_run
        )


def _refused(verification: Verification) -> Iterable[str]:
    if verification.refused:
        yield ""
        yield from (f"- not here: {each.target}. {escape(each.reason)}" for each in verification.refused)


def _stages(verification: Verification) -> Iterable[str]:
    yield "| stage | images | largest difference | mean | spread of the values |"
    yield "|---|---|---|---|---|"
    named = [(stage.stage, stage) for stage in verification.stages]
    named += [(f"network to `{file.file}`", file.parity) for file in verification.files]
    for name, stage in named:
        yield f"| {name} | {stage.images:,} | {stage.largest:.2g} | {stage.mean:.2g} | {stage.spread:.3g} |"


def _preparation(preparation: Preparation) -> Iterable[str]:
    yield f"1. {_reading(preparation)}"
    number = 2
    for step in preparation.steps:
        if isinstance(step, Square):
            how = "Crop it to the square in its middle" if step.fit == "crop" else "Pad it with black to a square"
            yield f"{number}. {how}."
        elif isinstance(step, Grey):
            yield f"{number}. Make it grey: 0.299 R + 0.587 G + 0.114 B in all three channels."
        else:
            gap = f" (`reducing_gap={step.reducing_gap:g}`)" if step.reducing_gap else ""
            yield f"{number}. Squeeze it to {step.size} x {step.size} pixels, {step.filter}, as Pillow does{gap}."
        number += 1
    size, most = preparation.size, 2**preparation.files.bits - 1
    yield (
        f"{number}. Give it as `{preparation.input}`, float32 [batch, {preparation.channels}, {size}, {size}], "
        f"values 0 to {most:,}."
    )
    yield ""
    yield "Normalisation is inside the graph: do not repeat it."


def _reading(preparation: Preparation) -> str:
    """How a file becomes levels."""
    if preparation.plain_files:
        return "Decode the picture, turn it upright (EXIF), put transparent parts on white, 8 bits a channel, RGB."
    files, span = preparation.files, preparation.value_range
    what = "as grey or colour"
    if files.bands is not None:
        named = "" if isinstance(files.bands, str) else f" ({', '.join(map(str, files.bands))})"
        what = f"with its {preparation.bands} bands{named}"
    scaled = "" if span is None else f", {span[0]:g} as 0 and {span[1]:g} as {2**files.bits - 1:,}"
    colours = ", colours brought to sRGB by the profile in the file" if files.colours == "srgb" else ""
    return f"Decode the file {what}, upright, {files.bits} bits a channel{scaled}{colours}."
