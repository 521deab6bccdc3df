"""Reading runs: what is recognised, what is left out and counted, what is refused and in which words."""

from __future__ import annotations

import json

import polars as pl
import pytest

from azeotrope.errors import AzeotropeError, InputError, NotIdentifiable
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.tables.checks import check_one_curve, check_sizes, common_sizes, sizes
from azeotrope.tables.columns import Columns
from azeotrope.tables.edges import NoUsableRun
from azeotrope.tables.frame import read_runs
from published import published


def table(**columns) -> pl.DataFrame:
    """Two arms, three sizes, two seeds, unless a column says otherwise."""
    rows = [(arm, size, seed) for arm in ("distill", "scratch") for size in (100, 200, 400) for seed in (0, 1)]
    base = pl.DataFrame(rows, schema=["arm", "train_images", "seed"], orient="row")
    base = base.with_columns(test_error=pl.Series([0.2 + 0.01 * i for i in range(len(rows))]))
    return base.with_columns(**{name: pl.Series(name, values, strict=False) for name, values in columns.items()})


def errors(**changes: float | None) -> pl.DataFrame:
    """The table with the error at row `rI` changed."""
    values = table()["test_error"].to_list()
    for row, value in changes.items():
        values[int(row[1:])] = value
    return table(test_error=values)


def record(**changes) -> RunRecord:
    facts = {
        "run_id": "r0", "state": "done", "task": TaskFacts(name="t", fingerprint="f", classes=("x", "y", "z", "w")),
        "strategy": "scratch", "arm": "scratch@random", "student": StudentFacts(name="s", parameters=1000),
        "init": "random", "train_images": 100, "seed": 0, "test_error": 0.2, "test_images": 500,
    }  # fmt: skip
    return RunRecord(**(facts | changes))


def says(caught: pytest.ExceptionInfo[AzeotropeError], *words: str) -> None:
    """The message names the rule, what was found and the next step."""
    assert caught.value.found
    assert caught.value.next_step
    for word in words:
        assert word in str(caught.value)


def test_a_store_gives_the_records_numbers(tmp_path):
    store = RunStore(str(tmp_path))
    for seed in (0, 1):
        store.put(record(run_id=f"r{seed}", seed=seed, test_error=0.2 + seed / 10))
    frame = read_runs(tmp_path)
    assert frame.groups == ("scratch@random",)
    assert frame.table["error"].to_list() == pytest.approx([0.2, 0.3])
    assert frame.table["run_id"].to_list() == ["r0", "r1"]
    assert frame.chance_error == 0.75
    assert frame.paired
    assert not frame.warnings


def test_the_log_loss_of_records_is_a_loss_under_its_own_name():
    runs = [record(run_id=f"r{seed}", seed=seed, test_nll=1.1 + seed) for seed in (0, 1)]
    frame = read_runs([*runs, record(run_id="r2", seed=2)], Columns(error="test_nll"))
    assert frame.table["error"].to_list() == pytest.approx([1.1, 2.1])
    assert (frame.unit, frame.bounded, frame.chance_error, frame.measure) == ("loss", False, None, "log-loss")
    assert frame.excluded == {"no test_nll": 1}
    assert any("counts how sure answers are" in note for note in frame.notes)
    assert not any("counts how sure" in note for note in read_runs(runs).notes)


def test_runs_that_hold_no_log_loss_are_refused_by_that_name():
    with pytest.raises(NoUsableRun) as caught:
        read_runs([record()], Columns(error="test_nll"))
    says(caught, "No usable run is left", "1 x no test_nll")


def test_the_log_loss_of_another_kind_is_not_called_its_error():
    task = TaskFacts(name="t", fingerprint="f", classes=("x", "y"), kind="multi")
    runs = [record(run_id=f"r{seed}", seed=seed, task=task, test_nll=0.5) for seed in (0, 1)]
    frame = read_runs(runs, Columns(error="test_nll"))
    assert frame.measure == "log-loss"
    assert not any("mAP" in note for note in frame.notes)


def test_failed_and_unreadable_records_are_left_out_and_counted(tmp_path):
    store = RunStore(str(tmp_path))
    store.put(record())
    store.put(record(run_id="r1", seed=1, state="failed", reason="loss is nan at step 3", test_error=None))
    store.put(record(run_id="r2", seed=2, test_error=None))
    (tmp_path / "runs" / "torn.json").write_text('{"schema": 1, ')
    frame = read_runs(tmp_path)
    assert frame.excluded == {"unreadable record": 1, "failed": 1, "no test error": 1}
    assert "1 row left out: failed" in frame.warnings
    assert frame.table.height == 1


