"""Verdicts over folds: the variance by hand, Nadeau and Bengio's where images are not known, and the level."""

import numpy as np
import pytest
from scipy import stats

from azeotrope.record.clusters import pack_clusters
from azeotrope.record.facts import FoldFacts, StudentFacts, TaskFacts
from azeotrope.record.folds import pooled
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.verdicts.differences import of_records
from azeotrope.verdicts.folded import WIDER
from azeotrope.verdicts.page import all_pairs, common_of, judged
from azeotrope.verdicts.verdict import arm_error, verdict

TASK = TaskFacts(name="demo", fingerprint="f0", classes=("cat", "dog"))


def runs(arm, wrong, *, bits=True, train_images=80, clusters=None):
    """Pooled runs of one arm; `wrong` [seeds, folds, images] says which test images are wrong."""
    return pooled(
        RunRecord(
            run_id=f"{arm}-{seed}-{fold}", state="done", task=TASK, strategy="scratch", arm=arm,
            student=StudentFacts(name="s", parameters=10), init="random", train_images=train_images, seed=seed,
            fold=FoldFacts(number=fold + 1, of=len(by_fold), over_folds=f"{arm}-{seed}"),
            test_error=float(np.mean(images)), test_images=len(images),
            correct=pack_correctness(~np.asarray(images, bool)) if bits else None, clusters=clusters,
        )
        for seed, by_fold in enumerate(wrong)
        for fold, images in enumerate(by_fold)
    )  # fmt: skip


def drawn(share, seed, shape=(3, 5, 20)):
    return np.random.default_rng(seed).random(shape) < share


def test_the_interval_is_the_mean_of_the_two_variances_with_twice_the_folds_degrees_of_freedom():
    wrong = drawn(0.2, 0), drawn(0.4, 1)
    found = verdict(runs("a", wrong[0]), runs("b", wrong[1]))
    gaps = (wrong[0].astype(float) - wrong[1]).mean(axis=0)  # over seeds: [folds, images]
    of_images, of_folds = gaps.var(ddof=1) / gaps.size, gaps.mean(axis=1).var(ddof=1) / 5
    half = stats.t.ppf(0.975, 8) * WIDER * np.sqrt((of_images + of_folds) / 2)
    assert found.difference.value == pytest.approx(gaps.mean())
    assert found.difference.high - found.difference.value == pytest.approx(half)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(gaps.mean()) / half * stats.t.ppf(0.975, 8), 8))
    assert found.verdict == "BEATS"
    assert "5 folds, 3 paired seeds of each" in found.reason
    assert (found.folds, found.trainings, found.seeds_needed) == (5, 15, None)


def test_without_bits_it_is_nadeau_and_bengios_corrected_t():
    """Their eq. 9: (1/J + n_test/n_train) times the sample variance, J - 1 degrees of freedom."""
    wrong = drawn(0.2, 0), drawn(0.3, 1)
    a, b = (runs(name, each, bits=False, train_images=80) for name, each in zip("ab", wrong, strict=True))
    found = verdict(a, b)
    folds = (wrong[0].mean(axis=2) - wrong[1].mean(axis=2)).mean(axis=0)
    half = stats.t.ppf(0.975, 4) * np.sqrt(folds.var(ddof=1) * (1 / 5 + 20 / 80))
    assert found.difference.high - found.difference.value == pytest.approx(half)
    assert "only the folds' errors are counted" in found.reason


def test_seeds_that_repeat_each_other_tell_no_more_than_one():
    """Image noise is shared by seeds: as many copies of a seed leave the interval where it is."""
    a, b = drawn(0.2, 2, (1, 5, 20)), drawn(0.3, 3, (1, 5, 20))
    one = verdict(runs("a", a), runs("b", b)).difference
    four = verdict(runs("a", np.repeat(a, 4, axis=0)), runs("b", np.repeat(b, 4, axis=0))).difference
    assert (four.low, four.high) == pytest.approx((one.low, one.high))


def test_a_difference_between_folds_widens_what_images_alone_would_say():
    even = np.tile([1, 0, 0, 0], (1, 5, 5)).astype(bool)
    torn = even.copy()
    torn[0, 0], torn[0, 1] = True, False  # the same share of wrong images, all of one fold
    none = np.zeros_like(even)
    widths = [
        (found.high - found.low)
        for found in (verdict(runs("a", wrong), runs("b", none)).difference for wrong in (even, torn))
    ]
    assert widths[1] > 1.5 * widths[0]


def test_one_seed_of_two_folds_gives_no_verdict_and_of_three_does():
    two = verdict(runs("a", drawn(0.0, 0, (1, 2, 50))), runs("b", drawn(0.9, 1, (1, 2, 50))))
    assert two.verdict == "INCONCLUSIVE"
    assert two.reason.startswith("1 paired seed of 2 folds; a verdict needs 3 trainings of each arm")
    assert verdict(runs("a", drawn(0.0, 0, (1, 3, 50))), runs("b", drawn(0.9, 1, (1, 3, 50)))).verdict == "BEATS"


