"""No test here may reach a hub, nor find what an earlier session left in this machine's caches."""

import huggingface_hub
import pytest

from azeotrope.models.pretrained import hub


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path_factory):
    caches = tmp_path_factory.mktemp("caches")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(caches / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(caches / "torch"))
    hub.repository_problem.cache_clear()
    hub.url_problem.cache_clear()