def test_records_of_a_newer_schema_are_counted_not_guessed(tmp_path):
    RunStore(str(tmp_path)).put(record())
    newer = json.loads(record(run_id="r9").model_dump_json()) | {"schema": 99}
    (tmp_path / "runs" / "r9.json").write_text(json.dumps(newer))
    assert read_runs(tmp_path).excluded == {"unreadable record": 1}


def test_a_csv_with_its_own_names_is_mapped(tmp_path):
    path = tmp_path / "mine.csv"
    table().rename({"arm": "method", "train_images": "n_train", "test_error": "top1_err"}).write_csv(path)
    frame = read_runs(path, Columns(x={"images": "n_train"}, error="top1_err", by=("method",)))
    assert frame.groups == ("distill", "scratch")
    assert frame.axes == ("train_images",)
    assert frame.table.height == 12


def test_csv_and_parquet_give_the_same_frame(tmp_path):
    table().write_csv(tmp_path / "a.csv")
    table().write_parquet(tmp_path / "a.parquet")
    assert read_runs(tmp_path / "a.csv").table.equals(read_runs(tmp_path / "a.parquet").table)


def test_per_cent_is_recognised_and_said():
    frame = read_runs(table(test_error=[20.0 + i for i in range(12)]))
    assert frame.unit == "percent"
    assert frame.table["error"].max() == pytest.approx(0.31)
    assert "per cent" in frame.notes[0]


def test_a_fraction_is_recognised_and_said():
    frame = read_runs(table())
    assert frame.unit == "fraction"
    assert "a fraction" in frame.notes[0]


def test_a_small_per_cent_column_can_be_said_by_the_user():
    frame = read_runs(table(), Columns(error_unit="percent"))
    assert frame.table["error"].max() == pytest.approx(0.0031)


def test_a_loss_has_no_upper_bound():
    frame = read_runs(table().rename({"test_error": "loss"}).with_columns(pl.col("loss") * 900))
    assert frame.unit == "loss"
    assert not frame.bounded
    assert frame.chance_error is None
    assert frame.table["error"].max() == pytest.approx(279)


def test_per_cent_above_100_is_refused():
    with pytest.raises(InputError, match="cannot exceed 100") as caught:
        read_runs(errors(r0=101.0, r1=50.0))
    says(caught, "101", "--error-unit loss")


def test_a_fraction_above_1_is_refused_when_the_user_says_fraction():
    with pytest.raises(InputError, match="a fraction, which cannot exceed 1") as caught:
        read_runs(errors(r0=1.5), Columns(error_unit="fraction"))
    says(caught, "1.5")


def test_negative_errors_are_refused():
    with pytest.raises(InputError, match="may not be negative") as caught:
        read_runs(errors(r3=-0.1))
    says(caught, "-0.1", "test_error")


def test_accuracy_is_read_as_1_minus_it_and_said():
    frame = read_runs(table().select("arm", "train_images", "seed", acc=1 - pl.col("test_error")))
    assert frame.table["error"].sort().to_list() == pytest.approx(read_runs(table()).table["error"].sort().to_list())
    assert "1 - accuracy" in frame.notes[0]
    assert "'acc'" in frame.notes[0]


@pytest.mark.parametrize("name", ["Val Acc", "validation/accuracy", "val_top1", "Train Accuracy (%)", "dev.acc"])
def test_an_accuracy_of_other_images_is_read_as_one_where_the_user_names_it(name):
    rows = table().select("arm", "train_images", "seed", (1 - pl.col("test_error")).alias(name))
    frame = read_runs(rows, Columns(error=name))
    assert frame.table["error"].sort().to_list() == pytest.approx(read_runs(table()).table["error"].sort().to_list())
    assert f"{name!r} is read as accuracy" in frame.notes[0]


@pytest.mark.parametrize("name", ["Val Acc", "train_accuracy"])
def test_an_accuracy_of_other_images_is_not_taken_unasked(name):
    with pytest.raises(InputError, match="No column here says error") as caught:
        read_runs(table().select("arm", "train_images", "seed", (1 - pl.col("test_error")).alias(name)))
    says(caught, "--error")


