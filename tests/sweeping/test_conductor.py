"""What is run, in which order, and when it ends; with an engine that only pretends."""

import pytest

from azeotrope.record.storage.claims import Claims
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.budget import Budget, Meter
from azeotrope.sweeping.conductor import COMPLETE, MOST_LOSSES, OVER_BUDGET, Choice, Conductor, Everything
from azeotrope.sweeping.engines._engine import Finished, Lost
from azeotrope.sweeping.status import Status

from .records import record


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Pretended:
    """Makes each run in `seconds` of the clock, oldest first; `outcomes` says what becomes of a run, by its id."""

    def __init__(self, store, clock, workers=1, seconds=10.0):
        self.store, self.clock, self.workers, self.seconds = store, clock, workers, seconds
        self.under_way, self.begun, self.outcomes, self.meanwhile = [], [], {}, lambda: None

    def submit(self, spec):
        assert len(self.under_way) < self.workers
        self.under_way.append(spec)
        self.begun.append(spec)

    def wait(self, seconds):
        self.meanwhile()
        if not self.under_way:
            self.clock.now += seconds
            return []
        spec = self.under_way.pop(0)
        self.clock.now += self.seconds
        outcome = self.outcomes.get(spec.digest(), "done")
        if outcome == "lost":
            return [Lost(spec.digest(), "its worker died")]
        if outcome == "lost for good":
            return [Lost(spec.digest(), "the card is full", final=True)]
        made = record(spec, outcome, reason=None if outcome == "done" else "not finite")
        self.store.put(made)
        return [Finished(made.run_id, made, self.seconds)]


