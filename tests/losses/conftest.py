"""A projector's output computed a second time: NumPy, float64, from its weights."""

import numpy as np
import pytest


@pytest.fixture
def projected():
    def evaluate(projector, features):
        first, _, second = (
            {name: value.double().numpy() for name, value in layer.state_dict().items()} for layer in projector
        )
        hidden = np.maximum(features.double().numpy() @ first["weight"].T + first["bias"], 0)
        return hidden @ second["weight"].T + second["bias"]

    return evaluate
