"""The page of a person's own table: the arms at each size with their verdicts, and what a sweep says over sizes.

A table holds no costs, recipes or machines, so the page shows none. It needs arms, sizes and errors; seeds pair them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from azeotrope.advice.evidence import Contender, Evidence, Source, read_evidence
from azeotrope.analysis.study import Functions, tabulated_sweep
from azeotrope.errors import InputError
from azeotrope.reporting.numbers import ArmSummary, Comparison, Estimate
from azeotrope.reporting.page.study import Sweep
from azeotrope.reporting.page_verdicts import asked_pairs, shown
from azeotrope.tables.columns import LINE, Columns
from azeotrope.verdicts.differences import Differences, of_rows, one_number
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.page import common_of, judged
from azeotrope.verdicts.verdict import LEVEL, error_interval

MOST_DOTS = 200
"""Seeds of an arm that a figure still shows one by one."""
MOST_SIZES = 100
PLAIN_ARMS = ("scratch", "from_scratch", "baseline", "none", "vanilla", "supervised")
"""Arms that others are compared with, where a table has one."""


def tabulated(
    source: Source, columns: Columns | None, functions: Functions
) -> tuple[tuple[Comparison, ...], Sweep | None]:
    """The comparisons of a table, the largest size last, and its sweep where an arm has three sizes.

    Raises InputError when the table is about a loss, several tasks, or names no arms, sizes or errors.
    """
    evidence = read_evidence(source, columns)
    if evidence.unit == "loss":
        raise InputError(
            "A page is about errors, and this column is read as a loss",
            found=evidence.measure,
            allowed="a share of wrong answers, 0 to 1 or in per cent",
            next_step="name the column of errors with --error; `azeotrope advise` and `azeotrope fit` take a loss",
        )
    order = {name: place for place, name in enumerate(_first_seen(evidence))}
    contenders = sorted(evidence.contenders, key=lambda one: order[one.name])
    table = pl.concat(one.curve.table.with_columns(arm=pl.lit(one.name)) for one in contenders)
    if table["train_images"].null_count():
        raise InputError(
            "A page over sizes needs the number of training images of every run",
            found=f"{table['train_images'].null_count()} of {table.height} rows without it",
            next_step="say which column it is: --x images=YOUR_COLUMN",
        )
    names = [one.name for one in contenders]
    reference = next((name for name in names if name.lower().replace("-", "_").startswith(PLAIN_ARMS)), names[0])
    sizes = table["train_images"].unique().sort().to_list()
    if len(sizes) > MOST_SIZES:
        raise InputError(
            f"A page shows at most {MOST_SIZES} sizes",
            found=f"{len(sizes):,} numbers of training images",
            allowed="sizes that runs share: seven, log-spaced, are ideal",
            next_step="round them to one or two digits, so that runs of nearly one size share it",
        )
    rows = {size: table.filter(pl.col("train_images") == size) for size in sizes}
    pairs = {size: _pairs(rows[size], names) for size in sizes}
    shared = common_of(pairs.values())
    comparisons = tuple(_comparison(evidence, contenders, reference, rows[size], pairs[size], shared) for size in sizes)
    tidy = table.select("arm", "train_images", "seed", "test_images", "classes", "run_id", test_error="error")
    return comparisons, tabulated_sweep(tidy, names, reference, evidence, functions)


def _first_seen(evidence: Evidence) -> list[str]:
    """Contenders in the order of the table's lines, where these are known, else by name."""

    def place(one: Contender) -> tuple[int, str]:
        lines = [int(name.removeprefix(LINE)) for name in one.run_ids if name.startswith(LINE)]
        return min(lines, default=0), one.name

    return [one.name for one in sorted(evidence.contenders, key=place)]


def _pairs(rows: pl.DataFrame, names: Sequence[str]) -> list[Differences]:
    by_arm = {name: rows.filter(pl.col("arm") == name) for name in names}
    present = [name for name in names if by_arm[name].height]
    return [of_rows(by_arm[a], by_arm[b], a, b) for a, b in combinations(present, 2)]


def _comparison(
    evidence: Evidence,
    contenders: Sequence[Contender],
    reference: str,
    rows: pl.DataFrame,
    pairs: Sequence[Differences],
    shared: Common | None,
) -> Comparison:
    present = [one for one in contenders if (rows["arm"] == one.name).any()]
    names = [one.name for one in present]
    reference = reference if reference in names else names[0]
    known = {(pair.a, pair.b): pair for pair in pairs}
    asked = [_turned(known, a, b) for a, b in asked_pairs(names, reference, None)]
    students = sorted({one.student for one in contenders} - {""})
    return Comparison(
        task=evidence.task or "your table",
        fingerprint="",
        classes=(),
        train_images=round(rows["train_images"][0]),
        val_images=None,
        test_images=one_number(rows["test_images"]),
        student=", ".join(students),
        parameters=None,
        macs=None,
        image_size=None,
        teacher=None,
        reference=reference,
        winner=None,
        arms=tuple(_arm(one, rows.filter(pl.col("arm") == one.name)) for one in present),
        verdicts=tuple(shown(made, LEVEL) for made in judged(asked, shared)),
        warnings=evidence.warnings,
    )


def _turned(known: dict[tuple[str, str], Differences], a: str, b: str) -> Differences:
    """The differences of a and b, whichever way round they were paired."""
    if (a, b) in known:
        return known[a, b]
    other = known[b, a]
    return Differences(
        a, b, other.seeds, tuple(-value for value in other.values), other.error, other.image_variance,
        other.uncounted, other.bound,
    )  # fmt: skip


def _arm(one: Contender, rows: pl.DataFrame) -> ArmSummary:
    errors = rows.sort("seed")["error"].to_list()
    found = error_interval(errors, one_number(rows["test_images"]))
    known = rows["seed"].drop_nulls().sort().to_list()
    seeds = tuple(map(int, known)) if len(known) == len(errors) else tuple(range(len(errors)))
    return ArmSummary(
        name=one.name,
        strategy="",
        init="",
        test_error=Estimate(value=found.value, low=found.low, high=found.high),
        val_error=None,
        seeds=seeds,
        seed_errors=dict(zip(seeds, errors, strict=True)) if len(seeds) <= MOST_DOTS else {},
        run_ids=tuple(rows["run_id"].drop_nulls().to_list()),
    )
