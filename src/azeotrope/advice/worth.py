"""What pretrained weights and a teacher are worth in labelled images: pairs of contenders that differ in just that.

Pairs are found by the arms' names (`arm.Arm` writes them); arms with other names make none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from azeotrope.advice.answer import WorthInImages
from azeotrope.advice.contender_draws import Judged
from azeotrope.advice.evidence import Contender
from azeotrope.boundaries.confidence_set import LEVEL
from azeotrope.boundaries.worth import effective_data

_ARM = re.compile(r"(?P<strategy>\w+)(?:@(?P<init>\w+))?(?::(?P<losses>.+?))?(?P<pretrained>, pre-trained on .+)?")


class Parts(NamedTuple):
    """An arm's name taken apart; `init` is written out."""

    strategy: str
    init: str
    losses: str
    pretrained: str


def parts(arm: str) -> Parts | None:
    """The parts of an arm's name, or None for a name of another make."""
    found = _ARM.fullmatch(arm)
    if found is None:
        return None
    strategy = found["strategy"]
    init = found["init"] or ("random" if strategy in ("scratch", "distill") else "hub")
    return Parts(strategy, init, found["losses"] or "", found["pretrained"] or "")


def worth(judged: Judged, at: float) -> tuple[WorthInImages, ...]:
    """One entry for every pair that these contenders make, at `at` images."""
    return tuple(
        _worth(judged, of, challenger, baseline, at)
        for challenger in judged.contenders
        for of, baseline in _baselines(challenger, judged.contenders)
    )


def _baselines(one: Contender, others: tuple[Contender, ...]) -> Iterator[tuple[str, Contender]]:
    own = parts(one.arm)
    if own is None:
        return
    wanted = []
    if own.strategy == "distill":
        without_teacher = Parts("scratch" if own.init == "random" else "finetune", own.init, "", own.pretrained)
        wanted.append(("distillation", without_teacher))
    if own.init != "random" and own.strategy in ("finetune", "distill"):
        strategy = "distill" if own.strategy == "distill" else "scratch"
        wanted.append(("pretraining", Parts(strategy, "random", own.losses, "")))
    for of, arm in wanted:
        yield from ((of, other) for other in others if other.student == one.student and parts(other.arm) == arm)


def _worth(judged: Judged, of: str, challenger: Contender, baseline: Contender, at: float) -> WorthInImages:
    places = judged.place(challenger.name), judged.place(baseline.name)
    found = effective_data(judged.pair(*places), judged.draws.only(places), at, LEVEL)
    return WorthInImages(
        of=of,
        challenger=challenger.name,
        baseline=baseline.name,
        at=at,
        value=found.value,
        images=found.images,
        times=found.times,
        p_never=found.p_never,
        run_ids=(*challenger.run_ids, *baseline.run_ids),
    )
