"""What every generator offers: pictures for requests, and who it is. It keeps nothing on disk and judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from azeotrope.synthesis.spec import Request


@dataclass(frozen=True)
class Made:
    """One picture, uint8. `refused` says why the generator itself withheld it (its safety checker), else ""."""

    pixels: UInt8[np.ndarray, "H W C"]
    refused: str = ""


class Generator(Protocol):
    """Makes pictures. `identity` and `revision` go into the provenance of each."""

    @property
    def identity(self) -> str:
        """Hub id, folder or hash that tells this generator from others."""

    @property
    def revision(self) -> str | None:
        """Of the hub's repository, where there is one."""

    def prompt(self, request: Request) -> str:
        """What the generator is given for this picture, in words."""

    def make(self, requests: Sequence[Request]) -> list[Made]:
        """The pictures, in order. The same requests give the same pictures."""
