"""Finds and removes the classifier of a model that was made to classify, so that pooled features remain.

The rule needs no list of models: the classifier is the last `nn.Linear` that runs, and its output is the model's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from azeotrope.errors import InputError
from azeotrope.models.probe import pooled_width, probe

REFERENCE_SIZE = 224  # large enough that the coarsest feature map of any common model has more than one cell


@dataclass(frozen=True)
class Classifier:
    """Where the classifier sits (`path` in the module), what it reads (`features`), and the model's `stride`."""

    path: str
    features: int
    stride: int


def find_classifier(module: nn.Module, *, size: int, channels: int, name: str) -> Classifier:
    """Run the model to find its classifier; raises InputError when the model does not end in one.

    A `size` below the stride is raised to it here, so that the caller can refuse the size by its name.
    """
    stride = stride_of(module, size=size, channels=channels, name=name)
    found = probe(module, size=max(size, stride), channels=channels, name=name)
    pooled_width(found, name)
    if found.classifier is None:
        raise InputError(
            f"The model {name} must end in its classifier, so that it can be cut off",
            found="no torch.nn.Linear whose output is the model's output",
            allowed="images -> ... -> pooled features [B, F] -> torch.nn.Linear -> logits [B, classes]",
            next_step="return the Linear's output as it is (no softmax), or wrap the model in a function for file:",
        )
    linear = module.get_submodule(found.classifier)
    assert isinstance(linear, nn.Linear)  # the probe records nothing else
    return Classifier(found.classifier, linear.in_features, stride)


def remove(module: nn.Module, classifier: Classifier) -> nn.Module:
    """Put an Identity in the classifier's place, so that the module answers what the classifier read."""
    parent, _, leaf = classifier.path.rpartition(".")
    setattr(module.get_submodule(parent), leaf, nn.Identity())
    return module


def stride_of(module: nn.Module, *, size: int, channels: int, name: str) -> int:
    """The stride in pixels, measured at a large size where the model takes one."""
    try:
        return probe(module, size=max(size, REFERENCE_SIZE), channels=channels, name=name).stride
    except InputError:  # a model for one size only: that size will do
        return probe(module, size=size, channels=channels, name=name).stride
