"""Networks that are trained here for seconds, where a test needs one that knows something."""

import timm
import torch
from sklearn.datasets import load_digits
from torch.nn import functional

IMAGES, BATCH, SIZE = 1000, 50, 32


def trained_on_digits(question, classes, steps=120):
    """Weights of `test_resnet` trained on 1,000 digits at 32 px; `question` makes labels of the ten digits."""
    bunch = load_digits()
    grey = torch.from_numpy(bunch.images[:IMAGES]).float()[:, None] / 8 - 1
    images = functional.interpolate(grey, (SIZE, SIZE), mode="bicubic").expand(-1, 3, -1, -1)
    labels = torch.from_numpy(question(bunch.target[:IMAGES])).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = timm.create_model("test_resnet", num_classes=classes)
        optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
        for step in range(steps):
            part = torch.arange(step * BATCH, (step + 1) * BATCH) % IMAGES
            optimiser.zero_grad()
            functional.cross_entropy(model(images[part]), labels[part]).backward()
            optimiser.step()
        model.reset_classifier(1000)  # what a hub's weights hold, and nobody uses
    return model.state_dict()
