"""Options of curves and their draws, shared by `fit`, `boundary` and `advise`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from azeotrope.cli._options.spread import Group
from azeotrope.curves.joint_draws import DRAWS

At = Annotated[
    str | None,
    typer.Option("--at", metavar="N,...", help="Your own sizes, such as 1000,5000.", show_default="none"),
]
Practical = Annotated[
    float,
    typer.Option("--practical", help="A difference of error that counts as none.", rich_help_panel="Curves"),
]


@dataclass(frozen=True)
class Draws(Group):
    """How often curves are drawn."""

    panel: ClassVar[str] = "Curves"

    draws: Annotated[int, typer.Option("--draws", help="How many joint draws of all curves.")] = DRAWS
    draw_seed: Annotated[
        int, typer.Option("--draw-seed", help="Of the draws; the same seed gives the same answer.")
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Laws(Group):
    """Which laws are fitted, and how."""

    panel: ClassVar[str] = "Curves"

    law: Annotated[
        str, typer.Option("--law", help="One law by name (azeotrope list laws), or the weighted average of all.")
    ] = "average"
    priors: Annotated[bool, typer.Option("--priors/--no-priors", help="Weak priors on floors and exponents.")] = True
    drawn: Draws
