"""Verdicts in plain sentences: what is said first, and what it rests on."""

import pytest

from azeotrope.reporting import verdict_words
from azeotrope.reporting.numbers import Estimate, VerdictSummary
from azeotrope.reporting.summary import summarise

from .factories import three_seeds


def verdict(outcome, value, low, high, seeds=(0, 1, 2)):
    difference = Estimate(value=value, low=low, high=high)
    return VerdictSummary(a="distill", b="scratch", verdict=outcome, difference=difference, seeds=seeds)


def comparison(**changes):
    return summarise(three_seeds("scratch", [200] * 3)).model_copy(update=changes)


def test_beats_is_said_as_in_the_issue():
    said = verdict_words.sentence(verdict("BEATS", -0.019, -0.026, -0.012), comparison(test_images=10_000))
    assert said == "distill beats scratch by 1.9 points [1.2, 2.6] (95 %, 3 paired seeds, 10,000 test images)"


def test_does_not_beat_and_inconclusive_are_said_as_plainly():
    lost = verdict_words.sentence(verdict("DOES NOT BEAT", 0.005, 0.001, 0.009), comparison())
    assert (
        lost == "distill does not beat scratch: gain −0.5 points [−0.9, −0.1] (95 %, 3 paired seeds, 1,000 test images)"
    )
    open_ = verdict_words.sentence(verdict("INCONCLUSIVE", -0.004, -1, 1, seeds=(0,)), comparison(test_images=None))
    assert open_ == "distill against scratch is inconclusive: gain 0.4 points (1 paired seed)"


@pytest.mark.parametrize("kind", ["multi", "number"])
def test_test_images_that_an_interval_does_not_count_are_not_named_as_its_basis(kind):
    said = verdict_words.sentence(verdict("BEATS", -0.019, -0.026, -0.012), comparison(kind=kind))
    assert said == (
        "distill beats scratch by 1.9 points [1.2, 2.6] "
        "(95 %, 3 paired seeds; the sampling of test images is not counted)"
    )


def test_why_nothing_is_settled_is_said():
    few, wide = verdict("INCONCLUSIVE", 0, -1, 1, seeds=(0,)), verdict("INCONCLUSIVE", 0, -0.1, 0.1)
    assert verdict_words.unsettled(few) == "there is 1 paired seed, and a verdict needs 3"
    assert verdict_words.unsettled(wide) == "the interval of the gain contains zero"


def test_arms_without_a_common_seed_are_not_compared():
    nothing = VerdictSummary(
        a="distill", b="scratch", verdict="INCONCLUSIVE", difference=None, seeds=(), reason="no seed in common"
    )
    assert verdict_words.sentence(nothing, comparison()) == "distill and scratch cannot be compared: no seed in common"


def test_an_arm_without_a_validation_error_is_nobodys_rival():
    runs = [
        *three_seeds("scratch", [200] * 3, val_error=0.1),
        *three_seeds("finetune", [210] * 3, val_error=None),
        *three_seeds("distill", [220] * 3, val_error=0.3),
        *three_seeds("distill:kl", [220] * 3, val_error=0.0),
    ]
    found = summarise(runs)
    assert found.winner == "distill:kl"
    assert verdict_words.best_rival(found) == "scratch"
    assert verdict_words.best_rival(found.model_copy(update={"reference": "finetune"})) == "scratch"


def test_a_call_says_what_is_left_of_it_among_the_others():
    shown = VerdictSummary
    facts = {"a": "x", "b": "scratch", "verdict": "BEATS", "difference": None, "seeds": (0, 1, 2), "p": 0.03}
    alone = shown(**facts, p_page=0.06, page_verdict="INCONCLUSIVE")
    both = shown(**(facts | {"p": 0.001}), p_page=0.002, page_verdict="BEATS")
    page = summarise(three_seeds("scratch", [100] * 3)).model_copy(update={"verdicts": (alone, both)})
    assert verdict_words.among(alone, page) == "; alone, not among all 2 verdicts (p = 0.06)"
    assert verdict_words.among(both, page) == "; holds among all 2 verdicts too"


def test_an_open_verdict_says_how_many_seeds_would_settle_it():
    shown = VerdictSummary
    facts = {"a": "x", "b": "y", "verdict": "INCONCLUSIVE", "difference": None, "seeds": (0, 1, 2), "p": 0.2}
    assert verdict_words.settled_by(shown(**facts, seeds_needed=7)) == "; 7 seeds in all would probably settle it"
    assert verdict_words.settled_by(shown(**facts)) == "; not even 60 seeds would probably settle it"
    assert verdict_words.settled_by(shown(**(facts | {"p": None}))) == ""
