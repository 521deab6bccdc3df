"""What a person writes to name a model: `scheme:name@weights`.

Only the text is understood here; whether the model and its weights exist is for the source and the loader to say.
Imports no torch, so that plans can be checked without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from azeotrope.errors import InputError
from azeotrope.lookup import members, unknown

DEFAULT_SCHEME = "timm"
FORM = "scheme:name@weights; weights are a .safetensors or .pth file, package:NAME, or hub"


@dataclass(frozen=True)
class WeightsRef:
    """Where pretrained weights are: a local `file`, an installed Python `package`, or the source's own `hub`."""

    kind: Literal["file", "package", "hub"]
    where: str = ""

    @classmethod
    def parse(cls, text: str) -> WeightsRef:
        """`hub`, `package:NAME`, or a path."""
        if text == "hub":
            return cls("hub")
        if text.startswith("package:"):
            return cls("package", text.removeprefix("package:"))
        return cls("file", text.removeprefix("file:"))

    def __str__(self) -> str:
        return {"hub": "hub", "package": f"package:{self.where}", "file": self.where}[self.kind]


@dataclass(frozen=True)
class ModelSpec:
    """A model by name; `weights` is None when the spec leaves the choice to the source's default."""

    scheme: str
    name: str
    weights: WeightsRef | None = None

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """`resnet18`, `timm:resnet18@weights.pth`, `torchvision:resnet18@hub`, `file:model.py:build`.

        Raises InputError for an empty name and for a scheme that no source serves.
        """
        architecture, at, weights = text.strip().partition("@")
        scheme, colon, name = architecture.partition(":")
        if not colon:
            scheme, name = DEFAULT_SCHEME, architecture
        if not name or (at and not weights):
            raise InputError("A model is named by its source, name and weights", found=repr(text), allowed=FORM)
        if scheme.replace("-", "_") not in members("models.sources"):
            raise unknown("model source", scheme, members("models.sources"))
        return cls(scheme, name, WeightsRef.parse(weights) if at else None)

    def __str__(self) -> str:
        return f"{self.architecture}@{self.weights}" if self.weights else self.architecture

    @property
    def architecture(self) -> str:
        """The spec without its weights: `timm:resnet18`."""
        return f"{self.scheme}:{self.name}"