class Priced:
    """Every run costs the same, and no trial was made."""

    known = True

    def __init__(self, seconds=10.0):
        self.each, self.learned = seconds, []

    def seconds(self, run_id):
        return self.each

    def learn(self, run_id, seconds):
        self.learned.append(seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    return RunStore(str(tmp_path))


@pytest.fixture
def runs(specs):
    """Two sizes, two seeds, two arms."""
    arms = ("scratch", "distill:kl")
    by_size = [specs(*arms, seeds=[0, 1], train_images=[size]) for size in (40, 60)]
    return [spec for found in by_size for spec in found.values()]


@pytest.fixture
def conduct(store, clock, runs):
    """Carries out a sweep; what differs is given."""

    def make(
        engine=None,
        budget=None,
        known=(),
        chooser=None,
        prices=None,
        claims=None,
        say=lambda records, last: None,
        deploy=(),
    ):
        engine = engine or Pretended(store, clock)
        conductor = Conductor(
            specs=runs,
            store=store,
            engine=engine,
            chooser=chooser or Everything(runs),
            forecast=prices or Priced(),
            meter=Meter(budget or Budget(), clock),
            claims=claims or Claims(store),
            failed=lambda spec, reason: record(spec, "failed", reason=reason),
            records={each.run_id: each for each in known},
            status=Status(),
            say=say or (lambda records, last: None),
            deploy=deploy,
        )
        return conductor.conduct(), engine, conductor

    return make


def test_all_runs_are_made_in_order(conduct, runs, store):
    outcome, engine, _ = conduct()
    assert engine.begun == runs
    assert outcome.stopped == COMPLETE
    assert (outcome.made, outcome.left_out) == (8, {})
    assert {each.run_id for each in store} == {spec.digest() for spec in runs}


def test_what_is_said_at_the_end_is_of_all_runs(conduct):
    _, _, conductor = conduct(say=lambda records, last: f"{len(records)} runs" if last or len(records) == 3 else None)
    assert conductor.status.said == "8 runs"


def test_what_is_recorded_is_not_made_again_not_even_when_it_failed(conduct, runs):
    known = [record(runs[0]), record(runs[1], "failed", reason="no")]
    outcome, engine, _ = conduct(known=known)
    assert engine.begun == runs[2:]
    assert len(outcome.records) == 8


def test_a_failed_record_that_is_not_known_is_made_again(conduct, runs, store):
    """`--retry-failed` leaves failed records out of what is known."""
    store.put(record(runs[0], "failed", reason="no"))
    outcome, engine, _ = conduct()
    assert runs[0] in engine.begun
    assert all(each.state == "done" for each in outcome.records)


def test_another_seed_waits_for_the_run_that_chooses_its_learning_rate(conduct, store, clock, runs):
    begun_with = {}
    engine = Pretended(store, clock, workers=4)
    submit = engine.submit

    def watched(spec):
        begun_with[spec.digest()] = {other.digest() for other in engine.under_way}
        submit(spec)

    engine.submit = watched
    conduct(engine)
    assert len(engine.begun) == 8
    for spec in runs:
        assert spec.seed == 0 or spec.at_seed(0).digest() not in begun_with[spec.digest()]


def test_a_run_begins_only_when_it_ends_within_the_budget(conduct, runs):
    outcome, engine, _ = conduct(budget=Budget(hours=35 / 3600))
    assert engine.begun == runs[:3]
    assert outcome.left_out == {spec.digest(): OVER_BUDGET for spec in runs[3:]}
    assert outcome.stopped == "the budget is spent"
    assert outcome.seconds <= 35


def test_a_budget_that_buys_no_run_is_said_to_be_spent(conduct):
    outcome, engine, _ = conduct(budget=Budget(hours=5 / 3600))
    assert (engine.begun, outcome.made, len(outcome.left_out)) == ([], 0, 8)
    assert outcome.stopped == "the budget is spent"


def test_a_budget_of_runs_is_kept(conduct, runs):
    outcome, engine, _ = conduct(budget=Budget(runs=2))
    assert engine.begun == runs[:2]
    assert len(outcome.left_out) == 6


def test_a_failure_is_a_record_and_the_sweep_goes_on(conduct, store, clock, runs):
    engine = Pretended(store, clock)
    engine.outcomes[runs[0].digest()] = "failed"
    outcome, _, conductor = conduct(engine)
    assert [each.state for each in outcome.records].count("failed") == 1
    assert outcome.made == 8
    assert conductor.status.errors == ["test_resnet scratch, 40 images, seed 0: not finite"]


def test_a_run_whose_worker_dies_is_made_again(conduct, store, clock, runs):
    engine = Pretended(store, clock)
    engine.outcomes[runs[0].digest()] = "lost"
    engine.meanwhile = lambda: engine.outcomes.clear() if len(engine.begun) > 1 else None
    outcome, _, _ = conduct(engine)
    assert engine.begun[:2] == [runs[0], runs[0]]
    assert all(each.state == "done" for each in outcome.records)


def test_a_run_that_kills_every_worker_becomes_a_failure(conduct, store, clock, runs):
    engine = Pretended(store, clock)
    engine.outcomes[runs[0].digest()] = "lost"
    outcome, _, _ = conduct(engine)
    assert engine.begun.count(runs[0]) == MOST_LOSSES
    failed = [each for each in outcome.records if each.state == "failed"]
    assert [each.reason for each in failed] == [f"its worker died, {MOST_LOSSES} times"]
    assert store.get(runs[0].digest()).state == "failed"


def test_a_run_that_a_worker_says_cannot_be_made_is_not_tried_again(conduct, store, clock, runs):
    engine = Pretended(store, clock)
    engine.outcomes[runs[0].digest()] = "lost for good"
    outcome, _, _ = conduct(engine)
    assert engine.begun.count(runs[0]) == 1
    assert [each.reason for each in outcome.records if each.state == "failed"] == ["the card is full"]


def test_a_finished_run_that_kills_every_worker_when_made_again_for_a_file_stays_done(conduct, store, clock, runs):
    engine = Pretended(store, clock)
    engine.outcomes[runs[0].digest()] = "lost"
    store.put(record(runs[0]))
    outcome, _, _ = conduct(engine, deploy=("onnx",))
    assert engine.begun.count(runs[0]) == MOST_LOSSES
    (found,) = (each for each in outcome.records if each.run_id == runs[0].digest())
    assert found.state == "done"
    assert f"its worker died, {MOST_LOSSES} times" in found.deployed["onnx"].reason


class TestShared:
    def test_two_sweeps_divide_the_runs(self, conduct, store, clock, runs):
        """The other one has the first run, and finishes it when this one can do no more without it."""
        with Claims(store) as other:
            other.take(runs[0].digest())
            engine = Pretended(store, clock)

            def finish():
                if len(engine.begun) == 6 and runs[0].digest() in other._runs:
                    store.put(record(runs[0]))
                    other.drop(runs[0].digest())

            engine.meanwhile = finish
            outcome, _, _ = conduct(engine)
        assert runs[0] not in engine.begun
        assert len(outcome.records) == 8
        assert outcome.made == 7

    def test_seeds_wait_for_a_tuning_that_is_under_way_elsewhere(self, conduct, store, clock, runs):
        with Claims(store) as other:
            other.take(runs[0].digest())
            engine = Pretended(store, clock)
            seen = []

            def finish():
                seen.append(list(engine.begun))
                if len(seen) == 8:
                    store.put(record(runs[0]))
                    other.drop(runs[0].digest())

            engine.meanwhile = finish
            conduct(engine)
        assert all(runs[2] not in begun for begun in seen[:8])
        assert runs[2] in engine.begun

    def test_runs_of_a_sweep_that_dies_are_taken_over(self, conduct, store, clock, runs):
        other = Claims(store)
        other.take(runs[0].digest())
        engine = Pretended(store, clock)

        def die():
            if len(engine.begun) == 3:
                store.remove(f"sweeps/{other.owner}.json")

        engine.meanwhile = die
        outcome, _, _ = conduct(engine)
        assert runs[0] in engine.begun
        assert len(outcome.records) == 8


class Scripted:
    """One run at a time, until two are made."""

    def __init__(self, runs):
        self.runs, self.asked = runs, []

    def choose(self, records, running, prices, budget):
        self.asked.append((len(records), len(running), budget))
        if len(records) == 2:
            return Choice(stop="settled: it is clear", said="clear")
        return Choice((self.runs[len(records)],), said=f"{len(records)} known") if not running else Choice()


def test_a_chooser_is_asked_again_when_its_runs_have_ended_and_may_stop(conduct, runs):
    chooser = Scripted(runs)
    outcome, engine, conductor = conduct(chooser=chooser, budget=Budget(hours=1))
    assert engine.begun == runs[:2]
    assert (outcome.stopped, conductor.status.said) == ("settled: it is clear", "clear")
    assert chooser.asked == [(0, 0, 3600), (1, 0, 3590), (2, 0, 3580)]


def test_a_chooser_with_idle_workers_is_asked_once_for_what_is_known(conduct, store, clock, runs):
    chooser = Scripted(runs)
    conduct(Pretended(store, clock, workers=3), chooser=chooser)
    assert len(chooser.asked) == len(set(chooser.asked))


def test_the_view_is_told_of_progress_and_time_left(conduct, runs):
    _, _, conductor = conduct()
    status = conductor.status
    assert (status.planned, status.done, status.failed, status.running) == (8, 8, 0, {})
    assert status.seconds_left == 0


class Once:
    """Wants all its runs, in pairs, and is asked no more than the conductor likes."""

    def __init__(self, runs, unpaid=()):
        self.runs, self.unpaid = runs, unpaid

    def choose(self, records, running, prices, budget):
        known = {each.run_id for each in records} | {spec.digest() for spec in running}
        left = tuple(spec for spec in self.runs if spec.digest() not in known)
        return Choice(left, None if left or running else COMPLETE, paired=True, unpaid=self.unpaid)


class TestPaired:
    def test_a_pair_begins_only_when_both_of_it_end_within_the_budget(self, conduct, runs):
        """35 seconds hold three runs of ten seconds; the third alone would have nothing to be compared with."""
        outcome, engine, _ = conduct(chooser=Once(runs), budget=Budget(hours=35 / 3600))
        assert engine.begun == runs[:2]
        assert outcome.left_out == {spec.digest(): OVER_BUDGET for spec in runs[2:]}
        assert outcome.seconds <= 35

    def test_a_budget_of_runs_buys_whole_pairs(self, conduct, runs):
        _, engine, _ = conduct(chooser=Once(runs), budget=Budget(runs=5))
        assert engine.begun == runs[:4]

    def test_two_workers_make_a_pair_side_by_side_in_the_time_of_one(self, conduct, store, clock, runs):
        _, engine, _ = conduct(Pretended(store, clock, workers=2), chooser=Once(runs), budget=Budget(hours=12 / 3600))
        assert engine.begun[:2] == runs[:2]

    def test_a_seed_whose_learning_rate_nobody_has_chosen_is_charged_with_the_choice(self, conduct, runs):
        """Seed 0 takes 50 seconds with its trials and does not fit; seed 1 alone would try the rates itself."""

        class Dear(Priced):
            def seconds(self, run_id):
                return 50.0 if run_id in {spec.digest() for spec in runs if spec.seed == 0} else 10.0

        outcome, engine, _ = conduct(prices=Dear(), budget=Budget(hours=45 / 3600))
        assert engine.begun == []
        assert len(outcome.left_out) == 8

    def test_that_a_seed_is_charged_ends_when_the_rate_is_chosen(self, conduct, runs):
        class Dear(Priced):
            def seconds(self, run_id):
                return 50.0 if run_id in {spec.digest() for spec in runs if spec.seed == 0} else 10.0

        known = [record(spec) for spec in runs if spec.seed == 0]
        _, engine, _ = conduct(prices=Dear(), known=known, budget=Budget(hours=45 / 3600))
        assert engine.begun == [spec for spec in runs if spec.seed == 1]

    def test_runs_that_are_wanted_and_not_paid_are_listed_beside_those_left_out(self, conduct, runs):
        outcome, _, _ = conduct(chooser=Once(runs[:4], unpaid=tuple(runs[4:])), budget=Budget(runs=2))
        assert set(outcome.left_out) == {spec.digest() for spec in runs[2:]}
