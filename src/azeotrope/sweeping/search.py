"""What a run chooses on validation before it is the run: its losses, where its arm has candidates, then its learning
rate.

All is chosen on the tuning seed and holds for every seed, and all of it is tuning: its time is charged to the run, its
candidates are in the record. The search of losses is budgeted: one training a candidate, at the middle learning rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from azeotrope.record.run import RunRecord, SearchFacts, TuningFacts
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.training_folder import Trained
from azeotrope.terms import losses_text

Train = Callable[[RunSpec], Trained]


@dataclass(frozen=True)
class Choices:
    """What was chosen, and the seconds of the trainings that were not. `spec` is the run with its losses settled."""

    spec: RunSpec
    tuning: TuningFacts
    search: SearchFacts | None
    seconds: float


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


def choose(spec: RunSpec, train: Train) -> Choices:
    """Try the candidates, then the learning rates; `train` makes one training, or finds it made."""
    search, settled, searched = _search(spec, train) if spec.arm.candidates else (None, spec, 0.0)
    tuning, tuned = _tune(settled, train)
    return Choices(settled, tuning, search, searched + tuned)


def chosen_before(spec: RunSpec, first: RunRecord | None) -> Choices | None:
    """The choices of the tuning seed's record, None when it holds none."""
    if first is None or first.tuning is None:
        return None
    settled = _settled(spec, first.search) if first.search else spec
    return Choices(settled, first.tuning, first.search, first.seconds["tuning"])


def _search(spec: RunSpec, train: Train) -> tuple[SearchFacts, RunSpec, float]:
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
    spent = sum(sum(trial.seconds.values()) for text, trial in trials.items() if text != chosen)
    return facts, _settled(spec, facts), spent


def _settled(spec: RunSpec, search: SearchFacts) -> RunSpec:
    return spec.settled(next(option for option in spec.arm.candidates if losses_text(option) == search.chosen))


def _tune(spec: RunSpec, train: Train) -> tuple[TuningFacts, float]:
    rates = spec.recipe.learning_rates
    trials = {rate: train(spec.trial(rate, spec.tuning_seed)) for rate in rates}
    chosen = min(rates, key=lambda rate: trials[rate].score)
    errors = tuple(trials[rate].error for rate in rates)
    spent = sum(sum(trial.seconds.values()) for rate, trial in trials.items() if rate != chosen)
    return TuningFacts(seed=spec.tuning_seed, learning_rates=rates, val_errors=errors, chosen=chosen), spent
