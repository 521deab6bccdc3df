"""Every tracker keeps one contract, and its own reader finds what was shown to it."""

import getpass
import platform
import socket

import pytest

from azeotrope.lookup import member, members
from azeotrope.record.training_curve import Epoch
from azeotrope.trackers._tracker import tracked
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
@pytest.mark.parametrize("name", EVERY)
def test_neither_the_machine_nor_its_user_nor_a_secret_is_in_its_files(name, folder):
    """After the test above, whose folder it reads."""
    private = [SECRET, *(word for word in (platform.node(), getpass.getuser()) if len(word) > 4)]
    written = [path for path in (folder / name).rglob("*") if path.is_file()]
    assert written
    for path in written:
        content = path.read_bytes()
        assert not [word for word in private if word.encode() in content or word in path.name], path


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
    run = shown("long", curve=[CURVE[1]] * 400)
    tracker = member("trackers", "mlflow", "tracker").open_tracker(tmp_path)
    tracker.add(run)
    assert len(readers.mlflow(tmp_path, run)[1]["loss/kl"]) == 400


def test_a_run_that_a_kill_left_half_in_tensorboard_is_not_counted(tmp_path):
    tracker = member("trackers", "tensorboard", "tracker").open_tracker(tmp_path)
    (tmp_path / ".half").mkdir()
    (tmp_path / ".half" / "events.out.tfevents.1").write_bytes(b"torn")
    assert not tracker.has("half")
    tracker.add(shown("half"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half"]