@pytest.mark.parametrize("missing", [float("nan"), None, float("inf")])
def test_missing_errors_are_left_out_and_counted(missing):
    frame = read_runs(errors(r3=missing))
    assert frame.excluded == {"no test error": 1}
    assert frame.table.height == 11


@pytest.mark.parametrize(("edge", "counted"), [(0.0, 0.5 / 501), (1.0, 500.5 / 501)])
def test_no_wrong_and_no_right_answer_are_values(edge, counted):
    """(wrong + 1/2) / (images + 1); every other error stays."""
    frame = read_runs(errors(r0=edge).with_columns(test_images=500))
    assert frame.excluded == {}
    assert frame.table["error"].to_list() == pytest.approx([counted, *table()["test_error"].to_list()[1:]])


def test_without_test_images_one_step_between_errors_stands_for_one_image():
    frame = read_runs(errors(r0=0.0))
    assert frame.table["error"][0] == pytest.approx(0.5 / 101)  # all errors are hundredths
    assert any("steps of 1/100" in warning for warning in frame.warnings)


def test_an_arm_without_any_wrong_answer_is_said_with_its_bound():
    """0.05 = (1 - p) ** 359 at p = 0.83 %."""
    frame = read_runs(table(test_error=[0.0] * 6 + [0.5] * 6).with_columns(test_images=359))
    assert "distill: no error seen in 359 images: below 0.83 % with 95 %" in frame.warnings
    assert frame.groups == ("distill", "scratch")


def test_some_runs_without_a_wrong_answer_are_counted():
    frame = read_runs(errors(r0=0.0).with_columns(test_images=359))
    assert "distill: 1 of 6 runs has no wrong answer in 359 images and counts as 0.14 % wrong" in frame.warnings


def test_an_arm_that_is_always_wrong_keeps_its_runs():
    frame = read_runs(table(test_error=[1.0] * 6 + [0.5] * 6).with_columns(test_images=99))
    assert frame.only("distill").table["error"].to_list() == pytest.approx([0.995] * 6)
    assert any("distill: no answer was right in 99 images: accuracy below 3 %" in line for line in frame.warnings)


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_edges_alone_need_the_number_of_test_images(edge):
    with pytest.raises(NoUsableRun, match="follows from the number of test images") as caught:
        read_runs(table(test_error=[edge] * 12))
    says(caught, "test_images")
    assert read_runs(table(test_error=[edge] * 12).with_columns(test_images=50)).table.height == 12


def test_test_images_that_some_rows_lack_are_read_from_the_steps_there_only():
    rows = errors(r0=0.0, r6=0.0).with_columns(test_images=pl.Series([None] + [500] * 10 + [400]))
    assert read_runs(rows).table.sort("group", "train_images", "seed")["error"][0] == pytest.approx(0.5 / 101)
    assert read_runs(rows).only("scratch").table["error"][0] == pytest.approx(0.5 / 501)


def test_a_loss_of_exactly_zero_counts_as_half_the_smallest():
    frame = read_runs(errors(r0=0.0).rename({"test_error": "test_loss"}))
    assert frame.table["error"].min() == pytest.approx(0.105)
    assert any("1 losses of exactly 0" in warning for warning in frame.warnings)


@pytest.mark.parametrize("kind", ["multi", "number"])
def test_a_perfect_run_of_another_kind_of_task_counts_too(kind):
    """Its number of test images says how far from zero it may be, but is no binomial's."""
    facts = TaskFacts(name="t", fingerprint="f", classes=("x", "y"), kind=kind)
    runs = [record(run_id=f"r{seed}", seed=seed, test_error=0.2 * seed, task=facts) for seed in (0, 1)]
    frame = read_runs(runs)
    assert frame.table["error"].to_list() == pytest.approx([0.5 / 501, 0.2])
    assert frame.table["test_images"].to_list() == [None, None]


@pytest.mark.parametrize("values", [["cnn", "vit"] * 6, ["multi", "vit"] * 6, [1, 2] * 6])
def test_a_column_kind_that_says_something_else_is_no_kind_of_task(values):
    frame = read_runs(table(kind=values, seed=range(12)), Columns(by=("kind",)))
    assert frame.groups == tuple(sorted(map(str, set(values))))
    assert frame.measure == "error"
    assert len(frame.notes) == 1


def test_duplicated_rows_count_once():
    frame = read_runs(pl.concat([table(), table()[:3]]))
    assert frame.excluded == {"duplicated row": 3}
    assert frame.table.height == 12


