"""Numbers of a comparison against values worked out by hand."""

import pytest

from azeotrope.errors import InputError
from azeotrope.record.facts import TaskFacts, TeacherFacts
from azeotrope.reporting.numbers import NotTested
from azeotrope.reporting.summary import amortise, summarise

from .factories import MACHINE, STUDENT, run, three_seeds


def test_means_are_over_seeds():
    arm = summarise(three_seeds("scratch", [200, 210, 220], val_error=0.25)).arm("scratch")
    assert arm.test_error.value == pytest.approx(0.21)
    assert arm.test_error.low < 0.2 < 0.22 < arm.test_error.high
    assert arm.seed_errors == {0: 0.2, 1: 0.21, 2: 0.22}
    assert arm.val_error == 0.25
    assert arm.seconds == {"train": 10.0, "evaluate": 1.0}
    assert arm.flops == 1e12


def test_one_seed_has_an_interval_that_claims_nothing():
    error = summarise([run(errors=200)]).arm("scratch").test_error
    assert (error.value, error.low, error.high, error.known) == (0.2, 0.0, 1.0, False)


def test_the_teachers_pass_is_divided_among_the_runs_of_a_seed():
    teacher = {"teacher": 30.0, "head": 6.0, "train": 10.0}
    runs = [
        run("scratch", 0),
        run("distill:kl", 0, seconds=teacher),
        run("distill", 0, seconds={**teacher, "teacher": 50.0}),
        run("distill", 1, seconds=teacher),
    ]
    scratch, first, second, alone = amortise(runs)
    assert scratch == {"train": 10.0, "evaluate": 1.0}
    assert first == second == {"teacher": 20.0, "head": 3.0, "train": 10.0}  # one pass: (30 + 50) / 2; two share it
    assert alone == teacher
    assert sum(first.values()) + sum(second.values()) == 66.0


def test_validation_chooses_and_the_test_images_do_not():
    runs = three_seeds("scratch", [100, 100, 100], val_error=0.3) + three_seeds("distill", [300] * 3, val_error=0.2)
    assert summarise(runs).winner == "distill"


@pytest.mark.parametrize("seconds", [5.0, 20.0])
@pytest.mark.parametrize("dear", [2e12, None])
def test_equal_validation_errors_go_to_the_arm_of_fewer_flops_whatever_the_clock_said(seconds, dear):
    first = three_seeds("distill", [200] * 3, flops=dear, seconds={"train": 10.0})
    second = three_seeds("scratch", [200] * 3, flops=1e12, seconds={"train": seconds})
    assert summarise(first + second).winner == "scratch"


@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_equal_errors_and_flops_go_by_name(seconds):
    first = three_seeds("scratch", [200] * 3, seconds={"train": 10.0})
    second = three_seeds("distill", [200] * 3, seconds={"train": seconds})
    assert summarise(first + second).winner == "distill"


def test_an_arm_that_lost_a_seed_cannot_win():
    broken = [*three_seeds("distill", [100] * 3, val_error=0.1)[:2], run("distill", 2, state="failed", reason="nan")]
    comparison = summarise([*three_seeds("scratch", [200] * 3), *broken])
    assert comparison.winner == "scratch"
    assert [(item.arm, item.seed, item.reason) for item in comparison.failed] == [("distill", 2, "nan")]
    assert "distill finished 2 of 3 seeds and cannot be chosen." in comparison.warnings


def test_every_arm_meets_the_reference_and_the_winner_meets_all_once():
    runs = [
        *three_seeds("scratch", [220, 221, 222], val_error=0.22),
        *three_seeds("finetune", [210, 211, 212], val_error=0.21),
        *three_seeds("distill", [200, 201, 202], val_error=0.20),
    ]
    pairs = [(item.a, item.b) for item in summarise(runs).verdicts]
    assert pairs == [("finetune", "scratch"), ("distill", "scratch"), ("distill", "finetune")]


def test_a_winning_reference_is_not_judged_twice():
    runs = three_seeds("scratch", [200] * 3, val_error=0.1) + three_seeds("distill", [210] * 3)
    assert [(item.a, item.b) for item in summarise(runs).verdicts] == [("distill", "scratch")]


def test_the_difference_is_negative_when_the_first_arm_is_better():
    runs = three_seeds("scratch", [220, 221, 222]) + three_seeds("distill", [200, 201, 202])
    verdict = summarise(runs).verdict("distill", "scratch")
    assert verdict.verdict == "BEATS"
    assert verdict.difference.value == pytest.approx(-0.02)
    assert verdict.difference.high < 0
    assert verdict.seeds == (0, 1, 2)


