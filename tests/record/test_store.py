import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from azeotrope.errors import InputError, StoreError
from azeotrope.record.facts import DeployedFacts, EnvironmentFacts, StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.record.storage.store import RunStore, write_atomically


def record(run_id="a" * 16, **changes):
    content = {
        "run_id": run_id,
        "state": "done",
        "task": TaskFacts(name="digits", fingerprint="f" * 64, classes=("0", "<b>1</b>", "ü")),
        "strategy": "scratch",
        "arm": "scratch",
        "student": StudentFacts(name="test_resnet", parameters=10),
        "init": "random",
        "train_images": 100,
        "seed": 0,
        "test_error": 0.25,
        "seconds": {"train": 1.5},
    }
    return RunRecord(**{**content, **changes})


@pytest.fixture
def store(tmp_path):
    return RunStore(str(tmp_path))


def file_of(store, run_id="a" * 16):
    return Path(store.path_of(run_id))


def test_what_is_put_is_got(store):
    store.put(record())
    assert store.get("a" * 16) == record()
    assert store.get("b" * 16) is None
    assert [path.name for path in file_of(store).parent.iterdir()] == [f"{'a' * 16}.json"]


def test_an_object_store_is_a_store_too():
    store = RunStore("memory://sweep-of-test-store")
    store.put(record())
    assert list(store) == [record()]


def test_records_come_in_the_order_of_their_ids(store):
    for run_id in ("c", "a", "b"):
        store.put(record(run_id))
    assert [found.run_id for found in store] == ["a", "b", "c"]


def test_a_finished_run_is_never_replaced(store):
    store.put(record(test_error=0.25))
    store.put(record(test_error=0.1))
    store.put(record(state="failed", reason="x"))
    assert store.get("a" * 16).test_error == 0.25


def test_a_failed_run_is_replaced_by_a_later_try(store):
    store.put(record(state="failed", reason="no", test_error=None))
    store.put(record())
    assert store.get("a" * 16).state == "done"


def test_a_full_disk_leaves_no_half_of_a_record(store, monkeypatch):
    def full(file_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError) as refusal:
            store.put(record())
    assert str(refusal.value) == (
        f"The disk is full while writing {file_of(store)}. Found: No space left on device. "
        "Next: free some space, then give the same command again: finished runs are kept."
    )
    assert list(file_of(store).parent.iterdir()) == []


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    file = tmp_path / "compare.json"
    write_atomically(file, "old")

    def interrupted(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[1]", "cannot be read"),
        (b'{"schema": 1}', "cannot be read"),
        (
            b'{"schema": 99}',
            "a newer version of azeotrope. Found: schema 99. Allowed: schema 1 or older",
        ),
    ],
)
def test_a_file_that_is_no_record_is_told_and_the_others_are_read(store, content, reason):
    store.put(record("b"))
    file_of(store).write_bytes(content)
    assert list(store) == [record("b")]
    (problem,) = store.problems
    assert problem.path == str(file_of(store))
    assert reason in problem.reason
    with pytest.raises(InputError):
        store.get("a" * 16)


def test_a_key_that_is_not_known_is_an_error(store):
    store.put(record())
    content = json.loads(file_of(store).read_text())
    file_of(store).write_text(json.dumps({**content, "top5_error": 0.1}))
    with pytest.raises(InputError, match="cannot be read"):
        store.get("a" * 16)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_correctness_survives_packing(count):
    correct = np.random.default_rng(count).random(count) < 0.7
    packed = record(correct=pack_correctness(correct), test_images=count)
    np.testing.assert_array_equal(packed.correctness(), correct)
    assert record().correctness() is None


def test_without_times_leaves_out_what_no_two_machines_share():
    facts = dict.fromkeys(EnvironmentFacts.model_fields, "x") | {"threads": 1, "cards": ("x",), "compiled": True}
    here = record(peak_memory_mb=1.0, environment=EnvironmentFacts(**facts))
    there = record(peak_memory_mb=2.0, seconds={"train": 9.0})
    assert here.without_times() == there.without_times()
    assert here.without_times() != record(test_error=0.26).without_times()


@pytest.mark.parametrize(
    "change", [{"test_error": 1.5}, {"test_error": -0.1}, {"state": "perhaps"}, {"train_images": 0}, {"init": "magic"}]
)
def test_impossible_facts_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        record(**change)


def test_a_try_that_fails_leaves_a_finished_run_done_with_the_reason_for_its_file(store):
    asked, failed = ("onnx", "pt2"), record(state="failed", reason="not finite", test_error=None)
    store.put(record(deployed={"onnx": DeployedFacts(test_error=0.5)}))
    stands = store.put_failed(failed, asked)
    assert (stands.state, stands.test_error, stands.deployed["onnx"].test_error) == ("done", 0.25, 0.5)
    assert stands.deployed["pt2"].reason == "The run could not be made again for its file. not finite"
    assert store.get("a" * 16) == stands
    assert stands.is_whole(asked)  # and is not trained again by every repeat
    assert store.put_failed(failed.model_copy(update={"run_id": "b"}), asked).state == store.get("b").state == "failed"


def test_a_file_with_a_reason_is_forgotten_where_it_is_to_be_made_again(store):
    files = {"onnx": DeployedFacts(test_error=0.5), "pt2": DeployedFacts(reason="full"), "x": DeployedFacts(reason="y")}
    store.put(record(deployed=files))
    store.forget_reasons("a" * 16, ("onnx", "pt2"))
    assert store.get("a" * 16).deployed.keys() == {"onnx", "x"}
    store.forget_reasons("b" * 16, ("onnx",))
    assert store.get("b" * 16) is None
