"""Environments of targets whose packages pin what others need: made on request, or named by the person.

azeotrope is not installed in them. What it hands over is torch's exported program and arrays; what runs there are the
files of `elsewhere/`. Which environment a target has is kept in the cache, so that `predict` finds it again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from azeotrope.data.sources._places import cache_root
from azeotrope.errors import InputError, MissingDependency, NotExported
from azeotrope.exporting.target import TIMED, WARM_UP, Conversion, Latency, Program, target_named
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.spec import digest

NEW = "new"
_FOLDER = "environments"


@dataclass(frozen=True)
class Backend:
    """A file of `elsewhere/` and what pip must install for it."""

    name: str
    requirements: tuple[str, ...]

    def python(self) -> Path:
        """The interpreter of its environment. Raises MissingDependency where none was made or named yet."""
        note = _note(self)
        if note.is_file() and (python := Path(note.read_text(encoding="utf-8"))).is_file():
            return python
        raise MissingDependency(
            f"{self.name} runs in an environment of its own, apart from azeotrope's",
            found="none was made or named yet",
            next_step=f"azeotrope export ... --env new makes one with {', '.join(self.requirements)} (gigabytes, since "
            "torch comes along); --env FOLDER names one that has them",
        )

    def call(self, action: str, **request: Any) -> Any:
        """Run an action of `elsewhere/main.py` there. Raises NotExported with its last line where it fails."""
        package = files("azeotrope.exporting").joinpath("elsewhere")
        with tempfile.TemporaryDirectory() as folder, as_file(package) as programs:
            asked = Path(folder) / "request.json"
            asked.write_text(json.dumps(request), encoding="utf-8")
            done = _run(
                self.python(), "-P", str(programs / "main.py"), str(programs / f"{self.name}.py"), action, str(asked)
            )
        if done.returncode:
            raise NotExported(
                f"{self.name} failed while it was asked to {action.replace('_', ' ')}",
                found=_last(done.stderr),
                next_step="take another target, or look at the packages in its environment",
            )
        return json.loads(_last(done.stdout))

    def convert(self, conversion: Conversion, file: Path, *, int8: bool) -> None:
        """From the exported program of this network."""
        calibration = conversion.work / "calibration.npy"
        if not calibration.exists():
            np.save(calibration, conversion.calibration)
        self.call(
            "convert", pt2=str(conversion.file_of("pt2")), calibration=str(calibration), file=str(file), int8=int8
        )


@dataclass(frozen=True)
class ElsewhereProgram(Program):
    """A file in its backend's own environment, one process a question."""

    backend: Backend
    file: Path
    outputs: Sequence[str]
    int8: bool

    def answer(self, pixels: UInt8[np.ndarray, "n 3 H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """All images, one after the other."""
        with tempfile.TemporaryDirectory() as folder:
            self._ask("answer", pixels, folder, outputs=list(self.outputs), folder=folder)
            return tuple(np.load(Path(folder) / f"{name}.npy") for name in self.outputs)

    def latency(self, pixels: UInt8[np.ndarray, "1 3 H W"]) -> Latency:
        """One thread."""
        with tempfile.TemporaryDirectory() as folder:
            said = self._ask("latency", pixels, folder, warm_up=WARM_UP, runs=TIMED[0], seconds=TIMED[1])
        return Latency.model_validate(said)

    def int8_share(self) -> float | None:
        """As the backend tells it."""
        return float(self.backend.call("int8_share", file=str(self.file))) if self.int8 else None

    def _ask(self, action: str, pixels: UInt8[np.ndarray, "n 3 H W"], place: str, **request: Any) -> Any:
        given = Path(place) / "pixels.npy"
        np.save(given, pixels)
        return self.backend.call(action, file=str(self.file), pixels=str(given), **request)


def prepare_environments(targets: Sequence[str], asked: str | None) -> None:
    """Find, make or take the environments of these targets, of those that have their own.

    Raises MissingDependency where nothing was asked and one is not there yet; otherwise as `prepare_environment`.
    """
    backends = {each.name: each for key in targets if (each := getattr(target_named(key), "BACKEND", None))}
    for backend in backends.values():
        if asked is None:
            backend.python()
        else:
            prepare_environment(backend, asked)


def prepare_environment(backend: Backend, asked: str) -> None:
    """With `new` make the environment unless it is there; else take the one in the folder, or the interpreter, that is
    named. Raises InputError where that lacks the packages, NotExported where pip cannot install them.
    """
    folder = cache_root() / _FOLDER / f"{backend.name}-{digest([*backend.requirements, sys.version_info[:2]])}"
    named = folder if asked == NEW else Path(asked).expanduser()
    python = named if named.is_file() else _python_in(named)
    if asked == NEW and not python.exists():
        _make(backend, folder, python)
    if not python.is_file():
        raise InputError(
            "--env names an environment of Python",
            found=f"no {python}",
            allowed="new, a folder that venv or conda made, or an interpreter",
        )
    note = _note(backend)
    write_atomically(note, str(python.absolute()))
    try:
        backend.call("versions")
    except NotExported as error:
        note.unlink()
        raise InputError(
            f"The environment {named} must hold the packages of {backend.name}",
            found=error.found,
            allowed=", ".join(backend.requirements),
            next_step="install them there, or let --env new make one",
        ) from error


def _make(backend: Backend, folder: Path, python: Path) -> None:
    """A virtual environment with what the backend requires; what was half made is made anew."""
    try:
        venv.create(folder, clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise (
            cannot_write(folder, error)
            if isinstance(error, OSError)
            else NotExported(
                f"The environment {folder} cannot be made",
                found="Python's venv has no pip here",
                next_step="install it (Debian: python3-venv), or name an environment: --env FOLDER",
            )
        ) from error
    done = _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *backend.requirements)
    if done.returncode:
        python.unlink()  # so that the next command makes it anew
        raise NotExported(
            f"pip cannot install the packages of {backend.name}",
            found=_last(done.stderr),
            next_step="try again with a network and some gigabytes of room, or name an environment: --env FOLDER",
        )


def _run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """There, without this process's own packages on its path."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run([str(python), *words], capture_output=True, text=True, check=False, env=clean)


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _note(backend: Backend) -> Path:
    return cache_root() / _FOLDER / f"{backend.name}.txt"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"
