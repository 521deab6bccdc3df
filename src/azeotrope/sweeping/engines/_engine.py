"""What every engine offers to the conductor, and what it reports back. No engine is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from pydantic import Field, field_validator, model_validator

from azeotrope.lookup import members
from azeotrope.record.run import RunRecord
from azeotrope.spec import Spec
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec


class EngineSpec(Spec):
    """Which engine, on how many workers, with how many CPU threads a run (None: the machine's cores shared out).

    `address` and `gpus` (of a run; a fraction lets runs share one) are for engines on many machines.
    """

    name: str = "local"
    workers: int | None = Field(default=None, ge=1)
    threads: int | None = Field(default=None, ge=1)
    address: str | None = None
    gpus: float | None = Field(default=None, ge=0)

    @field_validator("name")
    @classmethod
    def _is_an_engine(cls, name: str) -> str:
        known = members("sweeping.engines")
        if name not in known:
            raise ValueError(f"there is no engine named {name!r}; there are {', '.join(known)}")
        return name

    @model_validator(mode="after")
    def _one_machine_has_no_address(self) -> Self:
        if self.name == "local" and (self.address is not None or self.gpus is not None):
            raise ValueError("address and gpus are for an engine on many machines, such as ray")
        return self


Advance = Callable[[str, int], None]
"""Told (run_id, images) whenever a run has trained on so many images more; called in the conductor's process."""


@dataclass(frozen=True)
class Finished:
    """A run whose record (done or failed) is in the store. `seconds` is what the worker spent on it."""

    run_id: str
    record: RunRecord
    seconds: float


@dataclass(frozen=True)
class Lost:
    """A run that ended without a record because its worker died; it may be given to the engine again, unless `final`:
    then it fails for a reason of its own.
    """

    run_id: str
    reason: str
    final: bool = False


Event = Finished | Lost


class Engine(Protocol):
    """Makes runs on `workers` workers, each one run at a time.

    An error that is no run's own (a full disk, an image that vanished) is raised by `wait` as the exception that the
    worker met. Workers must not outlive the process that holds the engine.
    """

    workers: int

    def submit(self, spec: RunSpec) -> None:
        """Begin a run. At most `workers` runs may be under way."""

    def wait(self, seconds: float) -> Sequence[Event]:
        """What ended since the last call; waits up to `seconds` for something to end, longer if it must."""

    def close(self) -> None:
        """Stop; runs under way are lost."""


@runtime_checkable
class Preparing(Protocol):
    """An engine that can do what runs share before the first of them, on all its workers."""

    def prepare(self, specs: Sequence[RunSpec], resources: Resources) -> int:
        """Embed what these runs will ask the teacher; images embedded. `resources` are of the sweep's own cache."""
