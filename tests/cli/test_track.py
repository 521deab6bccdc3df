"""`--track` through the command: shown once, filled up later, and what cannot be used stops nothing."""

import sys

from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import curve_of


def test_runs_are_shown_and_what_is_missing_is_shown_by_the_same_command(cli, tiny, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setitem(sys.modules, "mlflow", None)
    out = tmp_path / "out"
    line = ("compare", "digits", *tiny, "--arms", "scratch", "-n", 60, "--seeds", 2, "--out", out, "--json")
    done = cli(*line, "--track", "tensorboard,mlflow")
    assert done.status == 0, done.err
    assert done.err.count("Nothing more goes to the tracker mlflow; training goes on.") == 1
    records = list(RunStore(str(out)))
    folders = {record.run_id: out / "trackers" / "tensorboard" / record.run_id for record in records}
    assert len(folders) == 2
    for run_id, folder in folders.items():
        found = EventAccumulator(str(folder))
        found.Reload()
        (epoch,) = curve_of(out, run_id)
        assert [each.step for each in found.Scalars("loss")] == [0]
        assert abs(found.Scalars("loss")[0].value - epoch.loss) < 1e-5 * epoch.loss
    gone, kept = folders.values()
    (file,) = gone.iterdir()
    file.unlink()
    gone.rmdir()
    before = next(kept.iterdir()).stat().st_mtime_ns
    assert cli(*line, "--track", "tensorboard").status == 0
    assert [len(list(folder.iterdir())) for folder in (gone, kept)] == [1, 1]
    assert next(kept.iterdir()).stat().st_mtime_ns == before


def test_a_sweep_shows_its_runs_too(cli, tiny, tmp_path):
    out = tmp_path / "out"
    done = cli(
        *("sweep", "digits", *tiny, "--arms", "scratch", "-n", 60, "--seeds", 1, "--out", out),
        *("--track", f"tensorboard:{tmp_path / 'board'}"),
    )
    assert done.status == 0, done.err
    (record,) = RunStore(str(out))
    assert [path.name for path in (tmp_path / "board").iterdir() if path.is_dir()] == [record.run_id]


def test_an_address_stops_before_images_are_read(cli, tmp_path):
    done = cli("compare", "nowhere/", "-s", "test_resnet", "--out", tmp_path / "out", "--track", "mlflow:http://a:5000")
    assert (done.status, done.out) == (2, "")
    assert "A tracker writes to a folder of this machine" in done.said
    assert "the address http://a:5000" in done.said


def test_a_name_that_is_no_tracker_stops_before_images_are_read(cli, tmp_path):
    done = cli("compare", "nowhere/", "-s", "test_resnet", "--out", tmp_path / "out", "--track", "tensorbord")
    assert (done.status, done.out) == (2, "")
    assert "There is no tracker named 'tensorbord'" in done.said
    assert "nearest: tensorboard" in done.said
