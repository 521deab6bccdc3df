"""Verdicts against textbook intervals and the rules of docs/verdicts.md."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats

from azeotrope.errors import InputError
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.tables.frame import read_runs
from azeotrope.verdicts.differences import of_records, of_rows
from azeotrope.verdicts.paired import bootstrap_sd
from azeotrope.verdicts.verdict import arm_error, verdict

TASK = TaskFacts(name="demo", fingerprint="f0", classes=("cat", "dog"))


def run(arm: str, seed: int, wrong: np.ndarray | float, **changes) -> RunRecord:
    facts = {
        "run_id": f"{arm}-{seed}", "state": "done", "task": TASK, "strategy": "scratch", "arm": arm,
        "student": StudentFacts(name="s", parameters=10), "init": "random", "train_images": 100, "seed": seed,
    }  # fmt: skip
    if isinstance(wrong, np.ndarray):
        facts |= {"test_error": float(wrong.mean()), "test_images": len(wrong), "correct": pack_correctness(~wrong)}
    else:
        facts |= {"test_error": wrong}
    return RunRecord(**(facts | changes))


def arm(name: str, errors: list[float]) -> list[RunRecord]:
    return [run(name, seed, error) for seed, error in enumerate(errors)]


def test_without_correctness_the_interval_is_scipys_paired_t_interval():
    a, b = [0.10, 0.12, 0.11, 0.13], [0.15, 0.16, 0.17, 0.165]
    found = verdict(arm("a", a), arm("b", b))
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high))
    assert found.verdict == "BEATS"
    assert found.over_test_images is None
    assert "not counted" in found.reason


def test_the_other_way_round_does_not_beat():
    assert verdict(arm("a", [0.3, 0.31, 0.305]), arm("b", [0.1, 0.11, 0.105])).verdict == "DOES NOT BEAT"


def test_an_interval_around_zero_is_inconclusive():
    found = verdict(arm("a", [0.10, 0.20, 0.15]), arm("b", [0.12, 0.16, 0.17]))
    assert found.verdict == "INCONCLUSIVE"
    assert "contains zero" in found.reason


def test_both_sources_of_error_add_in_squares():
    rng = np.random.default_rng(1)
    a = [run("a", seed, rng.random(4000) < 0.20) for seed in range(4)]
    b = [run("b", seed, rng.random(4000) < 0.30) for seed in range(4)]
    found = verdict(a, b)
    halves = [(part.high - part.low) / 2 for part in (found.difference, found.over_seeds, found.over_test_images)]
    assert halves[0] ** 2 == pytest.approx(halves[1] ** 2 + halves[2] ** 2)
    assert found.verdict == "BEATS"
    assert "not counted" not in found.reason


def test_a_small_test_set_keeps_equal_seeds_from_deciding():
    """Seeds agree perfectly, but 20 images cannot prove a difference of one image."""
    wrong_a, wrong_b = np.arange(20) < 4, np.arange(20) < 5
    a = [run("a", seed, wrong_a) for seed in range(3)]
    b = [run("b", seed, wrong_b) for seed in range(3)]
    found = verdict(a, b)
    assert found.over_seeds.high < 0
    assert found.verdict == "INCONCLUSIVE"


def test_resampled_images_give_the_textbook_standard_error():
    outcome = (np.random.default_rng(0).random(5000) < 0.3).astype(float)
    assert bootstrap_sd(outcome, resamples=20_000) == pytest.approx(outcome.std() / np.sqrt(5000), rel=0.02)


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_inconclusive_however_clear(seeds):
    found = verdict(arm("a", [0.01] * seeds), arm("b", [0.9] * seeds))
    assert found.verdict == "INCONCLUSIVE"
    assert f"{seeds} paired seed" in found.reason
    assert "needs 3" in found.reason


def test_one_seed_leaves_the_difference_open():
    found = verdict(arm("a", [0.2]), arm("b", [0.3]))
    assert asdict(found.difference) == pytest.approx({"value": -0.1, "low": -1.0, "high": 1.0, "level": 0.95})


def test_only_seeds_that_both_arms_finished_are_paired():
    a = [*arm("a", [0.1, 0.1, 0.1]), run("a", 7, 0.9, state="failed", test_error=None, reason="loss is not finite")]
    b = [*arm("b", [0.2, 0.2, 0.2]), run("b", 7, 0.2), run("b", 8, 0.2)]
    assert verdict(a, b).seeds == (0, 1, 2)


def test_arms_without_a_common_seed_have_no_difference():
    found = verdict([run("a", 0, 0.1)], [run("b", 1, 0.2)])
    assert found.difference is None
    assert "no seed" in found.reason


@pytest.mark.parametrize(
    ("change", "word"),
    [({"train_images": 200}, "train_images"), ({"task": TaskFacts(name="x", fingerprint="f1", classes=())}, "task")],
)
def test_runs_that_cannot_be_compared_are_refused(change, word):
    with pytest.raises(InputError, match=f"share one {word}") as caught:
        verdict(arm("a", [0.1]), [run("b", 0, 0.2, **change)])
    assert caught.value.found
    assert caught.value.next_step


def test_a_repeated_seed_is_refused():
    with pytest.raises(InputError, match="one run"):
        verdict([run("a", 0, 0.1), run("a", 0, 0.2)], arm("b", [0.2]))


def test_mixed_arms_and_no_runs_are_refused():
    with pytest.raises(InputError, match="must be one arm"):
        verdict([run("a", 0, 0.1), run("c", 1, 0.2)], arm("b", [0.2]))
    with pytest.raises(InputError, match="has none"):
        verdict([], arm("b", [0.2]))


def test_arm_error_covers_the_truth_of_seeds_and_images():
    """400 worlds: error of a seed ~ N(0.2, 0.01), 500 test images shared by 4 seeds; 95 % must cover about 95 %."""
    rng, covered = np.random.default_rng(3), 0
    for _ in range(400):
        difficulty = rng.random(500)
        runs = [run("a", seed, difficulty < rng.normal(0.2, 0.01)) for seed in range(4)]
        covered += 0.2 in arm_error(runs)
    assert 0.92 <= covered / 400 <= 1.0


def test_arm_error_of_one_seed_and_of_none():
    assert (arm_error(arm("a", [0.2])).low, arm_error(arm("a", [0.2])).high) == (0.0, 1.0)
    assert arm_error([run("a", 0, 0.1, state="failed", test_error=None)]) is None


@pytest.mark.parametrize(("kind", "error"), [("multi", "1 − mAP"), ("number", "1 − R²")])
def test_of_other_kinds_the_verdict_rests_on_the_seeds_alone_and_says_so(kind, error):
    """Neither correctness nor a binomial is known: the interval of an arm is Student's."""
    task = TaskFacts(name="demo", fingerprint="f0", classes=("cat", "dog"), kind=kind)
    a, b = ([run(name, seed, value, task=task, test_images=500) for seed, value in enumerate(errors)]
            for name, errors in (("a", [0.10, 0.12, 0.11]), ("b", [0.30, 0.31, 0.32])))  # fmt: skip
    found = verdict(a, b)
    assert found.verdict == "BEATS"
    assert found.over_test_images is None
    assert found.reason.endswith(f"sampling of test images is not counted: {error} is no mean over images")
    expected = stats.t.interval(0.95, 2, loc=0.11, scale=0.01 / np.sqrt(3))
    assert (arm_error(a).low, arm_error(a).high) == pytest.approx(expected)


