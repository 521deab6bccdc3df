"""`azeotrope sweep`: a thin call of `azeotrope.sweep`, with a plan from a file, from flags, or from both; of
`azeotrope.sweep_tasks` where the plans have several tasks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from azeotrope.cli._options import groups
from azeotrope.cli._options import plan as plan_of
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.spread import Group, refuse_idle
from azeotrope.cli._options.words import names
from azeotrope.cli._terminal import printing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azeotrope.sweeping.budget import Budget
    from azeotrope.sweeping.plans.tasks import Planned


@dataclass(frozen=True, kw_only=True)
class How(Group):
    """What is done with the plan, and where its records go."""

    out: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Folder or URL of records; sweeps may share one.")
    ] = "azeotrope-sweep"
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs and how long they take.")] = False
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Make failed runs and files again.")] = False
    track: options.Track = None
    machine: groups.Machine
    as_json: options.AsJson = False

    def tracks(self) -> list[str]:
        """The trackers that were named."""
        return names(self.track) or []


def command(
    plans: Annotated[
        list[str],
        typer.Argument(
            metavar="PLAN...", help="Plans (.yaml), or DATA with the plan in flags; several make one table."
        ),
    ],
    *,
    plan: plan_of.Plan,
    how: How,
) -> None:
    """Make the runs of a plan within a budget; safe to kill and start again.

    Example: azeotrope sweep digits -t tf_efficientnet_lite0 -s test_resnet,resnet10t --budget 1h
    """
    import azeotrope
    from azeotrope.api.foresee import foresee
    from azeotrope.cli._terminal import sweep as shown

    if how.dry_run and how.retry_failed:
        refuse_idle(("--retry-failed",), "--dry-run makes no runs")
    if how.dry_run and how.track:
        refuse_idle(("--track",), "--dry-run makes no runs")
    tasks, machine = plan.tasks(plans), how.machine.options()
    if len(tasks) > 1:
        _several(tasks, plan.budget(), how)
        return
    (task,) = tasks
    with shown.Watched() as watched:
        if how.dry_run:
            foreseen = foresee(task.plan, out=how.out, progress=watched, **machine)
        else:
            made = azeotrope.sweep(
                task.plan,
                out=how.out,
                retry_failed=how.retry_failed,
                track=how.tracks(),
                progress=watched,
                view=watched,
                **machine,
            )
    if how.as_json:
        printing.print_document(**asdict(foreseen if how.dry_run else made))
    else:
        typer.echo("\n".join(shown.cells(foreseen) if how.dry_run else shown.ended(made)))
    if not how.dry_run and made.planned and len(made.failed) == made.planned:
        raise typer.Exit(1)


def _several(tasks: Sequence[Planned], budget: Budget | None, how: How) -> None:
    """The same of several tasks: what each did, then one table."""
    from azeotrope.api.foresee_tasks import foresee_tasks
    from azeotrope.api.sweep_tasks import sweep_tasks
    from azeotrope.cli._terminal import sweep as shown
    from azeotrope.cli._terminal import tasks as together

    machine = how.machine.options()
    with shown.Watched() as watched:
        if how.dry_run:
            foreseen = foresee_tasks(tasks, out=how.out, progress=watched, **machine)
        else:
            made = sweep_tasks(
                tasks,
                out=how.out,
                budget=budget,
                retry_failed=how.retry_failed,
                track=how.tracks(),
                progress=watched,
                view=watched,
                **machine,
            )
    if how.as_json:
        printing.print_document(**(together.foreseen_json(foreseen) if how.dry_run else together.swept_json(made)))
    elif how.dry_run:
        typer.echo("\n".join(together.foreseen_lines(foreseen)))
    else:
        together.show(made)
    if not how.dry_run and made.every_run_failed:
        raise typer.Exit(1)
