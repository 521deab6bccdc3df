"""Losses chosen on validation: what is tried, at what price, and that it is told. Truth: scores that are scripted."""

import pytest

from azeotrope.errors import InputError
from azeotrope.sweeping.runs.runner import images_of_training, images_trained
from azeotrope.sweeping.runs.search import choose
from azeotrope.sweeping.runs.training_folder import Trained

RATES = (1e-4, 1e-3, 1e-2)
ARM = "distill:kl/info_nce/kl=2+rkd=1..0"
SCORES = {"kl": 0.3, "info_nce": 0.2, "kl=2+rkd=1..0": 0.4}


@pytest.fixture
def scripted():
    """A training that takes a second and says the error of its losses; info_nce does best at 1e-2."""
    made = []

    def train(spec):
        losses = spec.arm.name.partition(":")[2]
        (rate,) = spec.recipe.learning_rates
        made.append((losses, rate, spec.seed))
        error = SCORES[losses] - (0.1 if rate == 1e-2 else 0.0)
        return Trained(error, 1.0, 0, 10, {"train": 1.0})

    return train, made


@pytest.fixture
def asked(specs):
    found = specs(ARM, seeds=[0, 1], recipe={"epochs": 2, "learning_rates": RATES})
    return found[ARM, 0], found[ARM, 1]


def test_each_candidate_is_tried_once_at_the_middle_rate_then_the_chosen_one_is_tuned(asked, scripted):
    train, made = scripted
    choices = choose(asked[0], train)
    tried = [(losses, 1e-3, 0) for losses in SCORES]
    assert made == [*tried, *(("info_nce", rate, 0) for rate in RATES)]
    assert choices.spec.arm.losses == {"info_nce": 1.0}
    assert choices.tuning.chosen == 1e-2
    assert choices.search.model_dump() == {
        "seed": 0,
        "learning_rate": 1e-3,
        "candidates": ("kl", "info_nce", "kl=2+rkd=1..0"),
        "val_errors": (0.3, 0.2, 0.4),
        "chosen": "info_nce",
    }


def test_what_was_not_chosen_is_charged_once(asked, scripted):
    """Two candidates and two rates, a second each; the chosen training itself is the run's own."""
    assert choose(asked[0], scripted[0]).seconds == 4.0
    assert len(set(scripted[1])) == 5 == asked[0].trials
    assert images_trained(asked[0]) == 5 * images_of_training(asked[0])
    assert images_trained(asked[1]) == images_of_training(asked[1])


def test_a_candidate_that_failed_is_passed_over(asked, scripted):
    def train(spec):
        if spec.arm.losses == {"info_nce": 1.0}:
            return Trained(None, None, None, 0, {}, failure="The loss is not finite at step 3.")
        return scripted[0](spec)

    search = choose(asked[0], train).search
    assert (search.chosen, search.val_errors) == ("kl", (0.3, None, 0.4))


def test_the_record_tells_the_search_and_other_seeds_follow_it(runner, specs):
    arm = "distill:kl/feature_cosine"
    records = [runner.run(spec) for spec in specs(arm, seeds=[0, 1]).values()]
    search = records[0].search
    assert search.candidates == ("kl", "feature_cosine")
    best = search.candidates.index(search.chosen)
    assert search.val_errors[best] == min(search.val_errors) == records[0].val_error  # ties: the lower log-loss
    assert records[1].search == search
    assert [record.arm for record in records] == [arm, arm]
    assert all(set(record.losses) == {"cross_entropy", search.chosen} for record in records)
    assert all(record.seconds["tuning"] > 0 for record in records)
    trainings = 2
    shown = records[0].steps * records[0].recipe["batch_images"]
    assert records[0].flops > trainings * 2 * 3 * records[0].student.macs * shown


def test_a_candidate_that_needs_no_teacher_is_refused(plan):
    with pytest.raises(InputError) as refusal:
        plan("distill:kl/cross_entropy")
    assert str(refusal.value).startswith(
        "The arm distill:kl/cross_entropy has no loss that compares with the teacher. Found: cross_entropy."
    )


def test_a_candidate_that_is_no_loss_is_answered_with_the_nearest(plan):
    with pytest.raises(InputError, match=r"There is no loss named 'info_nse'\. Allowed: nearest: info_nce"):
        plan("distill:kl/info_nse")


def test_candidates_need_a_teacher(plan):
    with pytest.raises(InputError, match="needs a teacher"):
        plan("distill:kl/info_nce", teacher=None)