def test_runs_without_a_wrong_answer_leave_the_error_open():
    """Of 100 images none wrong: the standard error of half a wrong one, and no verdict between two such arms."""
    perfect, other = (
        [run(name, seed, np.zeros(100, dtype=bool)) for seed in range(3)] for name in ("scratch", "distill")
    )
    found = arm_error(perfect)
    assert found.low == 0
    assert found.high == pytest.approx(1.96 * np.sqrt(0.5) / 100, rel=0.01)
    assert verdict(perfect, other).verdict == "INCONCLUSIVE"


def test_images_of_one_patient_count_as_one():
    """Ten pictures of each of 40 patients, all wrong or all right: the interval is that of 40 images, widened to
    Student's with 39 degrees of freedom.
    """
    random = np.random.default_rng(5)
    patients = random.random((3, 2, 40)) < 0.3
    clusters = pack_clusters(np.repeat(np.arange(40), 10))
    one = [[run(name, seed, patients[seed, side]) for seed in range(3)] for side, name in enumerate("ab")]
    ten = [
        [run(name, seed, np.repeat(patients[seed, side], 10), clusters=clusters) for seed in range(3)]
        for side, name in enumerate("ab")
    ]
    alone, repeated = verdict(*one).over_test_images, verdict(*ten).over_test_images
    wider = stats.t.ppf(0.975, 39) / stats.norm.ppf(0.975)
    assert repeated.value == pytest.approx(alone.value)
    assert repeated.high - repeated.low == pytest.approx(wider * (alone.high - alone.low))
    assert arm_error(ten[0]).high > arm_error(one[0]).high


