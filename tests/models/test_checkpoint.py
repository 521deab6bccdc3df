"""Weights files as training scripts, tools and failed downloads leave them."""

import argparse
import collections
import datetime
import pathlib

import numpy as np
import pytest
import torch
from torch import nn

from azeotrope.errors import InputError
from azeotrope.models.pretrained.checkpoint import rooted
from azeotrope.models.pretrained.weights import fingerprint, load_into, read_tensors


def body():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def loaded(path, head_names=("fc",)):
    """The fingerprint of a fresh body after this file was put into it."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    load_into(module, rooted(read_tensors(path), module.state_dict(), str(path)), head_names=head_names, source="w")
    return fingerprint(module.state_dict())


def named(prefix, tensors=None):
    return {prefix + name: tensor for name, tensor in (tensors or body().state_dict()).items()}


WANTED = fingerprint(body().state_dict())


@pytest.mark.parametrize("name", ["model_best.pth.tar", "last.ckpt", "renamed.pth", "weights"])
def test_what_a_file_is_its_content_says(tmp_path, name):
    torch.save({"state_dict": body().state_dict()}, tmp_path / name)
    assert loaded(tmp_path / name) == WANTED


@pytest.mark.parametrize(
    "beside",
    [
        argparse.Namespace(lr=0.1, model="test_resnet", path=pathlib.PurePosixPath("a")),
        np.float64(0.93),
        np.float32(0.93),
        np.arange(3),
        collections.Counter("aab"),
        datetime.datetime(2026, 1, 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_data_beside_the_tensors(tmp_path, beside):
    torch.save({"epoch": 9, "state_dict": body().state_dict(), "beside": beside}, tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth") == WANTED


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "_orig_mod.",
        "_orig_mod.module.",
        "module._orig_mod.",
        "model.",
        "net.encoder.",
        "model._orig_mod.module.",
    ],
)
def test_whatever_stands_before_the_names(tmp_path, prefix):
    torch.save({"state_dict": named(prefix)}, tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth") == WANTED


def test_beside_other_parts_of_the_training(tmp_path):
    tensors = {**named("model."), "criterion.weight": torch.ones(7), "n_averaged": torch.tensor(3)}
    torch.save({"state_dict": tensors, "hyper_parameters": {"lr": 0.1}}, tmp_path / "last.ckpt")
    assert loaded(tmp_path / "last.ckpt") == WANTED


def test_two_networks_in_one_file_are_asked_about(tmp_path):
    other = {name: tensor + 1 for name, tensor in body().state_dict().items()}
    torch.save(named("student.") | named("teacher.", other), tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"this network several times. Found: under student, teacher.*FILE#student"):
        loaded(tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth#student") == WANTED
    assert loaded(tmp_path / "w.pth#teacher") == fingerprint(other)


def test_an_average_beside_the_last_weights_is_asked_about(tmp_path):
    averaged = {name: tensor + 1 for name, tensor in body().state_dict().items()}
    torch.save({"state_dict": body().state_dict(), "state_dict_ema": averaged}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"two sets of weights.*w\.pth#state_dict or w\.pth#state_dict_ema"):
        loaded(tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth#state_dict") == WANTED
    assert loaded(tmp_path / "w.pth#state_dict_ema") == fingerprint(averaged)


@pytest.mark.parametrize("wrapped", [lambda t: {"ema": t}, lambda t: {"ema": {"module": t, "decay": 0.999}}])
def test_an_average_alone_is_read(tmp_path, wrapped):
    torch.save(wrapped(body().state_dict()), tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth") == WANTED


def test_counters_of_a_profiler_are_left_out(tmp_path):
    extra = {"total_ops": torch.zeros(1), "0.total_ops": torch.zeros(1), "0.total_params": torch.zeros(1)}
    torch.save(body().state_dict() | extra, tmp_path / "w.pth")
    assert loaded(tmp_path / "w.pth") == WANTED


@pytest.mark.parametrize("name", ["new_head", "classifier.1", "output.fc"])
def test_a_classifier_of_another_name_is_left_out_and_counted(name):
    tensors = body().state_dict() | {f"{name}.weight": torch.zeros(7, 4), f"{name}.bias": torch.zeros(7)}
    left = load_into(body(), tensors, head_names=("fc",), source="w")
    assert set(left) == {f"{name}.weight", f"{name}.bias"}


def test_a_layer_that_is_no_classifier_is_not_left_out():
    tensors = body().state_dict() | {"decoder.weight": torch.zeros(7, 4, 3, 3)}
    with pytest.raises(InputError, match=r"1 only in the file \(decoder\.weight\)"):
        load_into(body(), tensors, head_names=("fc",), source="w")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 1234\n",
            "a Git LFS pointer.*git lfs pull",
        ),
        (b"<!doctype html><title>Sign in</title>", "a web page.*signing in"),
        (b"\n<HTML><body>Quota exceeded", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an XML answer of a server"),
        (b'{"error": "not found"}', "a text in JSON"),
        (b"\x1f\x8b\x08\0", "compressed with gzip.*unpack"),
        (b"\x89HDF\r\n", "an HDF5 file"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".ckpt"])
def test_files_that_are_no_weights_are_called_by_their_name(tmp_path, content, words, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"(?s)w\{suffix} is {words}") as caught:
        read_tensors(path)
    assert "weights_only" not in str(caught.value)