def test_two_seeds_are_inconclusive_and_said_so():
    runs = [run(arm, seed, errors=wrong) for arm, wrong in (("scratch", 300), ("distill", 100)) for seed in (0, 1)]
    comparison = summarise(runs)
    assert comparison.verdict("distill", "scratch").verdict == "INCONCLUSIVE"
    assert "Only 2 seeds an arm: every verdict is INCONCLUSIVE until there are 3." in comparison.warnings


def test_a_strangers_strategy_is_shown_last():
    comparison = summarise([run("mutual", 0), run("distill", 0), run("scratch", 0)])
    assert [arm.name for arm in comparison.arms] == ["scratch", "distill", "mutual"]


def test_when_the_reference_failed_the_winner_still_meets_the_others():
    runs = [
        run("scratch", 0, state="failed", reason="nan"),
        *three_seeds("finetune", [210, 211, 212], val_error=0.3),
        *three_seeds("distill", [200, 201, 202], val_error=0.2),
    ]
    assert [(item.a, item.b) for item in summarise(runs).verdicts] == [("distill", "finetune")]


def test_without_scratch_the_first_arm_is_the_reference():
    runs = three_seeds("finetune", [200] * 3) + three_seeds("distill", [210] * 3)
    assert summarise(runs).reference == "finetune"


def test_the_teacher_counts_once_a_seed():
    seen = [TeacherFacts(name="big", weights_hash="x", image_size=64, head_error=error) for error in (0.1, 0.3)]
    runs = [
        run("distill", 0, teacher=seen[0]),
        run("distill:kl", 0, teacher=seen[0]),
        run("distill", 1, teacher=seen[1]),
    ]
    assert summarise(runs).teacher.head_error == pytest.approx(0.2)


@pytest.mark.parametrize("difference", [{"processor": "another"}, {"accelerator": "Tesla T4"}])
def test_times_from_two_machines_are_marked(difference):
    other = MACHINE.model_copy(update=difference)
    warnings = summarise([run(seed=0), run(seed=1, environment=other)]).warnings
    assert "The runs were made on 2 different machines; their times cannot be compared." in warnings


def test_times_of_one_card_and_of_two_are_marked():
    """They are the same runs, made in another time."""
    other = MACHINE.model_copy(update={"cards": ("cuda:0", "cuda:1")})
    warnings = summarise([run(seed=0), run(seed=1, environment=other)]).warnings
    assert "Some runs were made on 1 card and some on 2; their times cannot be compared." in warnings
    one = MACHINE.model_copy(update={"cards": ("cuda:0",)})
    assert not any("cards" in each for each in summarise([run(seed=0), run(seed=1, environment=one)]).warnings)


def test_when_every_run_failed_nothing_is_invented():
    comparison = summarise([run("scratch", 0, state="failed", reason="disk full")])
    assert comparison.winner is None
    assert comparison.arm("scratch").test_error is None
    assert comparison.verdicts == ()


def test_a_comparison_survives_json():
    comparison = summarise(
        three_seeds("scratch", [200, 210, 220]),
        not_tested=[NotTested(arm="finetune", reason="no weights")],
        plan={"a": 1},
    )
    assert type(comparison).model_validate_json(comparison.model_dump_json()) == comparison


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"task": TaskFacts(name="other", fingerprint="beef", classes=("a", "b"))},
            r"their task\. Found: other \(beef\)",
        ),
        ({"train_images": 900}, r"number of training images\. Found: 500, 900"),
        ({"student": STUDENT.model_copy(update={"name": "huge"})}, "their student. Found: huge, tiny"),
        ({"recipe": {"metric": "balanced_error"}}, r"their measure\. Found: balanced_error, error"),
        ({"recipe": {"metric": "error", "metric_code": "9f"}}, r"their measure\. Found: error, error \(9f\)"),
    ],
)
def test_runs_that_do_not_belong_side_by_side_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        summarise([run(seed=0), run(seed=1, **changes)])


def test_two_teachers_are_refused():
    small = TeacherFacts(name="small", weights_hash="y", image_size=32)
    with pytest.raises(InputError, match=r"their teacher\. Found: big, small\. Allowed: one teacher\. Next: keep"):
        summarise([run("distill", 0), run("distill", 1, teacher=small)])


def test_a_repeated_seed_is_refused():
    with pytest.raises(InputError, match=r"arm and seed\. Found: 2 runs of scratch with seed 0\. Next: .*weights"):
        summarise([run(seed=0), run(seed=0, run_id="again")])


def test_no_runs_are_refused():
    with pytest.raises(InputError, match=r"needs runs\. Found: no records\. Next: "):
        summarise([])
