"""Every tracker keeps one contract, and its own reader finds what was shown to it."""

import getpass
import json
import platform
import re
import socket
from dataclasses import replace

import pytest

from azeotrope.lookup import member, members
from azeotrope.record.storage.training_curve import Epoch
from azeotrope.trackers._tracker import tracked, without_folders
from azeotrope.trackers.mlflow import _named
from reporting.factories import run as a_run

from . import readers

SECRET = "s3cr3t-of-the-environment"
ELSEWHERE = ("mlflow", "wandb", "trackio")  # their packages are heavy: make test-trackers
EVERY = [pytest.param(name, marks=[pytest.mark.trackers] if name in ELSEWHERE else []) for name in members("trackers")]
CURVE = (
    Epoch(0, 1e-3, 800.0, 2.25, {"cross_entropy": 1.5, "kl": 0.75}),
    Epoch(1, 5e-4, 900.0, 1.125, {"cross_entropy": 0.625, "kl": 0.5}, 0.25, 0.875),
)


def shown(run_id, curve=CURVE):
    record = a_run("distill", 3, errors=125, recipe={"epochs": 2, "policy": {"mirror": False}}, run_id=run_id)
    return tracked(record, curve)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """One for all tests: trackio has one in a process."""
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture
def no_network(monkeypatch):
    connect = socket.socket.connect

    def only_here(self, address):
        assert isinstance(address, str | bytes) or address[0] in ("127.0.0.1", "::1", "localhost"), address
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
    for name in ("WANDB_API_KEY", "MLFLOW_TRACKING_TOKEN", "HF_TOKEN"):
        monkeypatch.setenv(name, SECRET)


def test_a_run_is_told_as_plain_parameters_and_numbers():
    run = shown("abc")
    assert run.name == "distill, tiny, 500 images, seed 3"
    told = {key: run.parameters[key] for key in ("run_id", "arm", "student", "teacher", "train_images", "seed")}
    assert told == {
        "run_id": "abc",
        "arm": "distill",
        "student": "tiny",
        "teacher": "big",
        "train_images": 500,
        "seed": 3,
    }
    assert (run.parameters["recipe.epochs"], run.parameters["recipe.policy.mirror"]) == (2, False)
    assert run.parameters["losses.kl"] == 1.0
    assert run.epochs[0] == {
        "learning_rate": 1e-3,
        "images_per_second": 800.0,
        "loss": 2.25,
        "loss/cross_entropy": 1.5,
        "loss/kl": 0.75,
    }
    assert (run.epochs[1]["val_error"], run.results["test_error"]) == (0.25, 0.125)
    assert not any("processor" in name or "environment" in name for name in run.parameters)


@pytest.mark.filterwarnings("default")  # of the trackers' own
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", EVERY)
def test_its_own_reader_finds_what_it_was_shown(name, folder, capfd):
    own, run = folder / name, shown(f"{name}run1")
    own.mkdir(exist_ok=True)
    tracker = member("trackers", name, "tracker").open_tracker(own)
    assert not tracker.has(run.run_id)
    tracker.add(run)
    assert tracker.has(run.run_id)
    tracker.add(shown(f"{name}run2", curve=()))  # of an older store
    again = member("trackers", name, "tracker").open_tracker(own)
    assert again.has(f"{name}run2")
    assert not again.has("another")
    assert {f"{name}run1", f"{name}run2"} <= again.known()
    parameters, values = getattr(readers, name)(own, run)
    assert {key: str(value) for key, value in parameters.items() if key in ("arm", "teacher", "student")} == {
        "arm": "distill",
        "teacher": "big",
        "student": "tiny",
    }
    assert float(parameters["train_images"]) == 500
    assert values["loss"] == [2.25, 1.125]
    assert values["loss/kl"] == [0.75, 0.5]
    assert values["learning_rate"] == pytest.approx([1e-3, 5e-4])
    assert values["val_error"] == [0.25]
    assert (values["test_error"], values["best_val_error"]) == ([0.125], [pytest.approx(0.2)])
    assert capfd.readouterr().out == "", "standard output is for results"


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", EVERY)
def test_neither_the_machine_nor_its_user_nor_a_secret_is_in_its_files(name, folder, tmp_path, monkeypatch):
    user = getpass.getuser()
    for variable in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(variable, "qzj7")
    own = folder / name if name == "trackio" else tmp_path / "shown"
    own.mkdir(exist_ok=True)
    record = a_run("distill", recipe={"metric": "file:/srv/wxq9/kvz/m.py:f"}, run_id=f"{name}private")
    models = {
        "student": record.student.model_copy(update={"name": "file:/srv/wxq9/kvz/student.py:build"}),
        "teacher": record.teacher.model_copy(update={"name": "timm:a@/srv/wxq9/w.pth+file:../kvz/b.py:g"}),
    }
    member("trackers", name, "tracker").open_tracker(own).add(tracked(record.model_copy(update=models), CURVE))
    written = [path for path in own.rglob("*") if path.is_file()]
    whole = b"\n".join(path.read_bytes() + path.name.encode() for path in written)
    assert b"file:student.py:build" in whole, "the run is in these files"
    if name == "mlflow":  # keeps where artifacts would go: in its own folder
        whole = whole.replace(bytes(own), b"")
    private = [SECRET, "qzj7", "wxq9", "kvz", platform.node(), user]
    assert not [word for word in private if re.search(rb"(?<![A-Za-z0-9_])%b(?![A-Za-z0-9_])" % word.encode(), whole)]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("file:/home/alice/m.py:f", "file:m.py:f"),
        ("file:work/m.py:f@nets/w.pth", "file:m.py:f@w.pth"),
        (r"C:\Users\alice\m.py:f", "m.py:f"),
        ("exported:~alice/out/export/", "exported:export"),
        ("timm:a@/mnt/x/w.pth+file:/home/a+b/m.py:f+hf:org/net", "timm:a@w.pth+file:m.py:f+hf:org/net"),
        ("timm:a@package:some/net", "timm:a@package:some/net"),
        ("hf:org/net@hub", "hf:org/net@hub"),
    ],
)
def test_files_are_told_by_their_base_names(named, told):
    assert without_folders(named) == told


