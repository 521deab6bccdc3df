"""`azeotrope.advise`: which strategy for these needs, what it will reach and cost, and what would change the answer.

From stored runs or a table, without torch. Given images instead of runs it has them made first: that is `sweep`.
"""

from __future__ import annotations

from pathlib import Path

from azeotrope.advice.answer import Advice, NotTested
from azeotrope.advice.evidence import Evidence, Source, read_evidence
from azeotrope.advice.needs.limits import Needs
from azeotrope.advice.recommend import recommend
from azeotrope.analysis.arms import practical_difference
from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.curves.joint_draws import DRAWS
from azeotrope.lookup import as_typed
from azeotrope.reporting.page.files import read_comparisons
from azeotrope.tables.columns import Columns
from azeotrope.tables.reading import SUFFIXES


def advise(
    runs: Source,
    needs: Needs | None = None,
    *,
    columns: Columns | None = None,
    deploy: str | None = None,
    practical: float = PRACTICAL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Advice:
    """Advice from `runs` (a store's folder or URL, a CSV or Parquet file, a table or records) for `needs`.

    With `deploy`, an export target that the runs were measured as (`compare --deploy`), errors, latency and size are
    those of its files. `practical` is the difference of error that counts as none. `columns` maps the names of a table.
    Advice that the runs do not allow is given as such, with the runs that would settle it.

    Raises InputError when the runs cannot be read, are of several tasks, or when nothing in them fits the limits.
    """
    evidence = read_evidence(runs, columns, deploy=None if deploy is None else as_typed(deploy))
    smallest = practical_difference([one.curve for one in evidence.contenders], practical)
    return recommend(
        evidence, needs or Needs(), practical=smallest, draws=draws, seed=seed, left_out=_left_out(runs, evidence)
    )


def _left_out(runs: Source, evidence: Evidence) -> tuple[NotTested, ...]:
    """Arms that the comparison beside the runs left out, with its reason; the runs alone know only that they lack."""
    if not isinstance(runs, str | Path) or str(runs).lower().endswith(SUFFIXES):
        return ()
    tested = {one.arm for one in evidence.contenders}
    reasons = {item.arm: item.reason for comparison in read_comparisons(runs) for item in comparison.not_tested}
    return tuple(NotTested(arm, reason) for arm, reason in reasons.items() if arm not in tested)
