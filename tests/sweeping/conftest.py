"""Plans of seconds: 60 digits, two epochs, a student of 0.4 million parameters."""

import numpy as np
import pytest
from PIL import Image

from azeotrope.arm import Arm
from azeotrope.data.task import load_task
from azeotrope.devices.device import Device
from azeotrope.devices.process import make_repeatable
from azeotrope.plan import TeacherSpec, UpstreamSpec
from azeotrope.spec import validated
from azeotrope.sweeping.plans.plan import Setting, make_plan, run_specs
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner

IMAGES = 60
SHAPES = UpstreamSpec(data="shapes", pretrain_images=20)
QUICK = {"epochs": 2, "views": 2, "learning_rates": (2e-3,)}


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """Another task, to pre-train on: three classes of 14 small colour pictures."""
    folder, rng = tmp_path_factory.mktemp("upstream") / "shapes", np.random.default_rng(0)
    for name in "abc":
        (folder / name).mkdir(parents=True)
        for number in range(14):
            pixels = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return load_task(str(folder))


@pytest.fixture(scope="session")
def resources(digits, shapes, tmp_path_factory):
    make_repeatable()
    resources = Resources(tmp_path_factory.mktemp("cache"), Device("cpu", "fp32"))
    resources.add(digits)
    resources.add(shapes)
    return resources


@pytest.fixture(scope="session")
def teacher(teacher_model):
    return TeacherSpec(model=teacher_model, image_size=32)


@pytest.fixture(scope="session")
def plan(digits, shapes, resources, teacher):
    """Makes a plan; `arms` as they are written."""

    def make(*arms, student="test_resnet", teacher=teacher, upstream=SHAPES, upstream_task=shapes, **changes):
        asked = {"seeds": [0], "train_images": [IMAGES], "image_size": 32, "recipe": QUICK, **changes}
        plan = validated(SweepPlan, {"data": "digits", "students": [student], **asked})
        setting = Setting(student, tuple(Arm.parse(arm) for arm in arms), teacher, upstream)
        return make_plan(plan, setting, digits, resources, upstream_task)

    return make


@pytest.fixture(scope="session")
def specs(plan, resources, shapes):
    """The runs of such a plan, by arm and seed."""

    def make(*arms, **changes):
        made = plan(*arms, **changes)
        found = run_specs(made, made.train_images[0], resources, shapes)
        return {(spec.arm.name, spec.seed): spec for spec in found}

    return make


@pytest.fixture
def runner(resources, tmp_path):
    return Runner(resources, tmp_path / "out")