def test_arms_keep_their_own_signs():
    """`/` between losses is no folder: two arms would be one."""
    arms = ["distill@hub:kl/crd", "distill@hub:rkd/crd"]
    assert [tracked(a_run(arm), CURVE).parameters["arm"] for arm in arms] == arms


def test_weights_of_classes_are_one_value():
    weights = {"a+b": 2.0, "a*b": 0.5, "sick.mild": 1.0, "größe": 3.0}
    told = tracked(a_run(recipe={"class_weights": weights, "policy": {"mirror": True}}), ()).parameters
    assert json.loads(told["recipe.class_weights"]) == weights
    assert [name for name in told if name.startswith("recipe.")] == ["recipe.class_weights", "recipe.policy.mirror"]


def test_two_names_stay_two_in_mlflow_and_none_is_too_long():
    names = ["a+b", "a*b", "a_b", "loss/kl(T=1)", "loss/kl_T_1_", "n" * 250, "n" * 251, "n" * 252]
    taken = [_named(name) for name in names]
    assert len(set(taken)) == len(names)
    assert all(re.fullmatch(r"[\w./ -]{1,250}", name) for name in taken)
    assert (taken[2], taken[3][:-8], taken[5]) == ("a_b", "loss/kl_T_1_-", "n" * 250)


@pytest.mark.trackers
@pytest.mark.filterwarnings("default")
def test_a_run_that_a_kill_left_unfinished_in_mlflow_is_not_counted(tmp_path):
    tracker = member("trackers", "mlflow", "tracker").open_tracker(tmp_path)
    tracker.client.create_run(tracker.experiment, tags={"azeotrope.run_id": "half"})
    assert not tracker.has("half")
    tracker.add(shown("half"))
    assert tracker.has("half")
    assert readers.mlflow(tmp_path, shown("half"))[1]["loss"] == [2.25, 1.125]


@pytest.mark.trackers
@pytest.mark.filterwarnings("default")
def test_more_numbers_than_mlflow_takes_at_once(tmp_path):
    run = shown("long", curve=[replace(CURVE[1], epoch=epoch) for epoch in range(400)])
    tracker = member("trackers", "mlflow", "tracker").open_tracker(tmp_path)
    tracker.add(run)
    assert len(readers.mlflow(tmp_path, run)[1]["loss/kl"]) == 400


def test_a_run_that_a_kill_left_half_is_no_run_to_tensorboard(tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories
    from tensorboard.summary.writer.record_writer import RecordWriter

    tracker, write, written = (
        member("trackers", "tensorboard", "tracker").open_tracker(tmp_path),
        RecordWriter.write,
        [],
    )

    def killed(self, data):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(data)
        write(self, data)

    with monkeypatch.context() as patched:
        patched.setattr(RecordWriter, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            tracker.add(shown("half"))
    assert list(tmp_path.iterdir()), "something is there"
    assert list(GetLogdirSubdirectories(str(tmp_path))) == []
    assert (tracker.has("half"), tracker.known()) == (False, set())
    tracker.add(shown("half"))
    assert list(GetLogdirSubdirectories(str(tmp_path))) == [str(tmp_path / "half")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half"]


def test_the_step_is_the_epoch_and_not_the_place(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    late = [replace(each, epoch=each.epoch + 7) for each in CURVE]
    member("trackers", "tensorboard", "tracker").open_tracker(tmp_path).add(shown("late", curve=late))
    found = EventAccumulator(str(tmp_path / "late"))
    found.Reload()
    assert [each.step for each in found.Scalars("loss")] == [7, 8]
    assert [each.step for each in found.Scalars("test_error")] == [8]
