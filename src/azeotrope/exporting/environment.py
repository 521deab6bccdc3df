"""Environments of targets whose packages pin what others need: made on request, or named by the person.

azeotrope is not installed in them. What it hands over is torch's exported program and arrays; what runs there are the
files of `elsewhere/`. One that was made is in the cache, under its pins; one that was named is remembered there, so
that `predict` finds it again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from azeotrope.data.sources._places import cache_root
from azeotrope.errors import InputError, MissingDependency, NotExported, StoreError
from azeotrope.exporting.worker import worker
from azeotrope.record.storage.lock import locked
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.spec import digest

MAKE = "make"
_FOLDER = "environments"
_WHOLE = "azeotrope-whole"  # written last: an environment without it is half made
_CPU_TORCH = "https://download.pytorch.org/whl/cpu"  # 200 MB, where PyPI's wheel for Linux brings 5 GB of CUDA
_CUDA_MB = 5_000
_PRESENT = "import sys; from importlib.metadata import version; [version(name) for name in sys.argv[1:]]"


@dataclass(frozen=True)
class Backend:
    """A file of `elsewhere/`, what must be installed for it, and what that takes on disk with torch for processors."""

    name: str
    requirements: tuple[str, ...]
    megabytes: int

    @property
    def packages(self) -> list[str]:
        """Names of what must be installed."""
        return [re.split(r"[=<>~!]", each)[0] for each in self.requirements]

    @property
    def made(self) -> Path:
        """Where its environment is, or would be made."""
        return cache_root() / _FOLDER / f"{self.name}-{digest([*self.requirements, sys.version_info[:2]])[:12]}"

    def python(self) -> Path:
        """The interpreter of the environment that was named last, else of the one that was made. Raises
        MissingDependency where there is none.
        """
        named, found = _named(self), "none was made or named yet"
        if named.is_file():
            python = Path(named.read_text(encoding="utf-8"))
            if python.is_file():
                return python
            found = f"{python}, which was named last, is gone"
        elif _whole(self.made):
            return _python_in(self.made)
        raise MissingDependency(
            f"{self.name} runs in an environment of its own, apart from azeotrope's",
            found=found,
            next_step=f"`azeotrope export MODEL --to {self.name} --env {MAKE}` makes one of "
            f"{_gigabytes(self.megabytes)} with {', '.join(self.requirements)}; --env FOLDER names one that has them",
        )

    def versions(self) -> dict[str, str]:
        """Of the packages in its environment."""
        found: dict[str, str] = self.ask("versions", packages=self.packages)
        return found

    def ask(self, action: str, **request: Any) -> Any:
        """As `Worker.ask`, in its environment."""
        return worker(self.python(), self.name).ask(action, **request)


def prepare(backends: Iterable[Backend], asked: str | None, say: Callable[[str], None]) -> None:
    """Find, make or take the environments of these backends. `asked` is what `--env` says; `say` tells a person.

    Raises MissingDependency where nothing was asked and one is not there yet, InputError for an environment that is
    none or lacks a package, and NotExported where it cannot be made.
    """
    if asked is None:
        for backend in backends:
            backend.python()
    elif asked == MAKE:
        for backend in backends:
            if not _whole(backend.made):
                _make(backend, backend.made, say)
            _named(backend).unlink(missing_ok=True)
    else:
        python = _interpreter(Path(asked).expanduser().absolute())
        for backend in _served(backends, python, asked):
            write_atomically(_named(backend), str(python))


def _interpreter(named: Path) -> Path:
    """That of a folder, or the file itself: not resolved, since a link is what makes it the environment's own."""
    python = named if named.is_file() else _python_in(named)
    if not python.is_file() or not os.access(python, os.X_OK):
        raise InputError(
            "--env names an environment of Python",
            found=f"no {python}" if not python.exists() else f"{python}, which cannot be run",
            allowed=f"{MAKE}, a folder that venv, uv or conda made, or an interpreter",
        )
    return python


def _served(backends: Iterable[Backend], python: Path, named: str) -> list[Backend]:
    """Those whose packages it has. Raises InputError unless the others have an environment already."""
    served, lacking = list[Backend](), list[tuple[Backend, InputError]]()
    for backend in backends:
        try:
            _check(backend, python, named)
            served.append(backend)
        except InputError as error:
            lacking.append((backend, error))
    for backend, refusal in lacking:
        if not served or not _has_one(backend):
            raise refusal
    return served


