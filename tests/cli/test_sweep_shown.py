"""What a person sees while a sweep runs."""

import io

from rich.console import Console

from azeotrope.cli._terminal.sweep import LEFT_OUT_SHOWN, drawn, ended
from azeotrope.session.sweeps.sweep_run import Sweep
from azeotrope.sweeping.status import NEWEST_ERRORS, Running, Status


def text(status, now):
    console = Console(width=100, file=io.StringIO())
    console.print(drawn(status, now))
    return console.file.getvalue().splitlines()


def test_counts_runs_errors_and_the_answer_are_shown():
    status = Status(
        planned=40, done=7, failed=1, seconds_left=200.0, said="resnet10t: a leads; b may be better\nother: pilot"
    )
    status.running["r"] = Running("resnet10t scratch, 250 images, seed 0", total=200, images=50, since=10.0)
    for number in range(5):
        status.failure(f"run {number}: The loss is not finite")
    lines = [line.rstrip() for line in text(status, now=40.0)]
    assert lines[0] == "7 done, 1 failed, 1 running of 40 runs, about 3 min 20 s left"
    assert lines[1] == "resnet10t scratch, 250 images, seed 0  25 %  30.0 s"
    assert lines[2:5] == [f"failed: run {number}: The loss is not finite" for number in (2, 3, 4)]
    assert lines[5:] == ["resnet10t: a leads; b may be better", "other: pilot"]
    assert len(status.errors) == NEWEST_ERRORS


def test_time_left_is_not_guessed_and_other_sweeps_are_told():
    assert (
        text(Status(planned=4, elsewhere=2), now=0.0)[0] == "0 done, 0 failed, 0 running, 2 in other sweeps of 4 runs"
    )


def test_of_many_runs_left_out_some_are_named():
    left_out = {f"run {number}": "does not fit in the budget" for number in range(900)}
    said = ended(Sweep("out", "p", 900, 0, (), {}, left_out, {}, (), "the budget is spent", "a: b; c", 1.0, 0.0, 1))
    assert said[1:3] == ["a: b; c", "left out: run 0: does not fit in the budget"]
    assert said[-2:] == [f"left out: ... and {900 - LEFT_OUT_SHOWN} more (all with --json)", "Records: out"]


def test_words_in_brackets_are_not_markup():
    status = Status(planned=1)
    status.failure("run: [red]found[/red]")
    assert "failed: run: [red]found[/red]" in "\n".join(text(status, now=0.0))
