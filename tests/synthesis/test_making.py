import errno
import json

import numpy as np
import pytest
import torch
from PIL import Image

from azeotrope.errors import RunFailed, StoreError
from azeotrope.synthesis import making
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.making import JOURNAL, make_missing, read_journal, requests_for


class Painter:
    """Makes a picture of the request's seed; refuses batches above `memory`, and is killed after `life` pictures."""

    identity, revision = "painter", None

    def __init__(self, memory=100, life=10**9):
        self.memory, self.life, self.batches = memory, life, []

    def prompt(self, request):
        return f"paint {request.label}"

    def make(self, requests):
        if len(requests) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append(len(requests))
        return [self._one(request) for request in requests]

    def _one(self, request):
        self.life -= 1
        if self.life < 0:
            raise KeyboardInterrupt
        rng = np.random.default_rng(request.seed)
        return Made(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))


REQUESTS = requests_for(["a", "b"], 5, 0)


def make(painter, folder, **changes):
    return make_missing(painter, REQUESTS, folder, **{"batch_images": 4, "suffix": "png", **changes})


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in (folder / "pictures").rglob("*.png")}


def test_every_picture_has_a_file_and_a_line(tmp_path):
    journal = make(Painter(), tmp_path)
    assert len(journal) == len(contents(tmp_path)) == 10
    line = journal[1, 3]
    assert (line.prompt, line.refused, line.seed) == ("paint 1", "", REQUESTS[7].seed)
    assert (line.generator, line.revision) == ("painter", None)
    expected = np.random.default_rng(line.seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    with Image.open(tmp_path / line.file) as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected)
    assert read_journal(tmp_path) == journal


def test_killed_in_mid_picture_the_same_call_ends_with_the_same_pictures(tmp_path, monkeypatch):
    make(Painter(), tmp_path / "unbroken")
    real, written = making.write_atomically, []

    def dies(path, data, **options):
        if len(written) == 5:
            path.with_name(f".{path.name}.tmp").write_bytes(data[:7])  # what a kill leaves of a picture
            raise KeyboardInterrupt
        written.append(path)
        real(path, data, **options)

    monkeypatch.setattr(making, "write_atomically", dies)
    with pytest.raises(KeyboardInterrupt):
        make(Painter(), tmp_path / "killed")
    monkeypatch.undo()
    with (tmp_path / "killed" / JOURNAL).open("a") as journal:
        journal.write('\n{"label": 1, "ind')  # and of a line
    painter = Painter()
    make(painter, tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "unbroken")
    assert painter.batches == [4, 2]  # whole groups, as an unbroken run makes them; the first was finished


def test_a_finished_set_makes_nothing_and_still_moves_the_bar(tmp_path):
    make(Painter(), tmp_path)
    moved = []
    make(Painter(life=0), tmp_path, advance=moved.append)
    assert sum(moved) == 10


def test_out_of_memory_halves_the_batch_and_says_so(tmp_path):
    said, painter = [], Painter(memory=1)
    make(painter, tmp_path, say=said.append)
    assert set(painter.batches) == {1}
    assert said[0] == "out of memory with 4 pictures at once: going on with 2"
    pictures = contents(tmp_path)
    make(Painter(), tmp_path / "plenty")
    assert pictures == contents(tmp_path / "plenty")


def test_not_enough_memory_for_one_picture_is_an_end_with_advice(tmp_path):
    with pytest.raises(RunFailed) as failed:
        make(Painter(memory=0), tmp_path)
    assert "There is not enough memory for one picture. Found: OutOfMemoryError: CUDA out of memory." in str(
        failed.value
    )
    assert "smaller --picture-size" in str(failed.value)


def test_another_error_of_the_generator_is_not_taken_for_memory(tmp_path):
    painter = Painter()
    painter.make = lambda requests: torch.zeros(2) @ torch.zeros(3)
    with pytest.raises(RuntimeError, match="size"):
        make(painter, tmp_path)


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(making, "write_atomically", full)
    with pytest.raises(StoreError, match=r"The disk is full while writing .* Next: free some space"):
        make(Painter(), tmp_path)


def test_jpeg_files_are_jpeg(tmp_path):
    line = make(Painter(), tmp_path, suffix="jpg")[0, 0]
    with Image.open(tmp_path / line.file) as picture:
        assert picture.format == "JPEG"


def test_a_picture_that_a_power_cut_left_empty_is_made_again(tmp_path):
    whole = contents(tmp_path) if make(Painter(), tmp_path) else {}
    (tmp_path / "pictures/0001/000002.png").write_bytes(b"")
    assert (1, 2) not in read_journal(tmp_path)
    make(Painter(), tmp_path)
    assert contents(tmp_path) == whole


def test_pictures_of_a_journal_that_does_not_name_their_generator_are_kept(tmp_path):
    make(Painter(), tmp_path)
    lines = [json.loads(text) for text in (tmp_path / JOURNAL).read_text().splitlines() if text]
    older = [{key: value for key, value in line.items() if key not in ("generator", "revision")} for line in lines]
    (tmp_path / JOURNAL).write_text("\n".join(map(json.dumps, older)))
    assert {line.generator for line in read_journal(tmp_path).values()} == {"unknown"}
    assert len(read_journal(tmp_path)) == 10


def test_a_line_without_its_file_does_not_count(tmp_path):
    journal = make(Painter(), tmp_path)
    (tmp_path / journal[0, 0].file).unlink()
    assert (0, 0) not in read_journal(tmp_path)
    assert json.loads((tmp_path / JOURNAL).read_text().splitlines()[1])["label"] == 0
