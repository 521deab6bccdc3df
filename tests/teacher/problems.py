"""Embeddings whose classes are known: what a head can learn, in features of very different size."""

import numpy as np
import torch


def problem(images=200, features=6, classes=3, seed=0, noise=1.0):
    """Features [images, features] around the centre of each image's class, and the classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    centres = np.random.default_rng(99).normal(size=(classes, features))
    scale = np.geomspace(0.1, 30, features)
    values = (centres[labels] + noise * rng.normal(size=(images, features))) * scale + 5
    return torch.tensor(values, dtype=torch.float32), torch.tensor(labels)
