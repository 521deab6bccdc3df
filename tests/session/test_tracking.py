"""Bad input of --track: what cannot be used is said once, and training goes on."""

import sys

import pytest

from azeotrope.errors import InputError
from azeotrope.lookup import members
from azeotrope.record.store import RunStore
from azeotrope.session.tracking import open_tracking
from reporting.factories import run

PACKAGES = {
    "tensorboard": "tensorboard.summary.writer.event_file_writer",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "trackio": "trackio",
}


@pytest.mark.parametrize("name", members("trackers"))
def test_a_tracker_that_is_not_installed_is_said_with_what_installs_it(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    said = []
    tracking = open_tracking([name], tmp_path, said.append)
    (sentence,) = said
    assert f"Nothing more goes to the tracker {name}; training goes on." in sentence
    assert f'pip install "azeotrope[{name}]"' in sentence
    tracking.show(run(), str(tmp_path))
    assert len(said) == 1


def test_a_folder_that_cannot_be_written_is_said_and_the_others_are_shown_the_run(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    said, good = [], tmp_path / "good"
    tracking = open_tracking(f"tensorboard:{tmp_path / 'file'}/below, tensorboard:{good}", tmp_path, said.append)
    (sentence,) = said
    assert "cannot be written" in sentence
    assert "choose another folder with --track NAME:FOLDER" in sentence
    tracking.show(run(run_id="abc"), str(tmp_path))
    assert (good / "abc").is_dir()
    assert len(said) == 1


def test_a_tracker_that_fails_midway_is_given_up_and_said_once(tmp_path):
    said = []
    tracking = open_tracking("tensorboard", tmp_path, said.append)
    tracking.show(run(run_id="first"), str(tmp_path))
    folder = tmp_path / "trackers" / "tensorboard"
    (folder / ".second").write_text("in the way")
    for run_id in ("second", "third"):
        tracking.show(run(run_id=run_id), str(tmp_path))
    (sentence,) = said
    assert sentence.startswith("Nothing more goes to the tracker tensorboard; training goes on.")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["first"]


def test_a_damaged_curve_costs_the_tracker_and_not_the_run(tmp_path):
    RunStore(str(tmp_path)).write("curves/abc.csv", b"nonsense")
    said = []
    open_tracking("tensorboard", tmp_path, said.append).show(run(run_id="abc"), str(tmp_path))
    assert "curves/abc.csv cannot be read" in said[0]


def test_a_failed_run_is_not_shown(tmp_path):
    tracking = open_tracking("tensorboard", tmp_path, pytest.fail)
    tracking.show(run(run_id="bad", state="failed", reason="made up"), str(tmp_path))
    assert not (tmp_path / "trackers" / "tensorboard" / "bad").exists()


def test_a_name_that_is_no_tracker_is_refused_before_anything(tmp_path):
    with pytest.raises(InputError, match=r"There is no tracker named 'tensorbord'.*nearest: tensorboard"):
        open_tracking("tensorbord", tmp_path, pytest.fail)


def test_runs_at_a_url_need_a_folder_named():
    with pytest.raises(InputError, match=r"A tracker writes to a folder of this machine.*--track mlflow:FOLDER"):
        open_tracking("mlflow", "s3://bucket/sweep", pytest.fail)
