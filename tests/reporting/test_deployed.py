"""The same arms as files: verdicts, drops and the choice, against runs whose answer is known."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from azeotrope.record.facts import DeployedFacts
from azeotrope.record.run import pack_correctness
from azeotrope.reporting import page as page_room
from azeotrope.reporting.document import Document
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.page.html import page
from azeotrope.reporting.page_verdicts import shared_by
from azeotrope.reporting.summary import summarise
from azeotrope.reporting.texts import deployed_text
from azeotrope.reporting.texts.table import WIDTH, table

from .factories import TEST_IMAGES, run

TARGET = "onnx-int8"


def as_file(record, more, **changes):
    """The run with an int8 file that is wrong on `more` images that the network gets right."""
    correct = record.correctness()
    correct[np.flatnonzero(correct)[:more]] = False
    facts = {
        "val_error": record.val_error + more / TEST_IMAGES,
        "test_error": 1 - correct.mean(),
        "correct": pack_correctness(correct),
        "latency_ms": 0.5 + record.seed,
        "size_mb": 1.25,
        "int8_share": 1.0,
        "calibration_images": 256,
    }
    return record.model_copy(update={"deployed": {TARGET: DeployedFacts(**{**facts, **changes})}})


@pytest.fixture(scope="module")
def comparison():
    """distill beats scratch, and loses so much by quantising that it is beaten; finetune has no file."""
    scratch = [as_file(run("scratch", seed, errors=220 + seed), 2) for seed in range(3)]
    distill = [as_file(run("distill", seed, errors=150 + seed, val_error=0.1), 140 + seed) for seed in range(3)]
    probe = [run("linear_probe", seed, errors=300, val_error=0.3) for seed in range(3)]
    probe = [one.model_copy(update={"deployed": {TARGET: DeployedFacts(reason="an <operator>")}}) for one in probe]
    return summarise([*scratch, *distill, *probe])


def test_arms_are_judged_again_by_their_files(comparison):
    (found,) = comparison.deployed
    assert comparison.verdict("distill", "scratch").verdict == "BEATS"
    assert found.verdict("distill", "scratch").verdict == "DOES NOT BEAT"
    assert found.verdict("distill", "scratch").difference.value == pytest.approx(0.292 - 0.223)
    assert (comparison.winner, found.winner) == ("distill", "scratch")


def test_an_arm_as_files(comparison):
    scratch, probe, distill = comparison.deployed[0].arms
    assert distill.lost.value == pytest.approx(0.141)
    assert 0.1 < distill.lost.low < 0.141 < distill.lost.high < 0.2
    assert distill.test_error.value == pytest.approx(0.292)
    assert (scratch.latency_ms, scratch.size_mb, scratch.int8_share) == (1.5, 1.25, 1.0)
    assert (probe.name, probe.test_error, probe.seeds, probe.missing) == ("linear_probe", None, (), ("an <operator>",))


def test_what_quantising_changes_is_said(comparison):
    (found,) = comparison.deployed
    assert deployed_text.ranking(found, comparison) == (
        "Of 3 verdicts on the networks, none stand on the onnx-int8 files; distill against scratch: BEATS becomes "
        "DOES NOT BEAT; 2 cannot be given, for want of files. Validation chooses scratch instead of distill"
    )
    kept = summarise(
        [
            as_file(run(arm, seed, errors=errors + seed), 1)
            for arm, errors in (("scratch", 220), ("distill", 150))
            for seed in range(3)
        ]
    )
    assert deployed_text.ranking(kept.deployed[0], kept) == (
        "Of 1 verdict on the networks, 1 stands on the onnx-int8 files. Validation chooses distill, as of the networks"
    )


def test_files_that_answer_as_their_networks_change_no_verdict_at_any_size():
    """The two arms of one size differ by a hair in all but one seed: that size's own spread is not that of the page."""
    errors = {
        100: ((220, 221, 222), (190, 230, 160)),
        200: ((215, 216, 217), (212, 214, 213)),
        400: ((210,) * 3, (205,) * 3),
    }
    sizes = [
        [
            as_file(run(arm, seed, errors=wrong, train_images=size), 0, test_error=wrong / TEST_IMAGES)
            for arm, found in zip(("scratch", "distill"), pair, strict=True)
            for seed, wrong in enumerate(found)
        ]
        for size, pair in errors.items()
    ]
    shared = shared_by(sizes)
    made = [summarise(runs, shared=shared) for runs in sizes]
    for comparison in made:
        assert comparison.deployed[0].verdicts == comparison.verdicts
    alone = [summarise(runs) for runs in sizes]
    assert [one.verdicts for one in alone] != [one.verdicts for one in made]  # the page's variance is another


def test_terminal_and_page_show_networks_and_files_side_by_side(comparison):
    console = Console(width=WIDTH, record=True, file=io.StringIO())
    console.print(table(comparison))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "as onnx-int8" in text
    assert "29.2 %" in text
    assert "+14.1 [" in text
    assert "no file: linear_probe as onnx-int8: an <operator>" in text
    html = page(Document(comparisons=(comparison,)))
    assert "As onnx-int8 files" in html
    assert "an &lt;operator&gt;" in html
    assert "BEATS becomes DOES NOT BEAT" in html


def test_templates_leave_milliseconds_and_megabytes_to_the_words_of_files():
    found = list((Path(page_room.__file__).parent / "templates").glob("*.jinja"))
    assert found
    assert [path.name for path in found if re.search(r"format\([^}]*}} (ms|MB)", path.read_text("utf-8"))] == []


def test_it_is_in_the_document_and_read_back(comparison):
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison


def test_without_files_nothing_is_said():
    plain = summarise([run("scratch", seed) for seed in range(3)])
    assert plain.deployed == ()
    assert "one thread" not in page(Document(comparisons=(plain,)))