def test_two_errors_for_one_run_are_refused():
    twice = pl.concat([table(), table()[:1].with_columns(test_error=pl.lit(0.9))])
    with pytest.raises(InputError, match="may have one run") as caught:
        read_runs(twice)
    says(caught, "'distill'", "train_images 100", "seed 0", "0.2, 0.9", "--by")


def test_mixed_tasks_are_refused_and_a_filter_helps():
    mixed = table(task=["birds", "cars"] * 6)
    with pytest.raises(InputError, match="mix tasks") as caught:
        read_runs(mixed)
    says(caught, "birds, cars", "--where task=NAME")
    assert read_runs(mixed, Columns(where={"task": "birds"})).table.height == 6
    assert read_runs(mixed, Columns(by=("task", "arm"))).groups[0] == "birds,distill"


def test_mixed_schemas_are_refused():
    with pytest.raises(InputError, match="mix schemas") as caught:
        read_runs(table(schema=[1] * 11 + [2]))
    says(caught, "1, 2")


def test_runs_judged_before_and_after_one_resize_make_no_table():
    """At one image size of one task, whatever the student; at another size the frames may be the pictures."""
    runs = [record(), record(run_id="r1", seed=1, resize="once")]
    with pytest.raises(InputError, match="mix pictures resized once") as caught:
        read_runs(runs)
    says(caught, "once, stored", "--where judged_resize=once", "a folder of their own")
    assert read_runs(runs, Columns(where={"judged_resize": "once"})).table["run_id"].to_list() == ["r1"]
    other = StudentFacts(name="larger", parameters=2000)
    with pytest.raises(InputError, match="mix pictures resized once"):
        read_runs([runs[0], record(run_id="r2", seed=1, resize="once", student=other)])
    smaller = StudentFacts(name="s", parameters=1000, image_size=16)
    assert read_runs([runs[0], record(run_id="r2", seed=1, resize="once", student=smaller)]).table.height == 2


def test_a_table_of_resizes_that_names_no_task_is_read():
    assert read_runs(table(judged_resize=["once"] * 12)).table.height == 12
    with pytest.raises(InputError, match="mix pictures resized once"):
        read_runs(table(judged_resize=["once", "stored"] * 6))


def test_pre_trainings_judged_before_and_after_one_resize_make_no_curve():
    """The target's pictures are stored as they came, so its own runs have no mark."""
    facts = {"arm": "finetune@upstream", "strategy": "finetune", "init": "upstream", "upstream": "large"}
    before, after = record(**facts), record(run_id="r1", **facts, upstream_resize="once", test_error=0.3)
    with pytest.raises(InputError, match="mix pre-trainings judged") as caught:
        read_runs([record(run_id="r2"), before, after])
    says(caught, "once, stored", "add upstream_resize to --by", "a folder of their own")
    apart = read_runs([before, after], Columns(by=("arm", "upstream_resize")))
    assert apart.groups == ("finetune@upstream,once", "finetune@upstream,stored")
    assert read_runs([record(run_id="r2"), after]).table.height == 2


def test_an_unknown_column_names_its_neighbours():
    with pytest.raises(InputError, match="no column named 'tst_error'") as caught:
        read_runs(table(), Columns(error="tst_error"))
    says(caught, "nearest: test_error", "--error")


def test_an_unknown_axis_names_the_known_ones():
    with pytest.raises(InputError, match="no axis named 'depth'") as caught:
        read_runs(table(), Columns(x={"depth": "seed"}))
    assert "train_images" in str(caught.value)


def test_a_table_without_sizes_is_refused():
    with pytest.raises(InputError, match="at least one size") as caught:
        read_runs(table().drop("train_images"))
    says(caught, "--x images=")


def test_words_in_a_number_column_are_refused():
    with pytest.raises(InputError, match="must hold numbers") as caught:
        read_runs(table(test_error=["bad"] * 12))
    says(caught, "bad")


@pytest.mark.parametrize(
    ("name", "least", "found"),
    [("train_images", 1, 0), ("pretrain_images", 0, -5), ("classes", 2, 1), ("test_images", 1, 0)],
)
def test_counts_below_the_least_possible_are_refused(name, least, found):
    with pytest.raises(InputError, match=f"{name} may not be below {least}") as caught:
        read_runs(table(**{name: [found] * 12}))
    says(caught, str(found))


