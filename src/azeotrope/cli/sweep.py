"""`azeotrope sweep`: a thin call of `azeotrope.sweep`, with a plan from a file, from flags, or from both; of
`azeotrope.sweep_tasks` where the plans have several tasks.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options


def command(
    plans: Annotated[
        list[str],
        typer.Argument(
            metavar="PLAN...", help="Plans (.yaml), or DATA with the plan in flags; several make one table."
        ),
    ],
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
    deploy: options.Deploy = None,
    teaching: groups.Teaching,
    question: groups.Question,
    budget: Annotated[str | None, typer.Option(help="1h, 30m, '40 runs', '5 EUR'; several by commas.")] = None,
    hourly_price: Annotated[float | None, typer.Option(help="Of this machine, for a budget of money.")] = None,
    engine: Annotated[str | None, typer.Option(help="Where runs are made: local or ray.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Runs side by side; they divide the cores (1).")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of a run; decides its last bits.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a cluster, for an engine that uses one.")] = None,
    out: Annotated[str, typer.Option("--out", help="Folder or URL of the records; sweeps may share one.")] = (
        "azeotrope-sweep"
    ),
    machine: groups.Machine,
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
    from azeotrope.sweeping.tasks import planned

    asked = {
        "teachers": [{"model": name, **teaching.given()} for name in options.names(teachers) or ()] or None,
        "students": options.names(students),
        "ladder": options.given({"family": ladder, "max_parameters": max_parameters}) or None,
        "arms": options.names(arms),
        "train_images": train_images if train_images in ("auto", "all") else options.counts(train_images),
        "at": at,
        "upstream": upstream,
        "pretrain_images": options.counts(pretrain_images),
        "seeds": seeds,
        "deploy": options.names(deploy),
        "budget": Budget.parse(budget, hourly_price) if budget else None,
    }
    runs_on = options.given({"name": engine, "workers": workers, "threads": threads, "address": address})
    changes = options.given(asked) | question.given() | ({"engine": runs_on} if runs_on else {})
    tasks = planned({plan: _content(plan, hourly_price) for plan in plans}, changes)
    if len(tasks) > 1:
        _several(tasks, asked["budget"], out, machine, retry_failed=retry_failed, dry_run=dry_run, as_json=as_json)
        return
    (task,) = tasks
    with shown.Watched() as watched:
        if dry_run:
            foreseen = foresee(task.plan, out=out, progress=watched, **machine.options())
        else:
            made = azeotrope.sweep(
                task.plan, out=out, retry_failed=retry_failed, progress=watched, view=watched, **machine.options()
            )
    if as_json:
        options.print_document(**asdict(foreseen if dry_run else made))
    else:
        typer.echo("\n".join(shown.cells(foreseen) if dry_run else shown.ended(made)))
    if not dry_run and made.planned and len(made.failed) == made.planned:
        raise typer.Exit(1)


def _several(
    tasks: Any, budget: Any, out: str, machine: groups.Machine, *, retry_failed: bool, dry_run: bool, as_json: bool
) -> None:
    """The same of several tasks: what each did, then one table."""
    from azeotrope.api.foresee_tasks import foresee_tasks
    from azeotrope.api.sweep_tasks import sweep_tasks
    from azeotrope.cli import _sweep as shown
    from azeotrope.cli import _tasks as together

    with shown.Watched() as watched:
        if dry_run:
            foreseen = foresee_tasks(tasks, out=out, progress=watched, **machine.options())
        else:
            made = sweep_tasks(
                tasks,
                out=out,
                budget=budget,
                retry_failed=retry_failed,
                progress=watched,
                view=watched,
                **machine.options(),
            )
    if as_json:
        options.print_document(**(together.foreseen_json(foreseen) if dry_run else together.swept_json(made)))
    elif dry_run:
        typer.echo("\n".join(together.foreseen_lines(foreseen)))
    else:
        together.show(made)
    if not dry_run and made.every_run_failed:
        raise typer.Exit(1)


def _content(named: str, hourly_price: float | None) -> dict[str, Any]:
    """The plan of the file, or of DATA, with this price for a budget that it has."""
    from azeotrope.sweeping.budget import Budget
    from azeotrope.sweeping.tasks import content_of

    content = content_of(named)
    budget = content.get("budget")
    if hourly_price is not None:
        text, price = isinstance(budget, str), {"hourly_price": hourly_price}
        content["budget"] = Budget.parse(str(budget), hourly_price) if text else (budget or {}) | price
    if isinstance(content.get("engine"), str):
        content["engine"] = {"name": content["engine"]}
    return content
