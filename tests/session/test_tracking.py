"""Bad input of --track: what cannot be used is said once, and training goes on."""

import sys

import pytest

from azeotrope.errors import InputError
from azeotrope.lookup import members
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import Epoch, keep_curve
from azeotrope.session import tracking
from azeotrope.session.tracking import open_tracking
from reporting.factories import run
from trackers import readers

CURVE = (Epoch(0, 1e-3, 800.0, 2.25, {"kl": 0.75}),)

PACKAGES = {
    "tensorboard": "tensorboard.summary.writer.record_writer",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "trackio": "trackio",
}


@pytest.mark.parametrize("name", members("trackers"))
def test_a_tracker_that_is_not_installed_is_said_with_what_installs_it(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    said = []
    opened = open_tracking([name], tmp_path, said.append)
    (sentence,) = said
    assert f"Nothing more goes to the tracker {name}; training goes on." in sentence
    assert f'pip install "azeotrope[{name}]"' in sentence
    opened.show(run(), str(tmp_path))
    assert len(said) == 1


def test_a_folder_that_cannot_be_written_is_said_and_the_others_are_shown_the_run(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    said, good = [], tmp_path / "good"
    opened = open_tracking(f"tensorboard:{tmp_path / 'file'}/below, tensorboard:{good}", tmp_path, said.append)
    (sentence,) = said
    assert "cannot be written" in sentence
    assert "choose another folder with --track NAME:FOLDER" in sentence
    opened.show(run(run_id="abc"), str(tmp_path))
    assert (good / "abc").is_dir()
    assert len(said) == 1


def test_a_tracker_that_fails_midway_is_given_up_and_said_once(tmp_path):
    said = []
    opened = open_tracking("tensorboard", tmp_path, said.append)
    opened.show(run(run_id="first"), str(tmp_path))
    folder = tmp_path / "trackers" / "tensorboard"
    (folder / "second").write_text("in the way")
    for run_id in ("second", "third"):
        opened.show(run(run_id=run_id), str(tmp_path))
    (sentence,) = said
    assert sentence.startswith("Nothing more goes to the tracker tensorboard; training goes on.")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["first"]


def test_a_run_whose_curve_is_damaged_is_shown_without_it_and_the_next_one_with_its_own(tmp_path):
    RunStore(str(tmp_path)).write("curves/abc.csv", b"nonsense")
    keep_curve(RunStore(str(tmp_path)), "next", CURVE)
    said, folders = [], [tmp_path / "one", tmp_path / "two"]
    opened = open_tracking([f"tensorboard:{folder}" for folder in folders], tmp_path, said.append)
    for run_id in ("abc", "next", "abc"):
        opened.show(run(run_id=run_id), str(tmp_path))
    (sentence,) = said
    assert sentence.startswith("The run abc is shown to trackers without its curve.")
    assert "curves/abc.csv cannot be read" in sentence
    for folder in folders:
        read = {run_id: readers.tensorboard(folder, run(run_id=run_id))[1] for run_id in ("abc", "next")}
        assert read["abc"]["test_error"] == [pytest.approx(0.2)]
        assert "loss" not in read["abc"]
        assert read["next"]["loss"] == [2.25]


def test_runs_that_a_tracker_had_when_it_was_opened_cost_nothing(tmp_path, monkeypatch):
    open_tracking("tensorboard", tmp_path, pytest.fail).show(run(run_id="abc"), str(tmp_path))
    again = open_tracking("tensorboard", tmp_path, pytest.fail)
    for name in ("locked", "curve_of"):
        monkeypatch.setattr(tracking, name, lambda *_: pytest.fail("the run is known"))
    again.show(run(run_id="abc"), str(tmp_path))


def test_a_run_that_another_process_has_shown_since_is_not_shown_twice(tmp_path, monkeypatch):
    first, second = (open_tracking("tensorboard", tmp_path, pytest.fail) for _ in range(2))
    first.show(run(run_id="abc"), str(tmp_path))
    monkeypatch.setattr(tracking, "tracked", lambda *_: pytest.fail("the run is there"))
    second.show(run(run_id="abc"), str(tmp_path))


def test_a_failed_run_is_not_shown(tmp_path):
    opened = open_tracking("tensorboard", tmp_path, pytest.fail)
    opened.show(run(run_id="bad", state="failed", reason="made up"), str(tmp_path))
    assert not (tmp_path / "trackers" / "tensorboard" / "bad").exists()


def test_a_name_that_is_no_tracker_is_refused_before_anything(tmp_path):
    with pytest.raises(InputError, match=r"There is no tracker named 'tensorbord'.*nearest: tensorboard"):
        open_tracking("tensorbord", tmp_path, pytest.fail)


@pytest.mark.parametrize("asked", ["mlflow:http://server:5000", "tensorboard:s3://bucket/x", "mlflow:sqlite:///a.db"])
def test_an_address_is_refused_and_nothing_is_written(tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"A tracker writes to a folder of this machine.*Found: the address") as no:
        open_tracking(asked, tmp_path, pytest.fail)
    name, _, address = asked.partition(":")
    assert address in str(no.value)
    assert f"name one: --track {name}:FOLDER" in str(no.value)
    assert list(tmp_path.iterdir()) == []


def test_runs_at_a_url_need_a_folder_named():
    with pytest.raises(InputError, match=r"A tracker writes to a folder of this machine.*--track mlflow:FOLDER"):
        open_tracking("mlflow", "s3://bucket/sweep", pytest.fail)
