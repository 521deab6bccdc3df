"""The exponential moving average of a network's weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017,
arXiv 1703.01780): quieter than the last weights, and nobody has to choose an epoch on a few validation images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Average:
    """a ← a + max(1 / (t + 1), 1 / memory) · (w − a) after step t: the plain mean of the first `memory` steps, then an
    exponential average over about as many.

    The memory is a share of the training's steps, so that short and long trainings are averaged alike. BatchNorm's
    statistics are averaged with the weights; whole numbers stay the network's. A weight that does not train keeps its
    value to the bit.
    """

    network: nn.Module
    memory: float
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, network: nn.Module, share: float, steps: int) -> Average:
        """An average over this share of so many steps; the network is where it will be trained."""
        return cls(network, max(1.0, share * steps), {key: each.clone() for key, each in _averaged(network).items()})

    def add(self, step: int) -> None:
        """Take in the weights as they are after this step (0-based)."""
        now = _averaged(self.network)
        torch._foreach_lerp_(list(self.tensors.values()), list(now.values()), max(1 / (step + 1), 1 / self.memory))

    def replace_weights(self) -> None:
        """Put the average in the place of the network's weights."""
        self.network.load_state_dict({**self.network.state_dict(), **self.tensors})

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from the average of a checkpoint."""
        for key, tensor in self.tensors.items():
            tensor.copy_(tensors[key])


def _averaged(network: nn.Module) -> dict[str, Tensor]:
    return {key: each.detach() for key, each in network.state_dict().items() if each.is_floating_point()}
