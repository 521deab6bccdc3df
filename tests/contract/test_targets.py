"""Every file in exporting/targets/ keeps the contract. `environments` says which are here."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.target import Conversion, NotRunHere, target_named
from azeotrope.models.load import load_network
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.testing import targets
from environments import ELSEWHERE, HERE, environments

RUN = [key for key in HERE if key != "coreml"]


@pytest.fixture(scope="module", autouse=True)
def _environments(tmp_path_factory):
    """There before the files are made."""
    with environments(tmp_path_factory.getbasetemp() / "cache"):
        yield


@pytest.fixture(scope="module")
def pictures():
    """Handwritten digits as the graph takes them: 32 of 32x32 pixels."""
    from sklearn.datasets import load_digits

    digits = (load_digits().images[:32] * 15).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(digits.repeat(4, 1).repeat(4, 2)[:, None], 3, axis=1))


@pytest.fixture(scope="module")
def conversion(pictures, tmp_path_factory):
    """A network with convolutions, residual connections and pooling, whose statistics are those of the pictures."""
    loaded = load_network("test_resnet", 10, image_size=32, pretrained=False, seed=0)
    saved = SavedModel(loaded.network, tuple("0123456789"), loaded.preprocessing, ModelSpec.parse("test_resnet"), {})
    module = Deployed(saved, temperature=0.02)
    with torch.no_grad():
        for _ in range(50):
            module.backbone.train()(module.normalised(torch.from_numpy(pictures)))
    return Conversion(module.eval(), 32, pictures, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def made(conversion, tmp_path_factory):
    """Each target's files, made once."""
    done = {}

    def make(key):
        if key not in done:
            done[key] = targets.converted(target_named(key), conversion, tmp_path_factory.mktemp(key))
        return done[key]

    return make


@pytest.mark.parametrize("check", targets.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", RUN)
def test_every_target_keeps_the_contract(key, check, made, pictures):
    check(target_named(key), made(key), pictures)


@pytest.mark.parametrize("key", [key for key in HERE if key not in ELSEWHERE])
def test_a_program_opens_its_file_once_for_all_its_answers(key, made, pictures, monkeypatch):
    """Of a test set a program is asked part by part, and opening compiles."""
    program, opened = made(key).opened(target_named(key)), []
    place, name = {
        "pt2": (torch.export, "load"),
        **dict.fromkeys(("onnx", "onnx-int8"), ("azeotrope.exporting.targets._onnxruntime", "session")),
        **dict.fromkeys(("openvino", "openvino-int8"), ("azeotrope.exporting.targets._openvino", "compiled")),
    }[key]
    module = importlib.import_module(place) if isinstance(place, str) else place
    opens = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: opened.append(given) or opens(*given))
    first, second = (program.answer(part)[0] for part in (pictures[:3], pictures[3:5]))
    assert (len(first), len(second), len(opened)) == (3, 2, 1)


@pytest.mark.parametrize("key", [key for key in ELSEWHERE if key in RUN])
def test_a_program_elsewhere_opens_its_file_once_for_all_its_answers(key, made, pictures):
    program = made(key).opened(target_named(key))
    assert len(program.answer(pictures[:3])[0]) == 3
    before = program.backend.ask("opened")
    assert len(program.answer(pictures[3:5])[0]) == 2
    assert program.backend.ask("opened") == before


@pytest.mark.parametrize("key", [key for key in HERE if key not in RUN])
def test_core_ml_is_converted_and_not_run(key, made):
    target, done = target_named(key), made(key)
    found = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert found == set(target.FILES)
    with pytest.raises(NotRunHere, match=r"model\.mlpackage is not run here.*macOS and iOS only.*samples/"):
        done.opened(target)


class Broken:
    """A target of the extra `export` that does one thing wrong."""

    def __init__(self, key, **wrong):
        self._whole, self._wrong = target_named(key), wrong
        self.FILES, self.INT8 = self._whole.FILES, wrong.get("int8", self._whole.INT8)

    def open_program(self, file, outputs):
        program = self._whole.open_program(file, outputs)
        change = self._wrong.get("answer", lambda pixels, answer: answer(pixels))
        return SimpleNamespace(
            answer=lambda pixels: change(pixels, program.answer),
            latency=self._wrong.get("latency", program.latency),
            int8_share=self._wrong.get("int8_share", program.int8_share),
        )


def normalised_twice(pixels, answer):
    return answer((pixels / 2).astype(np.uint8))


def of_the_batch(pixels, answer):
    logits, probabilities = answer(pixels)
    return logits - logits.mean(0) * (len(pixels) > 1), probabilities


def probabilities_twice(pixels, answer):
    logits, _ = answer(pixels)
    return logits, logits


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ({"answer": normalised_twice}, targets.answers_what_the_module_answers),
        ({"answer": of_the_batch}, targets.answers_any_number_of_images),
        ({"answer": probabilities_twice}, targets.answers_every_output),
        ({"int8": True}, targets.tells_its_share_of_int8),
        ({"int8_share": lambda: 0.5}, targets.tells_its_share_of_int8),
    ],
    ids=lambda value: getattr(value, "__name__", "-".join(value) if isinstance(value, dict) else ""),
)
def test_the_contract_notices_a_target_that_breaks_it(broken, check, made, pictures):
    with pytest.raises((AssertionError, TypeError)):
        check(Broken("onnx", **broken), made("onnx"), pictures)


def test_the_contract_notices_a_file_that_is_left_out(made, pictures):
    broken = Broken("onnx")
    broken.FILES = ("model.onnx", "model.onnx.data")
    with pytest.raises(AssertionError, match="FILES are"):
        targets.writes_its_files_and_no_others(broken, made("onnx"), pictures)