def _has_one(backend: Backend) -> bool:
    try:
        backend.python()
    except MissingDependency:
        return False
    return True


def _check(backend: Backend, python: Path, named: str) -> None:
    """That it has the packages, of whatever version."""
    try:
        worker(python, backend.name).ask("versions", packages=backend.packages)
    except NotExported as error:
        raise InputError(
            f"The environment {named} must hold the packages of {backend.name}",
            found=error.found,
            allowed=", ".join(backend.requirements),
            next_step=f"install them there, or let --env {MAKE} make one",
        ) from error


def _make(backend: Backend, folder: Path, say: Callable[[str], None]) -> None:
    """Whole or not at all: what another process left half made is made anew, and two processes do not meet."""
    say(f"Making the environment of {backend.name} in {folder}.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            if _whole(folder):
                return
            shutil.rmtree(folder, ignore_errors=True)
            index = _torch_index()
            needed = backend.megabytes + (_CUDA_MB if sys.platform == "linux" and not index else 0)
            _refuse_small_disk(folder.parent, needed)
            say(f"It takes up to {_gigabytes(needed)}.")
            try:
                _install(backend, folder, index)
                write_atomically(folder / _WHOLE, "\n".join(backend.requirements))
            except BaseException:  # an interruption too
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except OSError as error:
        raise cannot_write(folder, error, option="AZEOTROPE_CACHE") from error


def _install(backend: Backend, folder: Path, index: Sequence[str]) -> None:
    """By uv where it is installed, else by Python's own venv and pip."""
    python, uv = (
        str(_python_in(folder)),
        shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)),
    )
    wheels = [f"--only-binary={name}" for name in backend.packages]  # none for this Python: said at once, not compiled
    if uv is not None:
        best = ["--index-strategy", "unsafe-best-match"] if index else []
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, *wheels, *index, *best, *backend.requirements],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(folder)],
            [python, "-I", "-m", "pip", "install", "--quiet", *wheels, *index, *backend.requirements],
        ]
    for words in (*steps, [python, "-I", "-c", _PRESENT, *backend.packages]):
        found = _failure(words)
        if found:
            raise NotExported(
                f"The environment of {backend.name} cannot be made",
                found=found,
                next_step="give the same command again with a network (pip's and uv's settings name another index), or "
                "name an environment that has the packages: --env FOLDER",
            )


def _failure(words: Sequence[str]) -> str:
    """Why this step failed, empty where it did not."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    return _why(done.stderr or done.stdout) if done.returncode else ""


def _torch_index() -> list[str]:
    """The options for torch's own index of wheels without CUDA, where it answers."""
    if sys.platform != "linux":  # PyPI's wheel is small elsewhere
        return []
    try:
        with urllib.request.urlopen(f"{_CPU_TORCH}/torch/", timeout=4):
            return ["--extra-index-url", _CPU_TORCH]
    except OSError:
        return []


def _refuse_small_disk(folder: Path, megabytes: int) -> None:
    free = shutil.disk_usage(folder).free // 10**6
    if free < megabytes:
        raise StoreError(
            f"There is no room for an environment in {folder}",
            found=f"{free:,} MB free",
            allowed=f"{megabytes:,} MB",
            next_step="free some space, name another folder by AZEOTROPE_CACHE, or an environment: --env FOLDER",
        )


def _why(text: str) -> str:
    """What pip or uv says from its first error on; its last line where it names none."""
    lines = [line.strip(" ×╰─▶") for line in text.splitlines() if line.strip()]
    errors = [place for place, line in enumerate(lines) if line.lower().startswith("error")]
    said = lines[errors[0] :] if errors else lines[-1:]
    return shorten("; ".join(said) or "no reason given", 400, placeholder=" ...")


def _gigabytes(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB"


def _whole(folder: Path) -> bool:
    """Also that the Python which it was made with is still there: the environment's own is a link to it."""
    return (folder / _WHOLE).is_file() and _python_in(folder).is_file()


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _named(backend: Backend) -> Path:
    """The file that remembers the interpreter that a person named."""
    return cache_root() / _FOLDER / f"{backend.name}.txt"
