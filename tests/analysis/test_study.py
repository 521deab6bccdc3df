"""The report of a sweep: advice, curves, differences, error against cost, checklist; self-contained and escaped."""

from __future__ import annotations

import re

import pytest

import azeotrope
from azeotrope.analysis.study import Functions, sweep_of
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.drawing import render, trade_off
from azeotrope.reporting.summary import summarise
from azeotrope.testing.worlds import CROSSING
from reporting.factories import run, three_seeds

SIZES = (250, 1000, 4000, 16_000)
FUNCTIONS = Functions(azeotrope.fit, azeotrope.boundary, azeotrope.advise)
HOSTILE = '<script>alert("x")</script>'


def swept(student="tiny", factor=1.0, sizes=SIZES):
    """Two arms that cross near 2,000 images; a distilled run takes half as long again."""
    made = []
    for size in sizes:
        for arm, curve, longer in (("distill", CROSSING[0], 1.5), ("scratch", CROSSING[1], 1.0)):
            facts = run().student.model_copy(update={"name": student})
            wrong = [round(1000 * factor * float(curve(size))) + shift for shift in (-3, 0, 4)]
            seconds = {"train": longer * size / 50}
            changes = {"train_images": size, "student": facts, "seconds": seconds}
            made += [
                one.model_copy(update={"run_id": f"{student}-{one.run_id}"})
                for one in three_seeds(arm, wrong, **changes)
            ]
    return made


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    store = RunStore(str(folder))
    for place, one in enumerate([*swept(), *swept(HOSTILE, 0.9, SIZES[1:])]):
        store.put(one.model_copy(update={"run_id": f"{place:04x}"}))
    return azeotrope.report(folder).read_text(encoding="utf-8")


def test_the_page_shows_advice_curves_differences_cost_and_checklist(html):
    assert "Use scratch" in html
    assert html.count("<h3>Error curves of") == 2
    assert html.count("against scratch") >= 2
    assert "they cross at" in html
    assert "Error against cost" in html
    assert "checklist of Li et al. 2025" in html
    assert "e + A D^-b" in html
    assert html.count('class="size-page"') == 2 * len(SIZES) - 1
    assert html.count("<svg") >= 5


def test_the_page_loads_nothing_and_runs_only_its_own_script(html):
    assert HOSTILE not in html
    assert html.count("<script") == 1
    assert not re.search(r'(src|href)="(?!#|data:)', html)
    assert "@import" not in html


def test_every_size_of_every_arm_stands_in_the_grid(html):
    grid = html[html.index("Error on the test images, mean over seeds") :].split("</table>")[0]
    for size in SIZES:
        assert f"{size:,}" in grid
    assert grid.count("<tr>") == 1 + 4


def test_every_student_and_every_run_is_named_and_no_file_that_is_not_there(html):
    facts = html[html.index("<dt>Students</dt>") :].split("</div>")[0]
    assert facts.count("4.6 M parameters") == 2
    runs = len(swept()) + len(swept("other", sizes=SIZES[1:]))
    assert all(f"{place:04x}" in html for place in range(runs))
    assert "compare.json" not in html


def test_a_sweep_over_upstream_images_shows_its_boundaries(tmp_path, monkeypatch):
    runs = [*three_seeds("scratch", [300, 305, 310]), *three_seeds("distill", [240, 250, 245])]
    for images, wrong in ((1000, 290), (4000, 250), (16_000, 200)):
        upstream = {"pretrain_images": images, "init": "upstream", "strategy": "finetune"}
        made = three_seeds("finetune@upstream", [wrong, wrong + 4, wrong + 9], **upstream)
        runs += [one.model_copy(update={"run_id": f"{one.run_id}-{images}"}) for one in made]
    found = sweep_of(runs, FUNCTIONS)
    (study,) = found.studies
    assert (study.over, study.fitted, found.advice) == ("upstream images, at 500 training images", None, None)
    assert [(each.axis, each.challenger, each.baseline) for each in study.boundaries] == [
        ("pretrain_images", "distill", "finetune@upstream"),
        ("pretrain_images", "finetune@upstream", "scratch"),
    ]
    for one in runs:
        RunStore(str(tmp_path)).put(one)
    page = azeotrope.report(tmp_path).read_text(encoding="utf-8")
    assert "tiny over upstream images, at 500 training images" in page
    assert page.count("pretraining images") >= 2
    assert "The fits" not in page


