"""A bundle of targets that run in environments of their own, with the real packages (`make test-targets`)."""

import json

import pytest

import azeotrope
from environments import ELSEWHERE, environments

if not ELSEWHERE:
    pytest.skip("AZEOTROPE_TARGETS names no target with an environment of its own", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def _environments(tmp_path_factory):
    with environments(tmp_path_factory.getbasetemp() / "cache"):
        yield


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    return azeotrope.export(model, to=ELSEWHERE, out=tmp_path_factory.mktemp("out") / "bundle", max_drop=0.05)


def test_float_files_answer_what_the_network_answers_and_int8_files_are_int8_and_smaller(bundle):
    said = bundle.verification
    assert said.refused == ()
    assert set(said.packages) == {key.removesuffix("-int8") for key in ELSEWHERE}
    assert {each.target for each in (*said.files, *said.not_run)} == set(ELSEWHERE)
    assert {each.target for each in said.not_run} <= {"coreml"}
    for file in said.files:
        assert file.images == said.validation_images
        if file.target.endswith("-int8"):
            assert file.int8_share > 0.5
            assert file.bytes < said.network.bytes
        else:
            assert file.parity.answers_differ == 0
            assert file.parity.largest < 1e-4 * file.parity.spread


def test_predict_takes_the_files(bundle):
    expected = json.loads((bundle.folder / "samples" / "expected.json").read_text())["pictures"][1]
    for file in bundle.verification.files:
        (said,) = azeotrope.predict(bundle.folder / file.file, bundle.folder / "samples" / "1.png", top=10)
        wanted = dict(zip("0123456789", expected["outputs"][file.file]["probabilities"], strict=True))
        assert dict(zip(said.classes, said.probabilities, strict=True)) == pytest.approx(wanted, abs=1e-5)