@pytest.mark.parametrize("size", [float("nan"), float("inf")])
def test_sizes_that_are_no_number_are_left_out_and_counted(size):
    frame = read_runs(table(train_images=[size] + [100.0, 200.0, 400.0] * 3 + [800.0] * 2, seed=range(12)))
    assert frame.excluded == {"size is NaN or infinite": 1}
    assert frame.table.height == 11


def test_a_filter_without_rows_names_the_values():
    with pytest.raises(InputError, match="No run has arm = hub") as caught:
        read_runs(table(), Columns(where={"arm": "hub"}))
    says(caught, "distill, scratch")


def test_a_filter_compares_numbers_as_numbers():
    assert read_runs(table(), Columns(where={"train_images": "200.0"})).table.height == 4
    with pytest.raises(InputError, match="No run has train_images = many") as caught:
        read_runs(table(), Columns(where={"train_images": "many"}))
    says(caught, "100, 200, 400")


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.parquet"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_runs(tmp_path / name)
    says(caught, "check the path")


def test_an_empty_store_is_refused(tmp_path):
    with pytest.raises(InputError, match="no runs") as caught:
        read_runs(tmp_path)
    says(caught, "azeotrope sweep")


def test_replicates_pair_arms_and_sizes_by_seed():
    rows = read_runs(table(seed=[7, 9] * 6)).table
    assert rows.filter(pl.col("seed") == 9)["replicate"].unique().to_list() == [1]
    assert rows.group_by("cluster").agg(pl.col("train_images").n_unique())["train_images"].to_list() == [1, 1, 1]


def test_without_seeds_replicates_are_counted_and_unpaired():
    frame = read_runs(table().drop("seed"))
    assert not frame.paired
    assert frame.table["seed"].null_count() == 12
    assert frame.table["replicate"].to_list() == [0, 1] * 6
    assert "cannot be paired" in frame.warnings[0]


def test_an_unknown_group_names_its_neighbours():
    with pytest.raises(InputError, match="'distil'") as caught:
        read_runs(table()).only("distil")
    says(caught, "nearest: distill")


def test_fewer_than_three_sizes_are_refused():
    with pytest.raises(NotIdentifiable, match="at least 3 sizes") as caught:
        check_sizes(
            read_runs(table(train_images=[100, 100, 100, 100, 200, 201] * 2, seed=list(range(12)))[:5]), "train_images"
        )
    says(caught, "2 for 'distill' (100, 200)")


def test_a_span_below_two_is_refused():
    with pytest.raises(NotIdentifiable, match="factor 2") as caught:
        check_sizes(read_runs(table(train_images=[100, 100, 150, 150, 199, 199] * 2)).only("distill"), "train_images")
    says(caught, "100 to 199")


def test_few_sizes_and_one_seed_are_warned_of():
    said = check_sizes(read_runs(table().filter(pl.col("seed") == 0)).only("distill"), "train_images")
    assert "3 sizes" in said[0]
    assert "one seed" in said[1]


def test_good_designs_raise_no_warning():
    rows = [(size, seed, 0.1 + 0.01 * seed + 10 / size) for size in (100, 200, 400, 800, 1600) for seed in (0, 1)]
    frame = read_runs(pl.DataFrame(rows, schema=["train_images", "seed", "error"], orient="row"))
    assert check_sizes(frame, "train_images") == ()


def test_disjoint_arms_are_refused():
    frame = read_runs(table(train_images=[100, 100, 200, 200, 400, 400, 800, 800, 1600, 1600, 3200, 3200]))
    with pytest.raises(NotIdentifiable, match="share sizes") as caught:
        common_sizes(frame.only("distill"), frame.only("scratch"), "train_images")
    says(caught, "distill at 100, 200, 400", "scratch at 800")


def test_another_axis_must_be_constant():
    frame = read_runs(table(parameters=[1e6, 2e6] * 6)).only("distill")
    with pytest.raises(InputError, match="parameters must be constant") as caught:
        check_one_curve(frame, "train_images")
    says(caught, "--where parameters=")


def test_no_pretraining_has_no_place_on_a_log_axis():
    frame = read_runs(table(pretrain_images=[0, 0, 10, 10, 100, 100] * 2))
    assert sizes(frame, "pretrain_images").tolist() == [10, 100]


