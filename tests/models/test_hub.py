"""Whether weights can be had is asked quickly, without noise, and never by downloading."""

import time
import urllib.error
from email.message import Message
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError

from azeotrope.models.pretrained import hub

REPOSITORY, URL = "timm/test_resnet.r160_in1k", "https://example.invalid/checkpoints/w-0123abcd.pth"


@pytest.fixture
def online(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


def asked(monkeypatch, answer):
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", answer)
    return hub.repository_problem(REPOSITORY)


def raising(error):
    def answer(*_arguments, **_options):
        raise error

    return answer


@pytest.mark.usefixtures("online")
def test_a_hub_that_answers_is_no_problem(monkeypatch):
    assert asked(monkeypatch, lambda url, timeout: "metadata") is None


@pytest.mark.usefixtures("online")
def test_another_file_name_in_the_repository_is_no_problem(monkeypatch):
    assert asked(monkeypatch, raising(EntryNotFoundError.__new__(EntryNotFoundError))) is None


@pytest.mark.usefixtures("online")
def test_an_unreachable_hub_is_a_sentence(monkeypatch):
    problem = asked(monkeypatch, raising(ConnectionError("name not known\nsecond line")))
    assert problem == "the hub cannot be reached (ConnectionError: name not known)"


@pytest.mark.usefixtures("online")
def test_a_silent_hub_costs_seconds_only(monkeypatch):
    monkeypatch.setattr(hub, "TIMEOUT_SECONDS", 0.05)
    start = time.monotonic()
    assert asked(monkeypatch, lambda url, timeout: time.sleep(2)) == "the hub cannot be reached (no answer)"
    assert time.monotonic() - start < 1


def test_offline_is_honoured_without_asking(monkeypatch):
    problem = asked(monkeypatch, lambda url, timeout: pytest.fail("asked the hub"))
    assert problem == f"{REPOSITORY} is not in the local cache, and HF_HUB_OFFLINE is set"


@pytest.mark.parametrize("filename", ["model.safetensors", "pytorch_model.bin"])
def test_the_cache_serves_offline(filename):
    folder = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{REPOSITORY.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c0ffee")
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    (folder / "snapshots" / "c0ffee" / filename).write_bytes(b"weights")
    assert hub.repository_problem(REPOSITORY) is None


def test_a_url_in_the_cache_of_torch_serves_offline():
    assert "HF_HUB_OFFLINE" in hub.url_problem(URL)
    hub.url_problem.cache_clear()
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "w-0123abcd.pth").write_bytes(b"weights")
    assert hub.url_problem(URL) is None


@pytest.mark.usefixtures("online")
def test_a_hub_that_answers_and_refuses_is_not_unreachable(monkeypatch):
    gone = urllib.error.HTTPError(URL, 404, "Not Found", Message(), None)
    monkeypatch.setattr("urllib.request.urlopen", raising(gone))
    assert hub.url_problem(URL) == "the hub refuses them (HTTPError: HTTP Error 404: Not Found)"
    assert not hub.unreachable(hub.url_problem(URL))
    assert hub.unreachable("the hub cannot be reached (no answer)")


@pytest.mark.usefixtures("online")
def test_an_unreachable_url_is_a_sentence(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", raising(urllib.error.URLError("no route")))
    assert hub.url_problem(URL) == "the hub cannot be reached (URLError: <urlopen error no route>)"
