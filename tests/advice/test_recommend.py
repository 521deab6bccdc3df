"""Advice against worlds whose truth is known, and its refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.errors import InputError
from azeotrope.record.facts import TeacherFacts
from azeotrope.record.labelled_images import Division
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.texts.advice_text import document
from azeotrope.tables.columns import Columns
from curves.worlds import CROSSING, power, records

DISTILL, SCRATCH = CROSSING
KEYS = {
    "schema",
    "recommendation",
    "predicted_error",
    "p_win",
    "cost",
    "runner_up",
    "labels_needed",
    "worth_in_images",
    "would_change_if",
    "not_tested",
    "evidence",
}
DRAWS = 400


@pytest.fixture(scope="module")
def one_student():
    return records({"distill:kl": DISTILL, "scratch": SCRATCH})


@pytest.fixture(scope="module")
def two_students():
    tiny = records({"distill:kl": DISTILL, "scratch": SCRATCH, "finetune": power(0.05, 2.0, 0.45)})
    large = records(
        {"distill:kl": power(0.05, 2.5, 0.45), "scratch": power(0.02, 3.6, 0.45)},
        student="large",
        parameters=1_000_000,
        seed=3,
    )
    return [*tiny, *large]


def advise(runs, **needs):
    return azeotrope.advise(runs, Needs(**needs), draws=DRAWS)


@pytest.mark.parametrize(("images", "arm"), [(500, "distill:kl"), (16_000, "scratch")])
def test_it_recommends_what_is_truly_best(one_student, images, arm):
    advice = advise(one_student, at=images)
    truth = {"distill:kl": DISTILL, "scratch": SCRATCH}
    assert advice.recommendation.arm == arm
    assert advice.recommendation.sentence.startswith(f"Use {arm} at {images:,} training images: its error will be ")
    assert advice.p_win.p > 0.95
    assert float(truth[arm](np.array(images))) in advice.predicted_error.error
    other = next(name for name in truth if name != arm)
    assert advice.runner_up.contender == other
    margin = float(truth[other](np.array(images)) - truth[arm](np.array(images)))
    assert advice.runner_up.margin.value == pytest.approx(margin, abs=0.005)
    assert advice.runner_up.margin.low > 0


def test_the_document_has_exactly_the_agreed_keys_and_every_number_its_runs(one_student):
    content = document(advise(one_student, at=500, target_error=0.2, reachable=4000, hourly_price=2))
    assert content.keys() == KEYS
    ids = {run.run_id for run in one_student}
    for part in ("predicted_error", "p_win", "cost", "runner_up"):
        assert set(content[part]["run_ids"]) <= ids
        assert content[part]["run_ids"]
    for part in ("labels_needed", "worth_in_images"):
        assert content[part]
        assert all(item["run_ids"] and set(item["run_ids"]) <= ids for item in content[part])
    assert {run_id for row in content["evidence"]["contenders"] for run_id in row["run_ids"]} == ids


def test_labels_needed_hold_the_truth_and_never_where_the_floor_is_higher(one_student):
    advice = advise(one_student, at=2000, target_error=0.12, reachable=16_000)
    by_name = {item.contender: item for item in advice.labels_needed}
    needed = (4.0 / 0.06) ** (1 / 0.45)  # 0.06 + 4 D^-0.45 = 0.12
    assert by_name["scratch"].images.low <= needed <= by_name["scratch"].images.high
    assert by_name["scratch"].p_reachable > 0.8
    never = (2.78 / 0.02) ** (1 / 0.45)
    assert by_name["distill:kl"].images.low <= never <= by_name["distill:kl"].images.high
    assert by_name["distill:kl"].p_reachable < 0.05


def test_worth_of_distillation_and_of_pretrained_weights(two_students):
    advice = advise([run for run in two_students if run.student.name == "tiny"], at=1000)
    by_pair = {(item.of, item.challenger, item.baseline): item for item in advice.worth_in_images}
    assert set(by_pair) == {("distillation", "distill:kl", "scratch"), ("pretraining", "finetune", "scratch")}
    reached = 0.05 + 2.0 * 1000**-0.45
    needed = (4.0 / (reached - 0.06)) ** (1 / 0.45)
    found = by_pair["pretraining", "finetune", "scratch"]
    assert found.images.low <= needed <= found.images.high


def test_it_says_where_the_other_takes_over(one_student):
    said = [change.sentence for change in advise(one_student, at=500).would_change_if]
    assert any(
        line.startswith("with more than about") and "scratch takes over from distill:kl" in line for line in said
    )
    below = [change.sentence for change in advise(one_student, at=16_000).would_change_if]
    assert any("with fewer than about" in line and "distill:kl takes over" in line for line in below)


def test_reachable_images_are_advised_on_too(one_student):
    advice = advise(one_student, at=500, reachable=16_000)
    change = next(item for item in advice.would_change_if if item.sentence.startswith("with 16,000 training images"))
    assert change.to == "scratch"
    with pytest.raises(InputError, match=r"reachable 100 below images 500, which are there already"):
        Needs(at=500, reachable=100)


def test_it_chooses_among_students_within_limits(two_students):
    free = advise(two_students, at=16_000)
    assert (free.recommendation.student, free.recommendation.arm) == ("large", "scratch")
    bound = advise(two_students, at=16_000, max_parameters=5000)
    assert (bound.recommendation.student, bound.recommendation.arm) == ("tiny", "finetune")
    assert any(change.sentence.startswith("if 1,000,000 parameters were allowed") for change in bound.would_change_if)
    excluded = {row.contender: row.excluded for row in bound.evidence.contenders}
    assert excluded["scratch (large)"] == "1,000,000 parameters, over 5,000"
    assert excluded["finetune (tiny)"] is None


def test_without_published_weights_none_is_recommended(two_students):
    advice = advise(two_students, at=3000, max_parameters=5000, hub=False)
    assert advice.recommendation.arm in ("scratch", "distill:kl")
    assert any(change.sentence.startswith("if published weights were allowed") for change in advice.would_change_if)
    allowed = advise(two_students, at=3000, max_parameters=5000)
    assert allowed.recommendation.arm == "finetune"
    assert any(change.sentence.startswith("without published weights") for change in allowed.would_change_if)


def test_limits_that_nothing_fits_name_the_nearest(two_students):
    with pytest.raises(InputError) as error:
        advise(two_students, max_parameters=100)
    said = str(error.value)
    assert "No contender in these runs fits all limits" in said
    assert "5 tested; the nearest, distill:kl (tiny) on tiny, has 1,000 parameters, over 100" in said
    assert "if 1,000 parameters were allowed" in said
    assert "run a smaller student" in said


def test_latency_that_no_record_holds_is_said_to_be_not_known(one_student):
    advice = advise(one_student, at=500, max_latency_ms=5)
    assert advice.recommendation.arm == "distill:kl"
    gap = next(item for item in advice.not_tested if item.what == "latency")
    assert gap.reason == "latency of tiny is not known, so that limit was not applied"


def test_latency_of_a_table_limits(one_student):
    table = as_table(one_student).rename({"method": "arm", "n_train": "train_images"})
    table = table.with_columns(latency_ms=pl.lit(7.0))
    with pytest.raises(InputError, match=r"7 ms, over 5"):
        advise(table, max_latency_ms=5)


def test_of_practically_equal_contenders_the_cheaper_is_recommended():
    runs = records({"distill:kl": power(0.100, 2.78, 0.45), "scratch": power(0.101, 2.78, 0.45)}, seeds=6, sd=0.01)
    advice = advise(runs, at=4000)
    assert advice.recommendation.arm == "scratch"
    assert "cheaper than distill:kl" in advice.recommendation.reason
    assert advice.cost.seconds.value == pytest.approx(10 + 40, rel=0.01)
    paid = advise(runs, at=4000, teacher_exists=True)
    assert paid.recommendation.arm == "distill:kl"


def test_the_teacher_is_charged_shared_or_not_at_all(one_student):
    alone = advise(one_student, at=500).cost
    assert alone.seconds.value == pytest.approx(22.5)
    assert alone.by_phase == pytest.approx({"train": 15, "teacher": 7.5})
    assert advise(one_student, at=500, students_sharing=3).cost.seconds.value == pytest.approx(17.5)
    exists = advise(one_student, at=500, teacher_exists=True, hourly_price=3600).cost
    assert exists.seconds.value == pytest.approx(15)
    assert exists.seconds_alone == pytest.approx(22.5)
    assert exists.money.value == pytest.approx(15)


def test_it_refuses_what_is_not_settled_and_names_the_runs_that_would():
    runs = records({"distill:kl": power(0.10, 2.78, 0.45), "scratch": power(0.103, 2.78, 0.45)}, seeds=2, sd=0.15)
    advice = advise(runs, at=16_000)
    assert advice.recommendation.arm is None
    said = advice.recommendation.sentence
    assert said.startswith("No recommendation at 16,000 training images: these runs do not settle")
    first = advice.recommendation.settled_by[0]
    assert set(first.contenders) == {"distill:kl", "scratch"}
    assert 0 < first.variance_removed < 1
    assert any("one more paired seed of" in change.sentence for change in advice.would_change_if)


def test_it_refuses_far_beyond_the_data(one_student):
    advice = advise(one_student, at=1_000_000)
    assert advice.recommendation.arm is None
    assert "more than 5 x outside the 250 to 16,000 images that were run" in advice.recommendation.sentence
    assert advice.predicted_error is None
    assert [run.train_images for run in advice.recommendation.settled_by] == [130_000, 1_000_000]


def test_it_refuses_far_beyond_the_own_sizes_of_one_arm(one_student):
    """The other arm has runs there; nothing is said of an arm by a law that reaches out 16-fold."""
    runs = [run for run in one_student if run.arm != "scratch" or run.train_images <= 1000]
    advice = advise(runs, at=16_000)
    assert advice.recommendation.arm is None
    assert "more than 5 x outside the 250 to 1,000 images of scratch that were run" in advice.recommendation.sentence
    assert advice.p_win is None
    proposed = [(run.contenders, run.train_images) for run in advice.recommendation.settled_by]
    assert proposed == [(("scratch",), 4000), (("scratch",), 16_000)]


def test_an_arm_that_ends_too_far_is_not_tested_where_two_others_do_not(two_students):
    runs = [run for run in two_students if run.arm != "finetune" or run.train_images <= 1000]
    advice = advise(runs, at=16_000)
    assert advice.recommendation.arm is not None
    reasons = [gap.reason for gap in advice.not_tested if gap.what.startswith("finetune")]
    assert "16,000 images are more than 5 x outside the 250 to 1,000 images that were run" in reasons


def test_two_sizes_are_too_few_and_the_missing_ones_are_named(one_student):
    advice = advise([run for run in one_student if run.train_images in (1000, 16_000)])
    assert advice.recommendation.arm is None
    assert "a law needs three sizes or more" in advice.recommendation.sentence
    assert {run.train_images for run in advice.recommendation.settled_by} == {4000}
    assert document(advice).keys() == KEYS


def test_one_arm_alone_was_compared_with_nothing(one_student):
    advice = advise([run for run in one_student if run.arm == "scratch"])
    assert "scratch was compared with nothing" in advice.recommendation.sentence
    assert advice.recommendation.settled_by[0].contenders == ("distill",)


def test_beyond_the_data_is_said(one_student):
    advice = advise(one_student, at=40_000)
    assert any("lie beyond the 16,000 run" in warning for warning in advice.evidence.warnings)
    assert any(gap.what == "more than 16,000 images" for gap in advice.not_tested)
    assert advice.cost.extrapolated


def test_arms_that_were_not_run_are_not_tested(one_student):
    gaps = {gap.what for gap in advise(one_student, at=500).not_tested}
    assert {"finetune (tiny)", "linear_probe (tiny)", "distill@hub (tiny)"} <= gaps
    assert "finetune (tiny)" not in {gap.what for gap in advise(one_student, at=500, hub=False).not_tested}


def as_table(runs):
    return pl.DataFrame(
        {
            "method": [run.arm for run in runs],
            "n_train": [run.train_images for run in runs],
            "error": [100 * run.test_error for run in runs],
            "seed": [run.seed for run in runs],
        }
    )


def test_a_csv_with_its_own_names_and_without_seconds(tmp_path, one_student):
    path = tmp_path / "runs.csv"
    as_table(one_student).write_csv(path)
    columns = Columns(x={"images": "n_train"}, by=("method",))
    advice = azeotrope.advise(path, Needs(at=500), columns=columns, draws=DRAWS)
    assert advice.recommendation.arm == "distill:kl"
    assert advice.cost is None
    assert advice.predicted_error.run_ids[0].startswith("line ")
    lines = path.read_text().splitlines()
    numbers = [int(run_id.removeprefix("line ")) for run_id in advice.predicted_error.run_ids]
    assert all("distill" in lines[number - 1] for number in numbers)


def test_a_store_gives_what_its_records_give(tmp_path, one_student):
    store = RunStore(str(tmp_path))
    for run in one_student:
        store.put(run)
    assert advise(tmp_path, at=500) == advise(one_student, at=500)


def test_a_store_of_a_newer_version_says_so(tmp_path, one_student):
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "a.json").write_text('{"schema": 99}')
    with pytest.raises(InputError, match=r"written by a newer version.*schema 99"):
        advise(tmp_path)


def test_runs_of_two_tasks_are_refused(one_student):
    other = one_student[0].task.model_copy(update={"name": "other", "fingerprint": "beef"})
    runs = [run.model_copy(update={"task": other}) if run.arm == "scratch" else run for run in one_student]
    with pytest.raises(InputError, match="Advice is about one task"):
        advise(runs)


def test_a_log_loss_above_one_is_advised_on_in_its_own_unit(one_student):
    """Three times the errors: the same arm wins where it did, and no number is called per cent."""
    runs = [run.model_copy(update={"test_nll": 3 * run.test_error}) for run in one_student]
    assert max(run.test_nll for run in runs) > 1
    usual, other = (
        azeotrope.advise(runs, Needs(images=20_000), columns=Columns(error=error), draws=DRAWS)
        for error in ("test_error", "test_nll")
    )
    assert (other.recommendation.contender, other.evidence.unit) == (usual.recommendation.contender, "loss")
    assert other.predicted_error.error.value == pytest.approx(3 * usual.predicted_error.error.value, rel=0.1)
    assert f"its log-loss will be {other.predicted_error.error.value:.3f} (" in other.recommendation.sentence
    said = " ".join([other.recommendation.sentence, *(change.sentence for change in other.would_change_if)])
    assert "%" not in said


def test_a_table_must_say_which_run_is_of_which_strategy(one_student):
    table = as_table(one_student).rename({"n_train": "train_images", "method": "how"})
    with pytest.raises(InputError, match="which run is of which strategy"):
        advise(table)
    with pytest.raises(InputError, match="There is no column named 'wrong'"):
        azeotrope.advise(table, columns=Columns(by=("wrong",)))


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"images": 0}, "images 0, which must be above zero"),
        ({"target_error": 5}, r"target_error 5, which must lie between 0 and 1 \(5 % is 0.05\)"),
        ({"hourly_price": -1}, "hourly_price -1, which must be zero or more"),
        ({"students_sharing": 0}, "students_sharing 0, which must be 1 or more"),
        ({"max_size_mb": -2, "max_latency_ms": 0}, "max_latency_ms 0.*max_size_mb -2"),
    ],
)
def test_needs_that_cannot_be_are_refused_all_at_once(needs, said):
    with pytest.raises(InputError, match=said):
        Needs(**needs)


def test_the_same_arm_under_two_teachers_is_two_contenders(one_student):
    teachers = [
        TeacherFacts(name=name, weights_hash=name, image_size=64, head_accuracy=0.8, head_error=0.2) for name in "ab"
    ]
    runs = [run for run in one_student if run.arm == "scratch"]
    for teacher in teachers:
        runs += [
            run.model_copy(update={"teacher": teacher, "run_id": run.run_id + teacher.name})
            for run in one_student
            if run.arm == "distill:kl"
        ]
    names = {row.contender for row in advise(runs, at=500).evidence.contenders}
    assert names == {"scratch", "distill:kl (a)", "distill:kl (b)"}


def test_of_few_images_no_handful_is_proposed():
    runs = records({"distill": DISTILL, "scratch": SCRATCH}, sizes=(40,))
    settled_by = azeotrope.advise(runs, draws=200).recommendation.settled_by
    assert {run.train_images for run in settled_by} == {10.0, 20.0}


def test_labelled_images_are_all_that_a_person_owns_and_are_divided(one_student):
    """Of 2,000 a fifth tests and a fifth of the rest validates: what is predicted is a training on 1,280."""
    owned, apart = advise(one_student, images=2000), advise(one_student, at=1280)
    assert owned.recommendation.division == Division(1280, 320, 400)
    assert owned.recommendation.images == 1280
    here = "with 2,000 labelled images (1,280 train, 320 validate, 400 test)"
    assert owned.recommendation.sentence == apart.recommendation.sentence.replace("at 1,280 training images", here)
    assert apart.recommendation.division is None
    assert owned.predicted_error == apart.predicted_error


def test_images_needed_are_images_to_own(one_student):
    owned = advise(one_student, images=2000, target_error=0.12, reachable=25_000).labels_needed
    apart = advise(one_student, at=1280, target_error=0.12, reachable=16_000).labels_needed
    for mine, theirs in zip(owned, apart, strict=True):
        assert (mine.counted, theirs.counted) == ("labelled images", "training images")
        assert mine.train_images == theirs.images
        assert mine.images.low == pytest.approx(theirs.images.low / 0.64, rel=0.01)
        assert mine.p_reachable == theirs.p_reachable  # 0.64 x 25,000 are 16,000


def test_more_images_are_counted_as_the_person_counts(one_student):
    said = [change.sentence for change in advise(one_student, images=800, reachable=25_000).would_change_if]
    assert any(line.startswith("with 25,000 labelled images it would be scratch") for line in said)
    train = next(line for line in said if line.startswith("with more than about"))
    assert "labelled images" in train


def test_too_few_images_to_train_on_are_refused(one_student):
    with pytest.raises(InputError, match=r"Found: 10 labelled images, which leave none to train on"):
        advise(one_student, images=10)
    with pytest.raises(InputError, match="images and at, of which one says how many there are"):
        Needs(images=2000, at=1280)


def test_two_seeds_that_tie_give_no_recommendation_as_they_give_no_verdict(one_student):
    """The laws take two seeds without spread for certain; `compare` calls them INCONCLUSIVE."""
    first = {(run.arm, run.train_images): run.test_error for run in one_student if run.seed == 0}
    tied = [
        run.model_copy(update={"test_error": first[run.arm, run.train_images]}) for run in one_student if run.seed < 2
    ]
    advice = advise(tied, at=16_000)
    assert advice.recommendation.arm is None
    assert "share 2 paired seeds at 16,000 images, and a verdict needs 3" in advice.recommendation.sentence
    (more,) = advice.recommendation.settled_by
    assert (more.train_images, more.seeds, set(more.contenders)) == (16_000, 1, {"scratch", "distill:kl"})


def table(test_images, distill, scratch):
    """Four sizes and three seeds of two arms, with these errors of (size, seed)."""
    rows = [
        (arm, size, seed, float(error(size, seed)))
        for arm, error in (("distill", distill), ("scratch", scratch))
        for size in (100, 200, 400, 800)
        for seed in range(3)
    ]
    names = ["arm", "train_images", "seed", "test_error"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(test_images=test_images)


def falling(size, seed):
    """50 % wrong at 100 images, less by the square root, in steps of 200 test images."""
    return round(200 * 0.5 * (size / 100) ** -0.5 * (1 + 0.02 * seed)) / 200


def test_where_no_answer_was_right_nothing_is_recommended():
    """A column called error that holds accuracies of perfect runs gave "Use distill: its error will be 99.7 %"."""
    advice = advise(table(200, lambda *_: 1, lambda *_: 1), at=400)
    assert advice.recommendation.arm is None
    assert advice.recommendation.sentence == (
        "No recommendation at 400 training images: no answer of any run was right. If these are accuracies, name their "
        "column accuracy."
    )


def test_a_perfect_arm_is_recommended_with_a_bound_and_not_as_zero():
    """0 of 200 leaves up to 1.5 % with 95 %."""
    advice = advise(table(200, lambda *_: 0, falling), at=400)
    assert advice.recommendation.arm == "distill"
    assert 0 < advice.predicted_error.error.value < 0.015
    assert any("distill: no error seen in 200 images: below 1.5 %" in line for line in advice.evidence.warnings)


def test_one_arm_that_is_always_wrong_loses():
    assert advise(table(200, falling, lambda *_: 1), at=400).recommendation.arm == "distill"


def test_where_no_arm_ever_errs_neither_is_called_better():
    advice = advise(table(200, lambda *_: 0, lambda *_: 0), at=400)
    assert 0.3 < advice.p_win.p < 0.7
    assert advice.recommendation.contender is None
    assert "no error seen in 200 test images, of distill or scratch" in advice.recommendation.sentence
    assert "below 1.5 % with 95 %; more test images would tell more" in advice.recommendation.sentence
    assert advice.recommendation.settled_by == ()
