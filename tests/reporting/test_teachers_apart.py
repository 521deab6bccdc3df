"""Teachers of one name that differ in head or in the size of their images: one sweep may hold both."""

import pytest

import azeotrope
from azeotrope.analysis.comparisons import compared
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import RunStore
from azeotrope.record.teachers import told_apart
from azeotrope.tables.columns import Columns

from .factories import TEACHER, run

TUNED = TEACHER.model_copy(update={"targets_by": "tuned"})
LARGER = TEACHER.model_copy(update={"image_size": 128})


@pytest.fixture(params=[TUNED, LARGER], ids=["tuned", "larger"])
def store(request, tmp_path):
    """Scratch and `distill:kl` under two teachers, three seeds at three sizes."""
    kept = RunStore(str(tmp_path / "runs"))
    for size, wrong in ((200, 300), (400, 240), (800, 190)):
        for seed in range(3):
            kept.put(run("scratch", seed, errors=wrong + 3 * seed, train_images=size))
            for number, teacher in enumerate((TEACHER, request.param)):
                made = run("distill:kl", seed, errors=wrong - 20 * (number + 1) + 2 * seed, train_images=size)
                kept.put(made.model_copy(update={"run_id": f"{made.run_id}-{number}", "teacher": teacher}))
    return tmp_path / "runs", request.param


def names(other):
    return {"big", "big (tuned)"} if other is TUNED else {"big at 64 px", "big at 128 px"}


def test_each_teacher_has_comparisons_of_its_own_beside_scratch(store):
    folder, other = store
    found = compared(folder)
    assert {comparison.teacher.name for comparison in found} == names(other)
    assert len(found) == 6
    assert all({arm.name for arm in comparison.arms} == {"scratch", "distill:kl"} for comparison in found)


def test_a_table_of_their_runs_has_a_column_that_differs(store):
    folder, other = store
    fitted = azeotrope.fit(folder, columns=Columns(by=("arm", "teacher")), draws=0)
    assert {group for group in fitted.groups if "distill" in group} == {f"distill:kl,{name}" for name in names(other)}


def test_a_boundary_says_which_teacher_is_better(store):
    """The second one's students make 20 of 1,000 mistakes fewer at every size."""
    folder, other = store
    first, second = (
        f"distill:kl,{name}" for name in sorted(names(other), key=lambda name: "128" in name or "tuned" in name)
    )
    columns = Columns(by=("arm", "teacher"))
    found = azeotrope.boundary(folder, challenger=second, baseline=first, columns=columns, draws=200)
    assert min(win.p for win in found.p_win) > 0.95


def test_a_report_of_both_can_be_written(store, tmp_path):
    folder, other = store
    azeotrope.report(folder, out=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(name in page for name in names(other))


def test_a_teacher_of_one_size_keeps_its_name():
    runs = [run("distill:kl", seed, train_images=200) for seed in range(2)]
    runs[1] = runs[1].model_copy(update={"teacher": TUNED})
    assert [each.teacher.called for each in told_apart(runs)] == ["big", "big (tuned)"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, None),
        ({"folds": 5}, None),
        ({"folds": 1}, "head in sample"),
        ({"folds": 3}, "head in 3 folds"),
        ({"head": "finetune"}, "tuned"),
        ({"head": "finetune", "folds": 4, "tune_epochs": 3}, "tuned in 4 folds for 3 epochs"),
        ({"head": "finetune", "tune_rate": 1e-3}, "tuned at the rate 0.001"),
        ({"head": "zero_shot"}, "by class names"),
    ],
)
def test_what_is_not_the_default_tells_teachers_apart(asked, said):
    assert TeacherSpec(model="m", **asked).targets_by == said
