"""export and predict of what it made, as commands."""

import json

import pytest


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZEOTROPE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="module")
def trained(cli, tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "out"
    done = cli("compare", "digits", *tiny, "-n", 60, "--arms", "scratch", "--seeds", 1, "--out", out)
    assert done.status == 0, done.err
    return out


def test_export_says_what_was_verified_and_predict_takes_it(cli, trained, picture):
    done = cli("export", trained, "--to", "onnx,pt2", "--max-drop", 0.5)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("timm:test_resnet, 10 classes: error ")
    assert lines[1].startswith("model.onnx: error ")
    assert "drop +0.0000" in lines[1]
    (folder,) = trained.glob("models/*/export")
    assert lines[3] == f"Bundle: {folder}"
    assert cli("predict", folder / "model.onnx", picture).out.startswith(f"{picture}: ")
    away = cli("predict", folder / "samples" / "0.png", picture)
    assert away.status == 2
    assert "used from its bundle" in away.said


def test_json_is_one_document_and_a_refused_target_is_an_exit_status(cli, trained, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.exporting.targets._onnxruntime.OnnxProgram.int8_share", lambda self: 0.0)
    done = cli("export", trained, "--to", "onnx-int8,pt2", "--out", tmp_path / "b", "--max-drop", 1, "--json")
    assert done.status == 1
    said = json.loads(done.out)
    assert [file["target"] for file in said["verification"]["files"]] == ["pt2"]
    assert "onnx-int8: not exported. model.int8.onnx must compute in 8 bits." in done.said


def test_a_page_needs_an_onnx_file(cli, trained, tmp_path):
    done = cli("export", trained, "--to", "pt2", "--page", "npm", "--out", tmp_path / "b")
    assert done.status == 2
    assert "The page runs an ONNX file. Found: --page with --to pt2. Next: add onnx to --to." in done.said


def test_a_runtime_that_is_not_there(cli, trained, tmp_path):
    done = cli("export", trained, "--to", "onnx", "--page", tmp_path, "--out", tmp_path / "b")
    assert done.status == 2
    assert "The page needs onnxruntime-web" in done.said
    assert not (tmp_path / "b").exists()