def test_the_error_of_one_arm_has_the_same_kind_of_interval():
    wrong = drawn(0.3, 4)
    found = arm_error(runs("a", wrong))
    means = wrong.mean(axis=0)
    both = means.var(ddof=1) / means.size + means.mean(axis=1).var(ddof=1) / 5
    assert found.value == pytest.approx(means.mean())
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 8) * WIDER * np.sqrt(both / 2))


def test_arms_without_a_wrong_image_are_not_known_for_sure():
    found = arm_error(runs("a", np.zeros((1, 5, 20), bool)))
    assert 0 < found.high < 0.05


def test_no_pair_of_a_page_informs_another_over_folds_and_holms_procedure_stays():
    by_arm = {
        name: runs(name, drawn(share, place))
        for place, (name, share) in enumerate({"a": 0.1, "b": 0.3, "c": 0.3}.items())
    }
    pairs = all_pairs(by_arm)
    assert common_of([pairs]) is None
    page = judged(pairs, None)
    assert page[0].alone == verdict(by_arm["a"], by_arm["b"])
    assert min(one.p_page for one in page) == pytest.approx(3 * min(one.alone.p for one in page))


def test_equal_arms_are_called_different_in_about_one_of_twenty_where_only_images_differ():
    """Without any effect of training sets the factor for them makes it a little rarer."""
    called = 0
    for world in range(400):
        a, b = drawn(0.25, 2 * world, (1, 5, 30)), drawn(0.25, 2 * world + 1, (1, 5, 30))
        called += verdict(runs("a", a), runs("b", b)).verdict != "INCONCLUSIVE"
    assert 0.005 < called / 400 < 0.055


def test_differences_say_how_often_an_arm_was_trained():
    assert of_records(runs("a", drawn(0.2, 0)), runs("b", drawn(0.2, 1))).trainings == 15


def test_few_training_images_are_one_draw_of_a_seed_for_all_folds_so_the_spread_over_seeds_counts():
    """40 images are trained on where a fold leaves 80: at 39 the t interval over seeds is added, as of a hold-out."""
    wrong = drawn(0.2, 0), drawn(0.35, 1)
    many, few = (
        verdict(*(runs(name, each, train_images=count) for name, each in zip("ab", wrong, strict=True)))
        for count in (40, 39)
    )
    gaps = (wrong[0].astype(float) - wrong[1]).mean(axis=(1, 2))
    draw = stats.t.ppf(0.975, 2) * gaps.std(ddof=1) / 3**0.5
    half = many.difference.high - many.difference.value
    assert few.difference.high - few.difference.value == pytest.approx(np.hypot(half, draw))
    at_p = stats.t.ppf(1 - few.p / 2, 2) * gaps.std(ddof=1) / 3**0.5
    assert at_p < abs(gaps.mean())


def test_one_seed_of_few_training_images_decides_nothing_and_says_why():
    wrong = drawn(0.0, 0, (1, 5, 20)), drawn(0.9, 1, (1, 5, 20))
    found = verdict(*(runs(name, each, train_images=10) for name, each in zip("ab", wrong, strict=True)))
    assert (found.verdict, found.p, found.difference.low, found.difference.high) == ("INCONCLUSIVE", 1.0, -1.0, 1.0)
    assert found.reason.startswith("1 paired seed, and all folds train on one draw of few images")
    assert (arm_error(runs("b", wrong[1], train_images=10)).low, arm_error(runs("b", wrong[1])).low > 0) == (0.0, True)


def test_where_trainings_differ_more_than_images_explain_the_folds_alone_decide_the_width():
    """Of 40 images a fold, whole folds right or wrong: K - 1 degrees of freedom, and no factor."""
    wrong = np.zeros((1, 5, 40), bool)
    wrong[0, :2, :30] = True
    found = verdict(runs("a", wrong, train_images=160), runs("b", np.zeros_like(wrong), train_images=160))
    means = wrong[0].mean(axis=1)
    half = stats.t.ppf(0.975, 4) * means.std(ddof=1) / 5**0.5
    assert found.difference.value - found.difference.low == pytest.approx(half)
    assert found.p == pytest.approx(2 * stats.t.sf(means.mean() / (means.std(ddof=1) / 5**0.5), 4))


def test_of_one_group_a_fold_it_is_nadeau_and_bengios_since_images_tell_no_more():
    wrong = drawn(0.4, 5, (1, 5, 20))
    clusters = pack_clusters(np.zeros(20, int))
    found = arm_error(runs("a", wrong, clusters=clusters))
    of_folds = wrong[0].mean(axis=1).var(ddof=1) * (1 / 5 + 20 / 80)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 4) * of_folds**0.5)