def test_errors_close_together_are_labelled_too():
    near = [summarise(three_seeds(arm, [wrong] * 3)) for arm, wrong in (("scratch", 881), ("distill", 858))]
    dots = trade_off.numbers(near)
    drawn = render.svg(trade_off.figure(dots, ["scratch", "distill"], "scratch"))
    assert ">87<" in drawn
    assert ">88<" in drawn


def test_one_size_makes_no_sweep():
    assert sweep_of(three_seeds("scratch", [200, 210, 190]), FUNCTIONS) is None


def test_what_cannot_be_fitted_is_said_and_the_rest_shown():
    """One arm of two has two sizes: no boundary, but the other arm's curve."""
    runs = [one for one in swept() if one.arm == "scratch" or one.train_images > 1000]
    study = sweep_of(runs, FUNCTIONS).studies[0]
    assert study.boundaries == ()
    assert any("No boundary between distill and scratch" in reason for reason in study.unfitted)
    assert study.fitted.groups["scratch"].average is not None


@pytest.mark.parametrize("lost", ["distill", "scratch"])
def test_an_arm_that_learnt_nothing_has_a_curve_too(lost):
    """Of a number an error of exactly 1 is what every run has that learnt nothing: a value, not a gap."""
    task = run().task.model_copy(update={"kind": "number", "classes": ("age",)})
    changes = {"task": task, "correct": None}
    runs = [
        one.model_copy(update={**changes, "test_error": 1.0} if one.arm == lost else changes)
        for one in [*swept(), *three_seeds("finetune", [300] * 3)]
    ]
    study = sweep_of(runs, FUNCTIONS).studies[0]
    assert {"distill", "scratch"} <= set(study.fitted.groups)
    group = study.fitted.groups[lost]
    largest = max(one.train_images for one in swept())
    assert all(point.value > 0.98 for point in group.curve if point.at <= largest)
    assert group.predictions[0].value > 0.9  # beyond the data it shares a little of the other arms' decay,
    assert group.predictions[0].high > 0.99  # and need not
    assert study.reference == "scratch"
    assert study.boundaries[0].outcome == ("distill_always" if lost == "scratch" else "distill_never")


@pytest.mark.parametrize("perfect", [("distill",), ("distill", "scratch")])
def test_arms_without_a_wrong_answer_have_a_curve_a_boundary_and_advice(perfect):
    """No seed of such an arm vanishes, and the page says what no wrong answer bounds."""
    runs = [
        one.model_copy(update={"test_error": 0.0, "correct": None}) if one.arm in perfect else one for one in swept()
    ]
    sweep = sweep_of(runs, FUNCTIONS)
    assert sweep.studies[0].unfitted == ()
    assert len(sweep.studies[0].boundaries) == 1
    assert all(group.checklist.runs_used == 12 for group in sweep.studies[0].fitted.groups.values())
    assert any("no error seen in" in line for line in sweep.studies[0].fitted.warnings)
    assert sweep.advice.predicted_error.error.value < 0.005


def test_two_tasks_make_no_sweep():
    other = run().task.model_copy(update={"fingerprint": "beef"})
    runs = [*swept(), *(one.model_copy(update={"task": other}) for one in swept("large"))]
    assert sweep_of(runs, FUNCTIONS) is None


def test_an_arm_of_each_teacher_is_a_study_of_its_own():
    runs = swept()
    other = run("distill").teacher.model_copy(update={"name": "second"})
    runs += [
        one.model_copy(update={"teacher": other, "run_id": f"{one.run_id}-2"}) for one in runs if one.arm == "distill"
    ]
    found = sweep_of(runs, FUNCTIONS)
    assert [study.teacher for study in found.studies] == ["big", "second"]


def test_the_front_is_what_nothing_beats_in_both():
    """By hand: 10 s 20 %, 15 s 25 % (beaten by the first), 20 s 10 %."""
    runs = [
        *three_seeds("scratch", [200, 200, 200], seconds={"train": 10.0}),
        *three_seeds("finetune", [250, 250, 250], seconds={"train": 15.0}),
        *three_seeds("linear_probe", [100, 100, 100], seconds={"train": 20.0}),
    ]
    dots = trade_off.numbers([summarise(runs)])
    assert [(dot.arm, dot.seconds, dot.front) for dot in dots] == [
        ("scratch", 10, True),
        ("finetune", 15, False),
        ("linear_probe", 20, True),
    ]
    assert dots[0].error == pytest.approx(20)


def test_without_seconds_there_is_no_cost_figure():
    assert trade_off.numbers([summarise(three_seeds("scratch", [200, 190, 210], seconds={}))]) == ()