def test_of_a_mean_over_classes_the_noise_of_test_images_is_that_of_each_class():
    """300 worlds: 400 test images of one class and 16 of another, two equal arms. What the test images are said to add
    must be what they add; all images alike would say far too little.
    """
    random, classes = np.random.default_rng(9), np.repeat([0, 1], [400, 16])
    chances, packed = np.array([0.1, 0.4])[classes], pack_clusters(classes)
    values, variances, plain = [], [], []
    for _ in range(300):
        wrong = random.random((2, 416)) < chances
        arms = [
            [run(name, 0, wrong[side], test_classes=packed, recipe={"metric": "balanced_error"},
                 test_error=(wrong[side, :400].mean() + wrong[side, 400:].mean()) / 2)]
            for side, name in enumerate("ab")
        ]  # fmt: skip
        found = of_records(*arms)
        values.append(found.mean)
        variances.append(found.image_variance)
        if len(values) < 5:  # the same runs as rows of a table
            rows = [read_runs(runs).table for runs in arms]
            assert of_rows(*rows, "a", "b").image_variance == pytest.approx(found.image_variance)
        plain.append(of_records(*([run(name, 0, wrong[side])] for side, name in enumerate("ab"))).image_variance)
    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.15)
    assert np.mean(plain) < np.var(values) / 5


def test_runs_of_two_measures_are_not_compared():
    with pytest.raises(InputError, match="share one measure") as caught:
        verdict(arm("a", [0.1]), [run("b", 0, 0.2, recipe={"metric": "balanced_error"})])
    assert caught.value.found == "balanced_error, error"


def test_runs_judged_before_and_after_one_resize_are_not_compared():
    before, after = arm("a", [0.1, 0.12, 0.11]), [run("b", seed, 0.2, resize="once") for seed in range(3)]
    with pytest.raises(InputError, match="share one resize of what is judged") as caught:
        verdict(before, after)
    assert caught.value.found == "once, stored"
    small = StudentFacts(name="s", parameters=1, image_size=16)
    at_another_size = [run.model_copy(update={"student": small}) for run in after]
    assert verdict(before, at_another_size).difference.value < 0


def test_one_arm_has_no_pre_trainings_judged_before_and_after_one_resize():
    """Two arms may differ in it: the pictures that judge both are the same."""
    before = [run("a", seed, 0.1, upstream="u") for seed in range(3)]
    after = [run("b", seed, 0.2, upstream="u", upstream_resize="once") for seed in range(3)]
    assert verdict(before, after).difference.value < 0
    mixed = [*before[:2], run("a", 2, 0.1, upstream="u", upstream_resize="once")]
    with pytest.raises(InputError, match="one resize of what judged the pre-training of a") as caught:
        verdict(mixed, after)
    assert caught.value.found == "once, stored"


@pytest.mark.parametrize("other", [{"metric": "file:b.py:cost"}, {"metric": "file:a.py:cost", "metric_code": "9f"}])
def test_runs_of_two_own_measures_of_one_name_are_not_compared(other):
    one = {"metric": "file:a.py:cost", "metric_code": "1c"}
    with pytest.raises(InputError, match="share one measure") as caught:
        verdict([run("a", 0, 0.1, recipe=one)], [run("b", 0, 0.2, recipe={"metric_code": "1c", **other})])
    assert "file:a.py:cost (1c), file:" in caught.value.found


def test_without_a_wrong_answer_a_class_of_few_keeps_a_mean_over_classes_open():
    facts = {"test_classes": pack_clusters(np.repeat([0, 1], [96, 4])), "recipe": {"metric": "balanced_error"}}
    found = arm_error([run("a", seed, np.zeros(100, dtype=bool), **facts) for seed in range(3)])
    assert found.high > 0.15
