"""Runs whose error is no share of wrong images: what is read of them, and what is not assumed."""

import pytest

from azeotrope.api.fit import fit
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.kinds import metrics_text, number_text
from azeotrope.record.run import RunRecord
from azeotrope.tables.frame import read_runs

KINDS = {"multi": ("1 − mAP", ("a", "b", "c")), "number": ("1 − R²", ("age",))}


def runs(kind, classes, sizes=(100, 200, 400, 800, 1600)):
    task = TaskFacts(name="made", fingerprint="f0", classes=classes, kind=kind)
    return [
        RunRecord(
            run_id=f"{size}-{seed}", state="done", task=task, strategy="scratch", arm="scratch", init="random",
            student=StudentFacts(name="s", parameters=10), train_images=size, seed=seed, test_images=500,
            test_error=size**-0.3 * (1 + 0.02 * seed),
        )
        for size in sizes
        for seed in range(3)
    ]  # fmt: skip


def test_a_record_without_a_kind_is_single():
    assert TaskFacts.model_validate({"name": "n", "fingerprint": "f", "classes": ("a", "b")}).kind == "single"


@pytest.mark.parametrize("kind", KINDS)
def test_neither_chance_nor_binomial_noise_is_assumed(kind):
    error, classes = KINDS[kind]
    frame = read_runs(runs(kind, classes))
    assert frame.unit == "fraction"
    assert frame.measure == error
    assert frame.chance_error is None
    assert frame.table["test_images"].null_count() == frame.table.height
    assert frame.notes[1].startswith(f"of runs of the kind {kind} the error is {error}: ")


@pytest.mark.parametrize("kind", KINDS)
def test_laws_are_fitted_and_drawn_under_the_right_name(kind):
    found = fit(runs(kind, KINDS[kind][1]), at=[3200])
    assert found.measure == KINDS[kind][0]
    (step,) = [point for point in found.groups["scratch"].predictions if point.at == 3200]
    assert step.value == pytest.approx(1.02 * 3200**-0.3, rel=0.1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (234567.4, "234,567"), (-234567.4, "-234,567"), (10_000, "10,000"), (9999.6, "10,000"), (1987.2, "1987"),
        (-1987.2, "-1987"), (999.96, "1000"), (3.14159, "3.142"), (0.0012345, "0.001234"), (0, "0"),
    ],
)  # fmt: skip
def test_a_number_keeps_the_digits_before_its_point(value, text):
    assert number_text(value) == text


def test_metrics_in_words():
    assert metrics_text({"r2": 0.8714, "mae": 23456.7}, "EUR") == "R² 0.871, MAE 23,457 EUR"
    assert metrics_text({"r2": -1234.5, "mae": 123.4}, None) == "R² -1234, MAE 123"
    assert metrics_text({"r2": 0.8714, "mae": 3.249}, "kg") == "R² 0.871, MAE 3.25 kg"
    assert metrics_text({"map": 0.9123, "label_error": 0.034}, None) == "mAP 91.2 %, labels wrong 3.4 %"
    assert metrics_text({}, None) == ""
