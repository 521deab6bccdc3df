"""`azeotrope sweep`: a thin call of `azeotrope.sweep`, with a plan from a file, from flags, or from both."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options

PLAN_FILES = (".yaml", ".yml")


def command(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A plan (.yaml), or DATA with the plan in flags.")],
    *,
    teachers: Annotated[str | None, typer.Option("--teacher", "-t", help="Pretrained teachers, by commas.")] = None,
    students: Annotated[str | None, typer.Option("--students", "-s", help="Small models, by commas.")] = None,
    ladder: Annotated[str | None, typer.Option("--ladder", help="Instead: all students of this timm family.")] = None,
    max_parameters: Annotated[int | None, typer.Option(help="Largest student of the ladder, without head.")] = None,
    arms: Annotated[str | None, typer.Option(help="By commas, such as scratch,distill:kl (all possible).")] = None,
    train_images: Annotated[
        str | None, typer.Option("--train-images", "-n", help="Sizes by commas; by default auto: those that decide.")
    ] = None,
    at: Annotated[int | None, typer.Option(min=2, help="Your own number of training images, for auto.")] = None,
    upstream: options.Upstream = None,
    pretrain_images: Annotated[str | None, typer.Option(help="Numbers of upstream images, by commas.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Paired seeds (3).")] = None,
    teacher_size: options.TeacherSize = None,
    image_size: options.ImageSize = None,
    recipe: groups.Recipe,
    labels: groups.Labels,
    precision: Annotated[options.PrecisionName | None, typer.Option(help="Of matrix work (auto).")] = None,
    budget: Annotated[str | None, typer.Option(help="1h, 30m, '40 runs', '5 EUR'; several by commas.")] = None,
    hourly_price: Annotated[float | None, typer.Option(help="Of this machine, for a budget of money.")] = None,
    engine: Annotated[str | None, typer.Option(help="Where runs are made: local or ray.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Runs side by side; they divide the cores (1).")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of a run; decides its last bits.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a cluster, for an engine that uses one.")] = None,
    out: Annotated[str, typer.Option("--out", help="Folder or URL of the records; sweeps may share one.")] = (
        "azeotrope-sweep"
    ),
    cache: options.Cache = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs and how long they take.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Make failed runs again.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make the runs of a plan within a budget; safe to kill and start again.

    Example: azeotrope sweep digits -t tf_efficientnet_lite0 -s test_resnet,resnet10t --budget 1h
    """
    import azeotrope
    from azeotrope.api.foresee import foresee
    from azeotrope.cli import _sweep as shown
    from azeotrope.sweeping.budget import Budget

    asked = {
        "teachers": [{"model": name, "image_size": teacher_size} for name in options.names(teachers) or ()] or None,
        "students": options.names(students),
        "ladder": _given({"family": ladder, "max_parameters": max_parameters}) or None,
        "arms": options.names(arms),
        "train_images": "auto" if train_images == "auto" else _counts(train_images),
        "at": at,
        "upstream": upstream,
        "pretrain_images": _counts(pretrain_images),
        "seeds": seeds,
        "image_size": image_size,
        "recipe": recipe.changes() or None,
        "labels": labels.given() or None,
        "precision": precision.value if precision else None,
        "budget": Budget.parse(budget, hourly_price) if budget else None,
    }
    runs_on = {"name": engine, "workers": workers, "threads": threads, "address": address}
    whole = _plan(plan, _given(asked), _given(runs_on), hourly_price)
    with shown.Watched() as watched:
        if dry_run:
            foreseen = foresee(whole, out=out, cache=cache, progress=watched)
        else:
            made = azeotrope.sweep(
                whole, out=out, cache=cache, retry_failed=retry_failed, progress=watched, view=watched
            )
    if as_json:
        options.print_json(asdict(foreseen) if dry_run else asdict(made))
    else:
        typer.echo("\n".join(shown.cells(foreseen) if dry_run else shown.ended(made)))
    if not dry_run and made.planned and len(made.failed) == made.planned:
        raise typer.Exit(1)


def _plan(named: str, asked: dict[str, Any], runs_on: dict[str, Any], hourly_price: float | None) -> Any:
    """The plan of the file, or of DATA, with what the flags say instead; a price is for the plan's budget too."""
    from azeotrope.spec import read_yaml, validated
    from azeotrope.sweeping.budget import Budget
    from azeotrope.sweeping.sweep_plan import SweepPlan

    content: dict[str, Any] = read_yaml(Path(named)) if named.lower().endswith(PLAN_FILES) else {"data": named}
    content = _over(content, asked)
    budget = content.get("budget")
    if hourly_price is not None and not isinstance(budget, Budget):
        text, price = isinstance(budget, str), {"hourly_price": hourly_price}
        content["budget"] = Budget.parse(str(budget), hourly_price) if text else (budget or {}) | price
    if runs_on:
        engine = content.get("engine") or {}
        content["engine"] = ({"name": engine} if isinstance(engine, str) else engine) | runs_on
    return validated(SweepPlan, content, what=f"plan {named}")


def _over(content: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked in the place of what stands there; of options that go together only the parts that are asked."""
    whole = dict(content)
    for key, value in asked.items():
        parts = whole.get(key)
        whole[key] = _over(parts, value) if isinstance(parts, dict) and isinstance(value, dict) else value
    return whole


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flags.items() if value is not None}


def _counts(text: str | None) -> list[int] | None:
    """Numbers of images, by commas."""
    from azeotrope.errors import InputError

    try:
        return None if text is None else [int(part) for part in options.names(text) or ()]
    except ValueError:
        raise InputError("Numbers of images are whole numbers", found=text or "", allowed="such as 250,500") from None
