"""What a file gets where a terminal would show bars: a line a minute with done, of and time left."""

import io
import re
import threading

import pytest
from rich.console import Console

from azeotrope.cli._terminal.progress import EVERY_SECONDS, Bars, Lines, Shown, Ticker


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def lines():
    """Lines in a file that no thread writes to, the clock they read, and what was written."""
    clock, file = Clock(), io.StringIO()
    return Lines(Console(file=file, width=40), every=3600, clock=clock), clock, lambda: file.getvalue().splitlines()


def test_a_minute_says_done_of_and_time_left():
    shown, clock, written = lines()
    shown.start("training", 3600, "images")
    shown.say("distill:kl, 1,000 images, seed 0, a label that is longer than the console is wide")
    clock.now += 60
    shown.advance(900)
    shown._tell()
    assert written() == [
        "training: 3,600 images",
        "training: 900 of 3,600 images, about 3 min 00 s left "
        "(distill:kl, 1,000 images, seed 0, a label that is longer than the console is wide)",
    ]


def test_time_left_is_not_guessed_before_the_first_unit():
    shown, clock, written = lines()
    shown.start("training", 10, "images")
    clock.now += 60
    shown._tell()
    assert written()[-1] == "training: 0 of 10 images"


def test_the_end_of_each_piece_of_work_is_said_with_its_time():
    shown, clock, written = lines()
    shown.open()
    shown.start("reading images", 2, "images")
    clock.now += 5
    shown.advance(2)
    clock.now += 11  # something else, of which nothing is shown
    shown.start("training", 4, "images")
    clock.now += 7
    shown.close()
    assert written() == [
        "reading images: 2 images",
        "reading images: 2 of 2 images in 5.0 s",
        "training: 4 images",
        "training: 0 of 4 images in 7.0 s",
    ]


def test_a_ticker_goes_on_while_a_step_lasts_and_stops_when_told():
    ticks, three = [], threading.Event()

    def tell():
        ticks.append(1)
        if len(ticks) == 3:
            three.set()

    ticker = Ticker(tell, every=0.01)
    ticker.start()
    assert three.wait(30)
    ticker.stop()
    assert EVERY_SECONDS == 60


def test_bars_are_for_terminals_and_lines_for_files(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "")
    assert isinstance(Shown()._form, Lines)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert not isinstance(Shown()._form, Lines)


@pytest.mark.parametrize("width", [24, 61])
def test_a_sentence_above_a_bar_is_whole_on_a_terminal_of_any_width(width):
    """Every word stands on one line, and none is overwritten by the bar that is drawn below it."""
    file = io.StringIO()
    bars = Bars(Console(file=file, force_terminal=True, width=width, color_system=None))
    sentence = " ".join(f"word-{number}" for number in range(40))
    bars.open()
    bars.start("reading images", 5, "images")
    bars.note(sentence)
    bars.advance(5)
    bars.close()
    shown = re.sub("\x1b[^A-Za-z]*[A-Za-z]", "", file.getvalue().replace("\r", "\n"))
    assert " ".join(re.findall(r"\bword-\d+\b", shown)) == sentence
