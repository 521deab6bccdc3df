"""A comparison of seconds, made once and looked at from all sides."""

import pytest

from azeotrope.api import compare as module
from azeotrope.plan import TeacherSpec

QUICK = {"epochs": 2, "views": 2, "learning_rates": (2e-3,)}


@pytest.fixture(scope="session")
def compare(teacher_model, tmp_path_factory):
    """`compare` on 60 digits with small models; the trial that prices ImageNet is left out."""
    cache = tmp_path_factory.mktemp("cache")
    asked = {
        "student": "test_resnet",
        "teacher": TeacherSpec(model=teacher_model, image_size=32),
        "train_images": 60,
        "arms": ["scratch", "distill"],
        "seeds": 2,
        "image_size": 32,
        "recipe": QUICK,
        "precision": "fp32",
        "cache": cache,
    }

    def run(data, out, **changes):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("azeotrope.session.comparisons.pretraining_cost.training_rate", lambda *_, **__: 100.0)
            return module.compare(data, out=out, **{**asked, **changes})

    return run