def test_an_axis_that_runs_do_not_give():
    with pytest.raises(InputError, match="must give parameters") as caught:
        sizes(read_runs(table()), "parameters")
    says(caught, "12 of 12")
    with pytest.raises(InputError, match="no axis named"):
        sizes(read_runs(table()), "depth")


def test_published_transfer_runs_are_read():
    frame = read_runs(
        published("syn2real_imagenet.csv"), Columns(by=("pretrain_images",), where={"student": "resnet50"})
    )
    assert frame.table.height == 72
    assert frame.groups == ("0", "1000", "16000", "2000", "32000", "4000", "64000", "8000")


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([None] * 4, "test_images is not given: "),
        ([100, None, 200, None], "2 of 4 runs lack test_images: where none has it, "),
    ],
)
def test_missing_test_images_are_said(images, said):
    table = pl.DataFrame(
        {"arm": ["a", "a", "b", "b"], "train_images": [10, 20, 10, 20], "seed": 0, "test_error": [0.4, 0.3, 0.5, 0.2]}
    ).with_columns(test_images=pl.Series(images, dtype=pl.Int64))
    (warning,) = read_runs(table).warnings
    assert warning == f"{said}intervals leave out the sampling of test images, and are too narrow by that"


def test_test_images_that_some_runs_lack_are_those_that_all_others_have():
    whole = table().with_columns(test_images=500)
    frame = read_runs(whole.with_columns(test_images=pl.Series([500, None] * 6)))
    assert frame.table.equals(read_runs(whole).table)
    assert frame.warnings == ("6 of 12 runs lack test_images: taken as 500, which all others have",)


def test_known_test_images_and_losses_are_not_warned_of():
    known = pl.DataFrame({"arm": ["a"] * 3, "train_images": [1, 2, 4], "seed": 0, "test_error": [0.4, 0.3, 0.2]})
    assert not read_runs(known.with_columns(test_images=pl.lit(100))).warnings
    assert not read_runs(known.rename({"test_error": "test_nll"})).warnings


@pytest.mark.parametrize(
    ("recipes", "found"),
    [
        ([{}, {"metric": "balanced_error"}], "balanced_error, error"),
        ([{"metric": "file:a.py:cost", "metric_code": "1"}, {"metric": "file:b.py:cost", "metric_code": "1"}],
         "file:a.py:cost (1), file:b.py:cost (1)"),
        ([{"metric": "file:a.py:cost", "metric_code": code} for code in "12"],
         "file:a.py:cost (1), file:a.py:cost (2)"),
    ],
)  # fmt: skip
def test_runs_of_two_measures_make_no_table(recipes, found):
    runs = [
        RunRecord(run_id=arm, state="done", task=TaskFacts(name="t", fingerprint="f", classes=("a", "b")),
                  strategy=arm, arm=arm, student=StudentFacts(name="s", parameters=9), init="random",
                  train_images=50, seed=0, test_error=0.2, test_images=40, recipe=recipe)
        for arm, recipe in zip(("scratch", "distill"), recipes, strict=True)
    ]  # fmt: skip
    with pytest.raises(InputError, match="These runs mix measures") as caught:
        read_runs(runs)
    assert caught.value.found == found
    name = runs[1].judged_by
    assert read_runs(runs, Columns(where={"judged_by": name})).groups == ("distill",)


def test_errors_of_another_measure_are_called_by_its_name():
    """Chance of a mean over classes is that of the classes; of a person's own function nothing is known."""
    runs = [
        RunRecord(run_id=f"{seed}", state="done", task=TaskFacts(name="t", fingerprint="f", classes=("a", "b")),
                  strategy="scratch", arm="scratch", student=StudentFacts(name="s", parameters=9), init="random",
                  train_images=50, seed=seed, test_error=0.2, test_images=40)
        for seed in range(3)
    ]  # fmt: skip
    by = {
        metric: read_runs([run.model_copy(update={"recipe": {"metric": metric}}) for run in runs])
        for metric in ("error", "balanced_error", "top5_error", "file:shop/cost.py:money")
    }
    assert [frame.measure for frame in by.values()] == ["error", "balanced error", "top-5 error", "money"]
    assert [frame.table["classes"][0] for frame in by.values()] == [2, 2, None, None]
    assert any("judged by balanced_error the error is balanced error: the mean over classes" in note
               for note in by["balanced_error"].notes)  # fmt: skip
    assert by["balanced_error"].table["test_images"][0] == 40
    assert by["file:shop/cost.py:money"].table["test_images"][0] is None
