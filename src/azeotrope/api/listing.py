"""What can be named: the members of every family, each with a line of its own words."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from azeotrope.errors import InputError
from azeotrope.lookup import members

_PACKAGES = {
    "losses": "losses",
    "laws": "laws",
    "sources": "data.sources",
    "strategies": "strategies",
    "targets": "exporting.targets",
}
_HYPHENATED = ("sources", "targets")
Row = Mapping[str, str | int | float]


def listing(family: str, ladder: str | None = None) -> Sequence[Row]:
    """Rows of the family `teachers`, `students`, `losses`, `laws`, `sources`, `strategies` or `targets`; every row has
    the same keys. `ladder` names the one family of students that is listed.
    """
    if ladder is not None and family != "students":
        raise InputError(
            "A ladder is a family of students",
            found=f"--ladder {ladder} with {family}",
            next_step="list students, or leave --ladder out",
        )
    if family in _PACKAGES:
        package = _PACKAGES[family]
        return [
            {
                "name": name.replace("_", "-") if family in _HYPHENATED else name,
                **({"parameters": _parameters(name)} if family == "losses" else {}),
                "what": _says(package, name),
            }
            for name in members(package)
        ]
    if family == "students":
        return _students(ladder)
    if family == "teachers":
        return _teachers()
    raise InputError("There is no such list", found=family, allowed=", ".join([*_PACKAGES, "students", "teachers"]))


def _says(package: str, name: str) -> str:
    """The first paragraph of the member's own documentation, on one line."""
    found = importlib.util.find_spec(f"azeotrope.{package}.{name}")  # not imported: a member may need an extra
    assert found is not None
    assert found.origin is not None
    documentation = ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8"))) or ""
    return " ".join(documentation.strip().split("\n\n")[0].split())


def _parameters(loss: str) -> str:
    """What an arm may give this loss, with the defaults; cross-entropy's smoothing is the recipe's."""
    from azeotrope.losses._contract import loss_class
    from azeotrope.losses._parameters import parameters

    listed = parameters(loss_class(loss)).items()
    return ", ".join(name if default is None else f"{name}={default:.4g}" for name, default in listed)


def _students(family: str | None) -> Sequence[Row]:
    """The latency is measured, and so shown, for the members of one family only."""
    from azeotrope.models.ladder import Rung, ladder

    def row(rung: Rung) -> Row:
        latency = {} if family is None else {"latency": f"{rung.latency_ms:.1f} ms" if rung.latency_ms else "not timed"}
        return {
            "name": rung.name,
            "parameters": f"{rung.parameters / 1e6:.2f} M",
            "macs": f"{rung.macs / 1e6:,.0f} M",
            "at": f"{rung.image_size} px",
            "stride": f"{rung.stride} px",
            **latency,
        }

    return [row(rung) for rung in ladder(family)]


def _teachers() -> Sequence[Row]:
    """Well-known teachers, and whether their weights can be had on this machine without the network."""
    from azeotrope.models.ladder import TEACHERS
    from azeotrope.models.pretrained.packages import installed_for

    return [{"name": f"timm:{name}", "weights": "installed" if installed_for(name) else "hub"} for name in TEACHERS]
