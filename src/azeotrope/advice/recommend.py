"""From evidence and needs to advice: which contender, what it will reach and cost, and what would change that.

It refuses when the runs do not settle the choice, and names the runs that would. Reading runs is `evidence`, limits
`limits`, the choice itself `choice`, what would change it `changes`; words beyond one sentence are `reporting`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from azeotrope.advice import settling_runs
from azeotrope.advice.answer import (
    Advice,
    Bounds,
    Change,
    LabelsNeeded,
    NotTested,
    PredictedError,
    ProposedRun,
    Recommendation,
    RunnerUp,
    WinChance,
)
from azeotrope.advice.changes import Case, changes
from azeotrope.advice.choice import Choice
from azeotrope.advice.contender_draws import Judged, separate
from azeotrope.advice.evidence import Contender, Evidence
from azeotrope.advice.needs.counting import counting, named, train_images
from azeotrope.advice.needs.limits import Needs, unknown, within
from azeotrope.advice.needs.price import cost
from azeotrope.advice.reach import not_followed, outside, too_far
from azeotrope.advice.summary import summarise
from azeotrope.advice.worth import parts, worth
from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.boundaries.confidence_set import LEVEL
from azeotrope.boundaries.images_needed import required, required_draws
from azeotrope.curves.irregular import irregularities
from azeotrope.curves.joint_draws import DRAWS
from azeotrope.planning.settled import SURE
from azeotrope.record.probability import probability
from azeotrope.tables.edges import upper_bound
from azeotrope.tables.units import amount, ends, gap

USUAL = ("scratch", "linear_probe", "finetune", "distill", "distill@hub")
"""Ways to train that a complete comparison has."""


def recommend(
    evidence: Evidence,
    needs: Needs,
    *,
    practical: float = PRACTICAL,
    draws: int = DRAWS,
    seed: int = 0,
    left_out: Sequence[NotTested] = (),
) -> Advice:
    """Advice for these needs. `practical` is the difference of error that counts as none.

    `left_out`: arms that whoever made the runs left out, with the reason. Raises InputError when nothing fits the
    limits; what the runs cannot answer is no error but advice that says so.
    """
    at, counted = train_images(evidence, needs), counting(evidence, needs)
    here = named(counted.division(needs.images), at)
    eligible, excluded = within(evidence.contenders, needs)
    good, missing, weak = separate(evidence.contenders)
    fitting = tuple(one for one in good if one in eligible)
    far = too_far(fitting, at)
    gaps = (*_gaps(evidence, needs, at, missing), *not_followed(far, at), *left_out)
    refusal = _unanswerable(evidence, at, here, eligible, fitting, good)
    fitting = tuple(one for one in fitting if not any(one in some for some in far.values()))
    if refusal is not None:
        return Advice(
            recommendation=replace(refusal, division=counted.division(needs.images)),
            predicted_error=None,
            p_win=None,
            cost=None,
            runner_up=None,
            labels_needed=(),
            worth_in_images=(),
            would_change_if=tuple(_would_settle(refusal)),
            not_tested=gaps,
            evidence=summarise(evidence, needs, at, excluded, warnings=weak),
        )
    case = Case(Judged(tuple(good), draws, seed), fitting, excluded, needs, at, practical, counted, evidence.unit)
    choice = case.choose(at, needs)
    first = fitting[choice.first]
    rival = None if choice.runner_up is None else fitting[choice.runner_up]
    p_win = _p_win(case, choice, first, rival)
    recommendation = replace(
        _recommendation(case, choice, first, rival, p_win, evidence.measure, here),
        division=counted.division(needs.images),
    )
    return Advice(
        recommendation=recommendation,
        predicted_error=PredictedError(first.name, at, case.judged.error(first.name, at), first.run_ids),
        p_win=p_win,
        cost=cost(first, at, needs),
        runner_up=None if rival is None else _runner_up(case, first, rival),
        labels_needed=_labels_needed(case),
        worth_in_images=worth(case.judged, at),
        would_change_if=(*changes(case, first), *_would_settle(recommendation)),
        not_tested=gaps,
        evidence=summarise(evidence, needs, at, excluded, case, choice, (*weak, *_doubts(case))),
    )


def _recommendation(
    case: Case, choice: Choice, first: Contender, rival: Contender | None, p_win: WinChance, measure: str, here: str
) -> Recommendation:
    at = case.at
    if (bound := _never_wrong(first, rival, case.practical)) is not None:
        reason = f"{bound}; more test images would tell more than more runs"
        return _refused(f"No recommendation {here}: {reason}.", at, reason, ())
    if choice.chosen is None:
        assert rival is not None, "one contender alone is always near the best"
        doubt = case.doubt(choice.first) if choice.p_near_best[choice.first] >= SURE else None
        if doubt is not None:
            reason = f"{first.name} leads by the laws, but {doubt.said}"
            more = settling_runs.more_seeds(doubt)
            return _refused(f"No recommendation {here}: {reason}.", at, reason, more)
        runs = _settling(case, first, rival)
        reason = f"these runs do not settle whether {first.name} or {rival.name} is better"
        sentence = f"No recommendation {here}: {reason} (probability {p_win.p:.2f} for {first.name})."
        return _refused(sentence, at, reason, runs)
    error = case.judged.error(first.name, at)
    reason = _reason(case, choice, first, rival, p_win)
    sentence = (
        f"Use {first.name} {here}: its {measure} will be {amount(error.value, case.unit)} "
        f"({ends(error.low, error.high, case.unit)}); {reason}."
    )
    return Recommendation(sentence, first.name, first.arm, first.student or None, at, reason)


def _never_wrong(first: Contender, rival: Contender | None, practical: float) -> str | None:
    """What is known where neither contender was ever wrong, and the test images are too few for `practical`."""
    found = [one.never_wrong for one in (first, rival) if one is not None]
    known = [images for images in found if images is not None]
    if rival is None or len(known) < len(found) or (bound := upper_bound(min(known))) <= practical:
        return None
    names = " or ".join(sorted((first.name, rival.name)))
    return f"no error seen in {min(known):,.0f} test images, of {names}: each errs below {100 * bound:.2g} % with 95 %"


def _reason(case: Case, choice: Choice, first: Contender, rival: Contender | None, p_win: WinChance) -> str:
    if rival is None:
        return "it is the only one tested that fits your limits"
    if p_win.p is not None and p_win.p >= SURE:
        return f"it is better than the runner-up, {rival.name}, with probability {probability(p_win.p)}"
    within = gap(case.practical, case.unit)
    near = f"it is within {within} of the best with probability {probability(p_win.p_near_best)}"
    paid = [cost(one, case.at, case.needs) for one in (first, rival)]
    seconds = [one.seconds.value for one in paid if one is not None]
    cheaper = choice.first != choice.leader and len(seconds) == len(paid) and seconds[0] < seconds[1]
    return f"{near}, and cheaper than {rival.name}" if cheaper else near


def _refused(sentence: str, at: float, reason: str, runs: tuple[ProposedRun, ...]) -> Recommendation:
    return Recommendation(sentence, None, None, None, at, reason, runs)


def _settling(case: Case, first: Contender, rival: Contender) -> tuple[ProposedRun, ...]:
    def price(size: float) -> float:
        paid = [cost(one, size, case.needs) for one in (first, rival)]
        return sum(one.seconds.value for one in paid if one) or size

    return settling_runs.between(case.judged, first, rival, case.at, price)


def _p_win(case: Case, choice: Choice, first: Contender, rival: Contender | None) -> WinChance:
    p = None
    if rival is not None:
        own, other = case.errors(case.at, [first, rival])
        p = float((own < other).mean())
    return WinChance(
        contender=first.name,
        against=rival.name if rival else None,
        at=case.at,
        p=p,
        p_best=float(choice.p_best[choice.first]),
        p_near_best=float(choice.p_near_best[choice.first]),
        practical=case.practical,
        run_ids=tuple(chain.from_iterable(one.run_ids for one in case.eligible)),
    )


def _runner_up(case: Case, first: Contender, rival: Contender) -> RunnerUp:
    error, margin = case.judged.error(rival.name, case.at), case.judged.margin(rival.name, first.name, case.at)
    return RunnerUp(rival.name, error, margin, cost(rival, case.at, case.needs), (*rival.run_ids, *first.run_ids))


def _labels_needed(case: Case) -> tuple[LabelsNeeded, ...]:
    target = case.needs.target_error
    if target is None:
        return ()
    return tuple(_labels(case, one, target) for one in case.eligible)


def _labels(case: Case, one: Contender, target: float) -> LabelsNeeded:
    judged, counted, reachable = case.judged, case.counted, case.needs.reachable
    place = judged.place(one.name)
    found = required(judged.cells, judged.draws, place, target, LEVEL)
    p_reachable = None
    if reachable is not None:
        drawn = required_draws(judged.cells, judged.draws, place, target)
        p_reachable = float((drawn <= counted.train(reachable)).mean())
    return LabelsNeeded(
        contender=one.name,
        target=target,
        value=None if found.value is None else counted.images(found.value),
        images=counted.interval(found.images),
        p_never=found.p_never,
        p_reachable=p_reachable,
        warnings=found.warnings,
        run_ids=one.run_ids,
        train_images=found.images,
        counted=counted.noun,
    )


def _would_settle(recommendation: Recommendation) -> Iterator[Change]:
    for run in recommendation.settled_by[:1]:
        seeds = "one more paired seed" if run.seeds == 1 else f"{run.seeds} paired seeds"
        said = f"{seeds} of {' and '.join(run.contenders)} at {run.train_images:,.0f} images"
        yield Change(said, None, (), "more_runs", images=Bounds(run.train_images))


def _doubts(case: Case) -> Iterator[str]:
    yield from irregularities(case.judged.cells)
    largest = case.judged.cells.sizes[-1]
    if case.at > largest:
        yield f"{case.at:,.0f} images lie beyond the {largest:,.0f} run: the laws reach out, the runs do not"


def _gaps(evidence: Evidence, needs: Needs, at: float, missing: dict[str, str]) -> Iterator[NotTested]:
    """What these runs cannot speak of."""
    yield from (NotTested(name, reason) for name, reason in missing.items())
    yield from (
        NotTested(limit.partition(" of ")[0], limit) for limit in unknown(evidence.contenders, needs, evidence.targets)
    )
    for student in sorted({one.student for one in evidence.contenders}):
        arms = [found for one in evidence.contenders if one.student == student and (found := parts(one.arm))]
        present = {(arm.strategy, arm.init) for arm in arms}
        usual = {name: (wanted.strategy, wanted.init) for name in USUAL if (wanted := parts(name))}
        if present & set(usual.values()):
            for name, (strategy, init) in usual.items():
                if (strategy, init) not in present and (needs.hub or init != "hub"):
                    yield NotTested(f"{name} ({student})" if student else name, "not run")
    if len(evidence.teachers) == 1:
        yield NotTested("another teacher", f"all distilled runs had {evidence.teachers[0]}")
    if at > evidence.largest:
        yield NotTested(f"more than {evidence.largest:,.0f} images", "what is said of them comes from the laws")


def _unanswerable(
    evidence: Evidence,
    at: float,
    here: str,
    eligible: Sequence[Contender],
    fitting: Sequence[Contender],
    good: Sequence[Contender],
) -> Recommendation | None:
    """The refusal when no answer was ever right, when there are no two curves, none within the limits, or all end too
    far from `at`, by the own sizes of each; else None.
    """
    if all(one.always_wrong for one in evidence.contenders):
        reason = "no answer of any run was right. If these are accuracies, name their column accuracy"
        return _refused(f"No recommendation {here}: {reason}.", at, reason, ())
    lacking = [one for one in evidence.contenders if one not in good]
    if fitting and len(good) > 1:
        far = too_far(fitting, at)
        if not far or len(fitting) - sum(map(len, far.values())) > 1:
            return None
        alike = len(far) == 1 and len(*far.values()) == len(fitting)
        reason = f"that is {outside(far, everyone=alike)}"
        runs = tuple(
            run
            for span, some in far.items()
            for run in settling_runs.nearer(eligible if alike else some, span.nearest(at), at)
        )
    elif lacking:
        names, fewer = ", ".join(one.name for one in lacking), "have fewer" if lacking[1:] else "has fewer"
        reason = f"a law needs three sizes or more, over a factor 2, and {names} {fewer}"
        runs = settling_runs.enough_sizes(lacking, at)
    else:
        reason, runs = f"{eligible[0].name} was compared with nothing", settling_runs.rival(eligible[0])
    return _refused(f"No recommendation {here}: {reason}.", at, reason, runs)
