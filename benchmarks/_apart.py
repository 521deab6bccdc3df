"""Arms of a benchmark that live in processes of their own and work in turn: what one sets in its process (how memory is
kept, how many threads) is no other's.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

Work = Callable[[], None]


class Apart:
    """A process that sets itself up with `make` and then works when called."""

    def __init__(self, make: Callable[[], Work]) -> None:
        spawned = multiprocessing.get_context("spawn")
        self.line, theirs = spawned.Pipe()
        self.process = spawned.Process(target=_serve, args=(make, theirs))
        self.process.start()
        theirs.close()
        self.line.recv()  # it is set up

    def __call__(self) -> float:
        """Do the work once; seconds that it took, by the clock of that process."""
        self.line.send("go")
        seconds: float = self.line.recv()
        return seconds

    def end(self) -> None:
        """Let the process go."""
        self.line.close()
        self.process.join(timeout=10)
        self.process.kill()


def _serve(make: Callable[[], Work], line: Connection) -> None:
    work = make()
    line.send("ready")
    while True:
        try:
            line.recv()
        except EOFError:
            return
        began = time.perf_counter()
        work()
        line.send(time.perf_counter() - began)


def in_turn(arms: dict[str, Apart], times: int) -> dict[str, list[float]]:
    """Seconds that each arm took each time; the order turns round every time. The arms end."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    try:
        for turn in range(times):
            for name in list(arms)[:: 1 if turn % 2 else -1]:
                seconds[name].append(arms[name]())
    finally:
        for arm in arms.values():
            arm.end()
    return seconds
