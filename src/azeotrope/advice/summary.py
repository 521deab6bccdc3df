"""The evidence part of advice: every contender as the runs show it, with its run ids, its cost and why it was left out.

It decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.advice.answer import ContenderEvidence, EvidenceSummary
from azeotrope.advice.changes import Case
from azeotrope.advice.choice import Choice
from azeotrope.advice.evidence import Contender, Evidence
from azeotrope.advice.needs.limits import Excluded, Needs
from azeotrope.advice.needs.price import cost


def summarise(
    evidence: Evidence,
    needs: Needs,
    at: float,
    excluded: Sequence[Excluded],
    case: Case | None = None,
    choice: Choice | None = None,
    warnings: Sequence[str] = (),
) -> EvidenceSummary:
    """What the advice rests on; without a `case` no law could be fitted and no error is predicted."""
    reasons = {item.contender.name: item.reason for item in excluded}
    p_best = {one.name: p for one, p in zip(case.eligible, choice.p_best, strict=True)} if case and choice else {}
    rows = tuple(_row(one, needs, at, case, p_best.get(one.name), reasons.get(one.name)) for one in evidence.contenders)
    return EvidenceSummary(
        task=evidence.task,
        runs=sum(len(row.run_ids) for row in rows),
        contenders=rows,
        laws=case.judged.draws.forms if case else {},
        warnings=(*evidence.warnings, *warnings),
        notes=evidence.notes,
        left_out=evidence.left_out,
        measure=evidence.measure,
        unit=evidence.unit,
    )


def _row(
    one: Contender, needs: Needs, at: float, case: Case | None, p_best: float | None, excluded: str | None
) -> ContenderEvidence:
    judged = case is not None and one.name in case.judged.cells.arms
    table = one.curve.table
    return ContenderEvidence(
        contender=one.name,
        student=one.student,
        arm=one.arm,
        parameters=one.parameters,
        latency_ms=one.latency_ms,
        size_mb=one.size_mb,
        sizes=tuple(table["train_images"].unique().sort().to_list()),
        seeds=table["replicate"].n_unique(),
        error=case.judged.error(one.name, at) if case is not None and judged else None,
        p_best=None if p_best is None else float(p_best),
        cost=cost(one, at, needs),
        excluded=excluded,
        run_ids=one.run_ids,
    )
