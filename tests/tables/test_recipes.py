"""Runs of two recipes in one table: what tells them apart is named, and keeps them apart."""

import pytest

from azeotrope.errors import InputError
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord
from azeotrope.tables.columns import Columns
from azeotrope.tables.frame import read_runs


def run(number, student="s", **recipe):
    return RunRecord(
        run_id=f"r{number}", state="done", task=TaskFacts(name="t", fingerprint="f", classes=("x", "y")),
        strategy="scratch", arm="scratch", student=StudentFacts(name=student, parameters=9), init="random",
        train_images=50, seed=0, test_error=0.2 + number / 100, test_images=40, recipe=recipe,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("recipe", "column", "plain", "other"),
    [
        ({"sampling": "balanced"}, "sampling", "shuffled", "balanced"),
        ({"class_weights": "auto"}, "class_weights", "off", "auto"),
        ({"logit_adjustment": 1.5}, "logit_adjustment", "0.0", "1.5"),
    ],
)
def test_two_recipes_are_kept_apart_by_the_column_that_the_error_names(recipe, column, plain, other):
    runs = [run(0), run(1, **recipe)]
    with pytest.raises(InputError, match="may have one run only") as caught:
        read_runs(runs)
    first, second = sorted([plain, other])
    assert caught.value.found.endswith(f"they differ in {column} ({first}, {second})")
    assert caught.value.next_step == f"add {column} to --by, or keep one value, such as --where '{column}={first}'"
    for value, error in ((plain, 0.2), (other, 0.21)):
        assert read_runs(runs, Columns(where={column: value})).table["error"].to_list() == pytest.approx([error])
    assert set(read_runs(runs, Columns(by=("arm", column))).groups) == {f"scratch,{plain}", f"scratch,{other}"}


def test_weights_of_two_files_are_told_apart_by_their_numbers():
    """The order of the classes is no difference."""
    files = [{"x": 1.0, "y": 2.0}, {"y": 3.0, "x": 1.0}]
    runs = [run(number, class_weights=weights) for number, weights in enumerate(files)]
    with pytest.raises(InputError, match="they differ in class_weights") as caught:
        read_runs(runs)
    kept = caught.value.next_step.split("class_weights=")[1].rstrip("'")
    assert kept.startswith("by class (")
    assert read_runs(runs, Columns(where={"class_weights": kept})).table.height == 1
    turned = [runs[0], run(2, class_weights=dict(reversed(files[0].items())))]
    with pytest.raises(InputError, match="may have one run only") as caught:
        read_runs(turned)
    assert "differ" not in caught.value.found


def test_all_that_differs_is_named():
    with pytest.raises(InputError, match=r"they differ in student \(s, u\) and in sampling \(balanced, shuffled\)"):
        read_runs([run(0), run(1, student="u", sampling="balanced")])
