"""The way into a Ray cluster: quickly, or with an error that says what to do. It makes no runs.

Nothing is reported to Ray's makers: their usage statistics are switched off before Ray starts. Workers of a cluster
that is started here keep this process's priority: Ray's own default is a niceness of 15, at which they starve beside
others.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from types import ModuleType

import azeotrope
from azeotrope.errors import InputError, MissingDependency

ADDRESSES = "HOST:PORT of the head (often 6379), ray://HOST:10001 from outside the cluster, auto on a node of it, local"
PATIENCE_SECONDS = 5.0  # for a head to take a connection
_FORM = re.compile(r"(ray://)?(?P<host>\[[0-9a-fA-F:]+\]|[^/:\s]+):(?P<port>\d{1,5})")


def import_ray() -> ModuleType:
    """Ray, which comes with an extra. Raises MissingDependency."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingDependency(
            "The engine `ray` needs the package ray", found=str(error), next_step="pip install 'azeotrope[ray]'"
        ) from error
    return ray


def connect(address: str | None) -> bool:
    """Join the cluster at `address`; None takes the cluster of this machine, or starts one on it alone.

    Our own code travels along, so that every node runs what the sweep was planned with; packages that it needs must be
    installed on the nodes. True when the connection is ours to close; a process that is connected already stays so.
    Raises InputError for an address that is none, or where no cluster answers.
    """
    ray = import_ray()
    if ray.is_initialized():
        return False
    if address not in (None, "auto", "local"):
        _probe(address)
    code = {"py_modules": [str(Path(azeotrope.__file__).parent)]}
    try:
        ray.init(address=address, runtime_env=code, include_dashboard=None, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        raise _no_answer(address or "this machine", str(error)) from error
    return True


def _probe(address: str | None) -> None:
    """Is there anything? Ray itself would try for half a minute, or end the process."""
    found = _FORM.fullmatch(address or "")
    if found is None:
        raise InputError(
            "A Ray cluster has an address of its own form",
            found=repr(address),
            allowed=ADDRESSES,
            next_step="correct --address, or leave it out to use this machine",
        )
    try:
        socket.create_connection((found["host"].strip("[]"), int(found["port"])), PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_answer(str(address), str(error)) from error


def _no_answer(address: str, found: str) -> InputError:
    return InputError(
        f"No Ray cluster answers at {address}",
        found=(found.strip() or "no answer").splitlines()[0],
        allowed=ADDRESSES,
        next_step="start it with `ray start --head`, or leave out --address to use this machine",
    )
