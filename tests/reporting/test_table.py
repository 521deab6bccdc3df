import io

import pytest
from rich.console import Console

from azeotrope.reporting.numbers import NotTested
from azeotrope.reporting.summary import summarise
from azeotrope.reporting.texts.table import WIDTH, table

from .factories import run, three_seeds

LONG = "distill@hub:kl=0.25+align_uniform=0.5+similarity=3"


def printed(comparison):
    console = Console(width=WIDTH, record=True, file=io.StringIO())
    console.print(table(comparison))
    return console.export_text()


@pytest.fixture
def text():
    runs = [
        *three_seeds("scratch", [220, 224, 221]),
        *three_seeds(LONG, [200, 203, 202], val_error=0.1, seconds={"train": 5000.0}),
        run("finetune", 0, state="failed", reason="loss [kl] not finite " * 9),
    ]
    return printed(summarise(runs, not_tested=[NotTested(arm="finetune@upstream", reason="no source [named]")]))


def test_it_fits_100_columns(text):
    assert max(map(len, text.splitlines())) <= WIDTH == 100


def test_intervals_verdicts_and_reasons_are_whole(text):
    assert "20.2 % [1" in text  # rich would read [..] as markup and drop it
    assert "BEATS" in text
    assert "reference" in text
    assert "failed: finetune, seed 0: loss [kl] not finite" in text
    assert "not tested: finetune@upstream: no source [named]" in text


def test_a_long_arm_is_folded_and_not_cut(text):
    assert "…" not in text
    rows = text[text.index("test error") :].splitlines()
    first_column = "".join(row.split("  ")[0].strip() for row in rows)
    assert LONG in first_column


def test_the_name_of_a_measure_leaves_room_for_arms_and_verdicts():
    """At 80 columns: a heading of two words once took the place of "scratch" and "INCONCLUSIVE"."""
    measured = {"recipe": {"epochs": 3, "batch_images": 32, "metric": "balanced_error"}}
    runs = [
        *three_seeds("scratch", [220, 224, 221], **measured),
        *three_seeds("linear_probe", [219, 225, 220], **measured),
    ]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table(summarise(runs)))
    text = console.export_text()
    rows = text[text.index("───") :]
    assert "test balanced" in text
    assert all(whole in rows for whole in ("scratch ", "linear_probe ", "INCONCLUSIVE"))
