"""A process in a target's own environment, which answers questions about its files until this process ends.

One process serves all questions of a backend, so that its packages are imported once and a file is opened once.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, Any

from azeotrope.errors import NotExported

_PROGRAMS = Path(__file__).with_name("elsewhere")


def worker(python: Path, backend: str) -> Worker:
    """The one of this process for a file of `elsewhere/`, started with its first question."""
    return _worker(python, backend, os.getpid())


@cache
def _worker(python: Path, backend: str, process: int) -> Worker:
    return Worker(python, backend)


class Worker:
    """Asks one question at a time. A process that has ended is started again by the next question."""

    def __init__(self, python: Path, backend: str) -> None:
        self._words = [str(python), "-I", str(_PROGRAMS / "serve.py"), str(_PROGRAMS / f"{backend}.py")]
        self._backend, self._lock = backend, Lock()
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self._end: Callable[[], object] = lambda: None

    def ask(self, action: str, **request: Any) -> Any:
        """What a method of `elsewhere/serve.py`'s server returns. Raises NotExported with its error, which names the
        operator that cannot be converted, or with the last words of a process that ended.
        """
        with self._lock:
            reply = self._reply(json.dumps({"action": action, **request}))
        if "error" in reply:
            raise NotExported(
                f"{self._backend} failed while it was asked to {action.replace('_', ' ')}",
                found=reply["error"],
                next_step="take another target or student, or look at the packages in its environment",
            )
        return reply["result"]

    def _reply(self, question: str) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{question}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:  # it ended before it read the question
            line = ""
        except BaseException:  # interrupted: its answer must not become that of the next question
            self._end()
            raise
        reply: dict[str, Any] = json.loads(line) if line else {"error": self._ended(process)}
        return reply

    def _running(self) -> subprocess.Popen[str]:
        """Raises NotExported where the interpreter cannot be started."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (until it ends)
            pipe = subprocess.PIPE
            try:
                self._process = subprocess.Popen(
                    self._words, stdin=pipe, stdout=pipe, stderr=self._log, text=True, encoding="utf-8"
                )
            except OSError as error:
                raise NotExported(
                    f"{self._words[0]} cannot be started",
                    found=str(error),
                    next_step="make an environment anew with --env make, or name one with --env FOLDER",
                ) from error
            self._end = weakref.finalize(self, _end, self._process, self._log)
        return self._process

    def _ended(self, process: subprocess.Popen[str]) -> str:
        """How, and what it said last."""
        status = process.wait()
        assert self._log is not None
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        self._end()
        return f"its process ended with {status}: {lines[-1] if lines else 'it said nothing'}"


def _end(process: subprocess.Popen[str], log: IO[str]) -> None:
    """Nothing is lost with it: what it writes is work in progress of this process."""
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # it may have ended before it read all
            pipe.close()  # type: ignore[union-attr]  # both are pipes
    process.terminate()
    process.wait()
    log.close()
