"""What a run chooses on validation before it is the run: its losses, where its arm has candidates, then its learning
rate.

All is chosen on the tuning seed and holds for every seed, and all of it is tuning: its time is charged to the run, its
candidates are in the record. The search of losses is budgeted: one training a candidate, at the middle learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from azeotrope.record.facts import SearchFacts, TuningFacts
from azeotrope.record.run import RunRecord
from azeotrope.sweeping.runs.training_folder import Trained
from azeotrope.sweeping.spec import RunSpec
from azeotrope.terms import losses_text

Train = Callable[[RunSpec], Trained]


@dataclass(frozen=True)
class Choices:
    """What was chosen, and the seconds and joules (None: not known) of the trainings that were not. `spec` is the run
    with its losses settled.
    """

    spec: RunSpec
    tuning: TuningFacts
    search: SearchFacts | None
    seconds: float
    joules: float | None = None


@dataclass(frozen=True)
class Best:
    """The training that a run stands on, and how it was chosen."""

    spec: RunSpec
    trained: Trained
    choices: Choices

    @property
    def seconds(self) -> float:
        """All that was spent to get here."""
        return sum(self.trained.seconds.values()) + self.choices.seconds

    @property
    def joules(self) -> float | None:
        """The energy of the same; None where a part is not known."""
        if self.trained.joules is None or self.choices.joules is None:
            return None
        return sum(self.trained.joules.values()) + self.choices.joules


def choose(spec: RunSpec, train: Train) -> Choices:
    """Try the candidates, then the learning rates; `train` makes one training, or finds it made."""
    search, settled, searched = _search(spec, train) if spec.arm.candidates else (None, spec, [])
    tuning, tuned = _tune(settled, train)
    return Choices(settled, tuning, search, *_spent([*searched, *tuned]))


def chosen_before(spec: RunSpec, first: RunRecord | None) -> Choices | None:
    """The choices of the tuning seed's record, None when it holds none."""
    if first is None or first.tuning is None:
        return None
    settled = _settled(spec, first.search) if first.search else spec
    return Choices(settled, first.tuning, first.search, first.seconds["tuning"], first.joules.get("tuning"))


def _spent(trials: Sequence[Trained]) -> tuple[float, float | None]:
    """(seconds, joules) of these trainings; no joules where one's are not known."""
    seconds = sum(sum(trial.seconds.values()) for trial in trials)
    known = [sum(trial.joules.values()) for trial in trials if trial.joules is not None]
    return seconds, sum(known) if len(known) == len(trials) else None


def _search(spec: RunSpec, train: Train) -> tuple[SearchFacts, RunSpec, list[Trained]]:
    """What was found, the run with it, and the trainings that were not chosen."""
    rates = spec.recipe.learning_rates
    middle = rates[len(rates) // 2]
    trials = {
        losses_text(option): train(spec.settled(option).trial(middle, spec.tuning_seed))
        for option in spec.arm.candidates
    }
    chosen = min(trials, key=lambda text: trials[text].score)
    facts = SearchFacts(
        seed=spec.tuning_seed,
        learning_rate=middle,
        candidates=tuple(trials),
        val_errors=tuple(trial.error for trial in trials.values()),
        chosen=chosen,
    )
    return facts, _settled(spec, facts), [trial for text, trial in trials.items() if text != chosen]


def _settled(spec: RunSpec, search: SearchFacts) -> RunSpec:
    return spec.settled(next(option for option in spec.arm.candidates if losses_text(option) == search.chosen))


def _tune(spec: RunSpec, train: Train) -> tuple[TuningFacts, list[Trained]]:
    """What was found, and the trainings that were not chosen."""
    rates = spec.recipe.learning_rates
    trials = {rate: train(spec.trial(rate, spec.tuning_seed)) for rate in rates}
    chosen = min(rates, key=lambda rate: trials[rate].score)
    errors = tuple(trials[rate].error for rate in rates)
    facts = TuningFacts(seed=spec.tuning_seed, learning_rates=rates, val_errors=errors, chosen=chosen)
    return facts, [trial for rate, trial in trials.items() if rate != chosen]
