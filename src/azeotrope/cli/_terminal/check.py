"""How a check reads on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from azeotrope.api.check import Check
from azeotrope.data.auditing.audit import Audit, Finding
from azeotrope.data.auditing.likely_groups import LikelyGroups
from azeotrope.data.class_names import shard_warning
from azeotrope.record.kinds import number_text
from azeotrope.reporting import words
from azeotrope.session.findings.suspecting import SuspectLabels

CLASSES_SHOWN = 20
REASONS_SHOWN = 3


def show(check: Check, console: Console) -> None:
    """Audit, rates and forecast, in the order in which a person would ask."""
    _show_audit(check.audit, console)
    if check.suspect_labels is not None:
        console.print(
            Text(f"  {_suspect(check.suspect_labels)}", style="yellow" if check.suspect_labels.suspects else "")
        )
    if check.rates is None or check.forecast is None:
        return
    console.print()
    rates, forecast = check.rates, check.forecast
    console.print(
        Text(f"This machine ({check.device}, {check.precision}), images/s in a trial of seconds:", style="bold")
    )
    teacher = f", teacher {rates.teacher:,.0f}" if rates.teacher else ""
    console.print(
        Text(f"  decode {rates.decode:,.0f}, train {rates.train:,.0f}, evaluate {rates.evaluate:,.0f}{teacher}")
    )
    console.print(Text(f"  the student alone: {rates.latency_ms:.1f} ms for one image on one thread"))
    console.print()
    labelled = forecast.train_images + forecast.val_images + forecast.test_images
    console.print(Text(f"compare would make {forecast.runs} runs: {', '.join(forecast.arms)}", style="bold"))
    console.print(
        Text(
            f"  each with {labelled:,} labelled images: {forecast.train_images:,} train, {forecast.val_images:,} "
            f"validate, {forecast.test_images:,} test"
        )
    )
    phases = ", ".join(f"{phase} {words.duration(seconds)}" for phase, seconds in forecast.seconds.items())
    console.print(Text(f"  about {words.duration(forecast.total_seconds)}: {phases}"))
    for hint in check.hints:
        console.print(Text(f"  {hint}", style="yellow"))
    for arm, reason in forecast.left_out.items():
        console.print(Text(f"  cannot be tested here: {arm}: {reason}", style="dim"))


def _show_audit(audit: Audit, console: Console) -> None:
    sides = f"{audit.smallest_side}" + (f" to {audit.largest_side}" if audit.largest_side > audit.smallest_side else "")
    console.print(Text(f"{audit.name}: {audit.images:,} images, {_outputs(audit)}, sides {sides} px", style="bold"))
    console.print(_counts(audit))
    findings: dict[str, Finding | None] = {
        "unreadable files": audit.unreadable,
        "exact copies (each image is used once)": audit.exact_duplicates,
        "copies with different labels": audit.conflicting_labels,
        "leaks into a later split, exact": audit.exact_leaks,
        "leaks into a later split, nearly": audit.near_leaks,
        "near duplicates": audit.near_duplicates,
        "very wide or tall images": audit.very_wide,
    }
    for what, finding in findings.items():
        if finding is None:
            why = "nearly all images resemble each other, or none was read"
            console.print(Text(f"  {what}: not measured ({why})", style="dim"))
        elif finding.count:
            example = "; ".join(" ~ ".join(row) for row in finding.examples[:3])
            console.print(Text(f"  {what}: {finding.count:,} ({example})", style="yellow"))
    for row in audit.passed:
        where = row.where or "the folder itself"
        text = f"  passed over in {where}: {row.count:,} {row.what} ({row.example})"
        console.print(Text(text, style="yellow" if row.picture else "dim"))
    for name, reasons in audit.lost.items():
        why = "; ".join(f"{count:,} {reason}" for reason, count in list(reasons.items())[:REASONS_SHOWN])
        console.print(Text(f"  unreadable of {name}: {why}", style="yellow"))
    for word in audit.words:
        console.print(Text(f"  {word}", style="yellow"))
    for groups in audit.likely_groups:
        console.print(Text(f"  {_likely(groups)}", style="yellow" if groups.torn else "dim"))
    if audit.commonest is not None:
        console.print(Text(f"  always naming {audit.commonest[0]!r} is wrong on {100 * audit.commonest[1]:.1f} %"))
    if said := shard_warning(audit.classes):
        console.print(Text(f"  {said}", style="yellow"))
    if audit.grey:
        console.print(Text(f"  grey images: {audit.grey:,}"))
    for note, count in audit.notes.items():
        console.print(Text(f"  {note}: {count:,}"))


def _suspect(found: SuspectLabels) -> str:
    """How many of how many labels, where the list is, and the first of it."""
    said = f"suspect labels: {len(found.suspects):,} of {found.images:,}, by {found.teacher}, listed in {found.file}"
    if found.suspects:
        first = found.suspects[0]
        said += (
            f"; first {first.file}, labelled {first.given} ({100 * first.given_probability:.0f} %), likely "
            f"{first.likely} ({100 * first.likely_probability:.0f} %)"
        )
    few = f" {found.unjudged:,} of classes with too few images were not judged." if found.unjudged else ""
    return f"{said}. Nothing was left out.{few}"


def _likely(found: LikelyGroups) -> str:
    """A sentence on groups that images seem to form, and on what leaks."""
    said = f"{found.images:,} images may form {found.groups:,} groups, by {found.by}"
    if found.alike is not None:
        within, between = found.alike
        said += f" (thumbnails correlate {within:.2f} within one, {between:.2f} between others of a class)"
    if not found.torn:
        return f"{said}; none of them is torn by the splits."
    example = f", such as {found.examples[0][1]} and {found.examples[0][2]}"
    return f"{said}; {found.torn:,} stand in several splits{example}. If they belong together: {found.option}."


def _outputs(audit: Audit) -> str:
    """What the labels are."""
    if audit.values:
        low, middle, high = map(number_text, audit.values)
        return f"{audit.classes[0]} from {low} to {high} (median {middle})"
    return f"{len(audit.classes)} classes" + (", any number an image" if audit.kind == "multi" else "")


def _counts(audit: Audit) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column("class", max_width=40, no_wrap=True, overflow="ellipsis")
    for split in audit.class_counts:
        table.add_column(split or "images", justify="right")
    for place, name in enumerate(audit.classes[:CLASSES_SHOWN]):
        table.add_row(Text(name), *(f"{counts[place]:,}" for counts in audit.class_counts.values()))
    if len(audit.classes) > CLASSES_SHOWN:
        table.add_row(f"... and {len(audit.classes) - CLASSES_SHOWN} more")
    return table
