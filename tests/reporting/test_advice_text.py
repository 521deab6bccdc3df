"""Advice in words: the sentence first, and a mark behind every number that leads to its runs."""

from __future__ import annotations

import io
import json
import math

import pytest
from rich.console import Console

import azeotrope
from analysis.test_study import swept
from azeotrope.advice.answer import LabelsNeeded, ProposedRun, Recommendation
from azeotrope.advice.needs.limits import Needs
from azeotrope.cli.__main__ import main
from azeotrope.record.interval import Interval
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.plain import plain
from azeotrope.reporting.texts.advice_text import _labels, document, points, settling_title, short, text


def shown(advice):
    file = io.StringIO()
    Console(width=100, file=file).print(text(advice))
    return file.getvalue()


@pytest.fixture(scope="module")
def advice():
    return azeotrope.advise(swept(), Needs(at=16_000, target_error=0.15, hourly_price=3), draws=300)


def test_the_recommendation_is_the_first_line(advice):
    said = shown(advice)
    assert said.startswith("Use scratch at 16,000 training images: its error will be ")
    assert "3 an hour" in said
    assert "distill takes over from scratch" in said.replace("\n", " ")


def test_every_mark_leads_to_run_ids(advice):
    said = shown(advice)
    for place, row in enumerate(advice.evidence.contenders, 1):
        listed = said[said.rindex(f"[{place}] ") :].split("\n[")[0].split()
        assert listed[1:13] == short(row.run_ids)


def test_a_refusal_says_what_would_settle_it():
    said = shown(azeotrope.advise(swept(), Needs(at=1e6), draws=300))
    assert said.startswith("No recommendation at 1,000,000 training images")
    assert "What would settle it" in said


def test_bounds_that_are_not_there_and_zeros_read_well():
    assert points(Interval(-0.0001, -0.01, 0.0004, 0.9)) == "0.0 (-1.0 to 0.0)"
    needed = {"contender": "a", "target": 0.1, "p_never": 0.1, "p_reachable": None, "warnings": (), "run_ids": ()}
    open_ended = Interval(900.0, 450.0, math.inf, 0.9)
    assert _labels(LabelsNeeded(value=900.0, images=open_ended, **needed), {"a": 1}).startswith(
        "a: 900 (450 or more); "
    )
    assert _labels(LabelsNeeded(value=None, images=open_ended, **needed), {"a": 1}).startswith("a: 450 or more; ")


def test_runs_that_only_lessen_the_doubt_are_not_said_to_settle_it():
    doubt, lack = ProposedRun(("a", "b"), 480.0, 1, 0.11), ProposedRun(("a", "b"), 90_000.0, 2)
    titles = [settling_title(Recommendation("", None, None, None, 1.0, "", (run,))) for run in (doubt, lack)]
    assert titles == ["What would tell most, best first", "What would settle it"]


def test_no_infinity_reaches_the_document(advice):
    assert plain({"a": (float("inf"), 1.0, "x", None)}) == {"a": [None, 1.0, "x", None]}
    json.dumps(document(advice), allow_nan=False)


def test_short_ids_stay_apart():
    assert short(["aaaaaaaa1111", "aaaaaaaa2222"]) == ["aaaaaaaa1", "aaaaaaaa2"]
    assert short(["0123456789ab"]) == ["01234567"]


def test_the_command_prints_one_document(tmp_path, capsys):
    store = RunStore(str(tmp_path))
    for place, one in enumerate(swept()):
        store.put(one.model_copy(update={"run_id": f"{place:04x}"}))
    with pytest.raises(SystemExit) as stopped:
        main(["advise", str(tmp_path), "--at", "500", "--draws", "300", "--no-hub", "--json"])
    assert stopped.value.code == 0
    content = json.loads(capsys.readouterr().out)
    assert content["recommendation"]["arm"] == "distill"


def test_the_command_refuses_limits_that_nothing_fits(tmp_path, capsys):
    store = RunStore(str(tmp_path))
    for place, one in enumerate(swept()):
        store.put(one.model_copy(update={"run_id": f"{place:04x}"}))
    with pytest.raises(SystemExit) as stopped:
        main(["advise", str(tmp_path), "--max-parameters", "100000"])
    assert stopped.value.code == 2
    assert "the nearest, distill on tiny, has 4,600,000 parameters, over 100,000" in capsys.readouterr().err


def test_lines_of_a_table_that_follow_each_other_are_named_as_one():
    assert short([f"line {number}" for number in (2, 3, 4, 9, 1200, 1201)]) == [
        "lines 2 to 4",
        "line 9",
        "lines 1,200 to 1,201",
    ]
