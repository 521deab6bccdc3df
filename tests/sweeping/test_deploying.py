"""A run whose student is also measured as files for a device: the files answer as the network, and never cost it."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.augmentation.render import plain_pixels
from azeotrope.data.decoding.decode import decode
from azeotrope.errors import InputError, NotExported, RunFailed
from azeotrope.exporting.targets import onnx
from azeotrope.exporting.targets._onnxruntime import OnnxProgram
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.session.sweeps.sweep_setup import ask_for_files_again, standing_records
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.runner import Runner

BOTH = ("onnx", "onnx-int8")


@pytest.fixture(scope="module", autouse=True)
def _shortly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azeotrope.exporting.target.TIMED", (5, 0.0))
        yield


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def alone(resources, specs, out):
    """The run without files."""
    return Runner(resources, out).run(specs("scratch")["scratch", 0])


@pytest.fixture(scope="module")
def record(resources, specs, out, alone):
    """The same run asked again, with files."""
    return Runner(resources, out, deploy=BOTH).run(specs("scratch")["scratch", 0])


def test_the_float_file_answers_every_test_image_as_the_network(record):
    file = record.deployed["onnx"]
    assert (file.correct, file.test_error, file.val_error) == (record.correct, record.test_error, record.val_error)
    assert file.test_nll == pytest.approx(record.test_nll, rel=1e-4)
    assert (file.int8_share, file.calibration_images, file.reason) == (None, None, None)


def test_the_int8_file_is_int8_and_calibrated_on_the_runs_training_images(record):
    float_, int8 = (record.deployed[target] for target in BOTH)
    assert int8.int8_share == 1.0
    assert int8.size_mb < float_.size_mb / 2
    assert int8.calibration_images == record.train_images
    judged = record.as_deployed("onnx-int8")
    assert judged.test_error == int8.test_error == pytest.approx(1 - judged.correctness().mean())
    assert judged.test_nll != record.test_nll
    assert min(int8.latency_ms, float_.latency_ms, int8.seconds) > 0


def test_a_run_that_is_done_gets_its_files_and_stays_what_it_was(record, alone, resources, specs, out):
    assert record.without_times().model_copy(update={"deployed": {}}) == alone.without_times()
    runner = Runner(resources, out)
    assert runner.store.get(record.run_id) == record
    assert runner.run(specs("scratch")["scratch", 0]) == record  # who does not ask for files does not lose them
    runner.store.put(alone)
    assert runner.store.get(record.run_id) == record


def test_the_record_of_a_run_without_files_is_as_before(alone):
    assert "deployed" not in alone.model_dump_json(by_alias=True)
    assert RunRecord.model_validate_json(alone.model_dump_json()) == alone
    assert alone.as_deployed("onnx") is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("no kernel\nmore"), "RuntimeError: no kernel"),
        (NotExported("it cannot", found="a loop"), "it cannot. Found: a loop."),
    ],
)
def test_a_file_that_cannot_be_had_does_not_cost_the_run(
    resources, specs, out, record, monkeypatch, tmp_path, error, reason
):
    def fail(conversion, file):
        raise error

    monkeypatch.setattr(onnx, "convert", fail)
    runner = Runner(resources, tmp_path, deploy=("onnx", "pt2"))
    runner.work = out / "work"  # its training is there
    made = runner.run(specs("scratch")["scratch", 0])
    assert (made.state, made.test_error) == ("done", record.test_error)
    assert made.deployed["onnx"].model_dump(exclude={"seconds"}, exclude_none=True) == {"reason": reason}
    assert made.as_deployed("onnx") is None
    assert made.deployed["pt2"].correct == record.correct


def test_a_file_that_fails_on_the_test_images_does_not_cost_the_run_either(
    resources, specs, out, record, monkeypatch, tmp_path
):
    test_images, answer = record.test_images, OnnxProgram.answer

    def fail_on_test_images(self, pixels):
        if len(pixels) == test_images:
            raise RuntimeError("no memory left\nmore")
        return answer(self, pixels)

    monkeypatch.setattr(OnnxProgram, "answer", fail_on_test_images)
    runner = Runner(resources, tmp_path, deploy=("onnx", "pt2"))
    runner.work = out / "work"
    made = runner.run(specs("scratch")["scratch", 0])
    assert (made.state, made.test_error) == ("done", record.test_error)
    assert made.deployed["onnx"].model_dump(exclude={"seconds"}, exclude_none=True) == {
        "reason": "RuntimeError: no memory left"
    }
    assert made.deployed["pt2"].correct == record.correct


def test_many_validation_images_are_verified_in_part_and_all_of_them_judged_a_few_at_a_time(
    resources, specs, out, record, monkeypatch, tmp_path
):
    asked, answer = [], OnnxProgram.answer
    monkeypatch.setattr("azeotrope.sweeping.runs.deploying.VERIFIED_IMAGES", 12)
    monkeypatch.setattr("azeotrope.train.evaluate.AT_A_TIME", (5, 2**21))
    monkeypatch.setattr(OnnxProgram, "answer", lambda self, pixels: asked.append(len(pixels)) or answer(self, pixels))
    runner = Runner(resources, tmp_path, deploy=("onnx",))
    runner.work = out / "work"  # its training is there
    made = runner.run(specs("scratch")["scratch", 0])
    assert made.deployed["onnx"].val_error == record.val_error
    assert made.deployed["onnx"].correct == record.correct
    assert asked[0] == 12 < made.val_images
    assert max(asked[1:]) < 10


def test_what_all_files_need_does_not_cost_the_run_either(resources, specs, out, record, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("azeotrope.sweeping.runs.deploying.eager", fail)
    runner = Runner(resources, tmp_path, deploy=BOTH)
    runner.work = out / "work"
    made = runner.run(specs("scratch")["scratch", 0])
    assert (made.state, made.test_error) == ("done", record.test_error)
    assert {target: file.reason for target, file in made.deployed.items()} == dict.fromkeys(BOTH, "MemoryError")


def test_a_done_run_whose_training_fails_when_made_again_for_a_file_stays_done(
    resources, specs, alone, monkeypatch, tmp_path
):
    def fail(*_, **__):
        raise RunFailed("The loss must be finite", found="nan")

    spec, runner = specs("scratch")["scratch", 0], Runner(resources, tmp_path, deploy=("onnx",))
    runner.store.put(alone)
    monkeypatch.setattr("azeotrope.sweeping.runs.runner.train_once", fail)
    made = runner.run(spec)
    assert (made.state, made.test_error, runner.store.get(alone.run_id)) == ("done", alone.test_error, made)
    assert "The loss must be finite" in made.deployed["onnx"].reason
    monkeypatch.setattr("azeotrope.sweeping.runs.runner.train_once", None)
    assert runner.run(spec) == made  # and nothing is trained again


def test_files_that_could_not_be_had_are_made_again_when_failed_runs_are(alone, record, tmp_path):
    """As `sweep --retry-failed` asks for them."""
    store = RunStore(str(tmp_path))
    plan = SimpleNamespace(deploy=("onnx",), fingerprint=alone.task.fingerprint, folds=())
    grid = SimpleNamespace(plan=plan, specs=[SimpleNamespace(digest=lambda: alone.run_id)])
    store.put(alone.lacking(["onnx"], "no space left"))
    assert standing_records(store, grid, retry_failed=False).keys() == {alone.run_id}
    ask_for_files_again(store, grid)
    assert standing_records(store, grid, retry_failed=True) == {}
    store.put(record)
    ask_for_files_again(store, grid)
    assert standing_records(store, grid, retry_failed=True) == {alone.run_id: record}


def test_files_are_given_the_bytes_that_a_device_makes(digits, shapes, resources):
    """Pillow by itself, one resize from the picture on: grey and colour, square and not."""
    for task, mode in ((digits, "L"), (shapes, "RGB")):
        pack = resources.plain(task.fingerprint, 24, "bicubic")
        rows = task.splits.val[:5]
        pack.ensure(rows)
        made = plain_pixels(pack.read(rows), 24, "bicubic")
        for row, pixels in zip(rows, made, strict=True):
            picture = decode(task.source.read(row)).pixels
            image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).convert(mode)
            wanted = np.asarray(image.resize((24, 24), Image.Resampling.BICUBIC).convert("RGB"))
            np.testing.assert_array_equal(pixels, wanted.transpose(2, 0, 1))


def test_a_plan_names_its_targets_as_they_are_typed():
    plan = SweepPlan.model_validate({"data": "digits", "students": "test_resnet", "deploy": "onnx,onnx_int8"})
    assert plan.deploy == BOTH
    older = SweepPlan.model_validate({"data": "digits", "students": "test_resnet"})
    assert older.question() != plan.question()
    with pytest.raises(ValueError, match="There is no export target named 'onxx'"):
        SweepPlan.model_validate({"data": "digits", "students": "test_resnet", "deploy": "onxx"})


def test_a_mistyped_target_is_told_before_anything_is_read(tmp_path):
    import azeotrope

    with pytest.raises(InputError, match=r"no export target named 'onxx'\. Allowed: nearest: onnx"):
        azeotrope.compare("no-such-folder", student="test_resnet", teacher=None, out=tmp_path, deploy="onxx")
