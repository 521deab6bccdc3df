"""A plan knows what its runs will read before an image is listed."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from azeotrope.devices.choice import choose
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.backbone import Preprocessing
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.opening import open_plan
from azeotrope.session.options import parted
from azeotrope.session.progress import Silent
from azeotrope.sweeping.plans.foreseen_packs import foreseen_packs
from azeotrope.sweeping.plans.plan_checks import check_models
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.training import student_of


def test_a_plan_packs_while_it_lists_what_its_runs_read(tmp_path, teacher_model):
    for number in range(120):
        place = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (50 + number % 3, 60, 3), np.uint8)
        Image.fromarray(pixels).save(place)
    asked, machine = parted(
        {"image_size": 32, "recipe": {"epochs": 8, "batch_images": 16}, "cache": tmp_path / "cache"}
    )
    plan = comparison_plan(
        str(tmp_path / "photos"),
        student="test_resnet",
        teacher=teacher_model,
        train_images=[40],
        arms=["distill:kl"],
        seeds=(0, 1),
        **asked,
    )
    opened = open_plan(plan, Silent(), machine)
    resources, task = opened.resources, opened.task
    judged, trained, taught = (set[int]() for _ in range(3))
    for spec in opened.grid.specs:
        rows = resources.rows(spec.task, 40, spec.seed)
        trained |= set(rows.train.tolist())
        judged |= {*rows.val.tolist(), *task.splits.test.tolist()}
        taught |= trained | judged
    how = student_of(resources, opened.grid.specs[0]).preprocessing.interpolation
    size = resources.teacher(opened.comparison.teacher).image_size
    for pack, used in (
        (resources.pack(task.fingerprint, 32), trained),
        (resources.plain(task.fingerprint, 32, how), judged),
        (resources.pack(task.fingerprint, size), taught),
    ):
        assert len(pack.store.missing(np.array(sorted(used)))) <= 0.1 * len(used), pack.store.folder


def test_sizes_that_are_not_known_are_not_foreseen(tmp_path):
    plan = SweepPlan(data="digits", students=["test_resnet"], arms=["scratch"], train_images="auto")
    assert foreseen_packs(plan, Resources(tmp_path, choose())) is None


@pytest.mark.parametrize(("bands", "channels"), [(None, 3), ((2,), 3), ((1, 2, 3, 4, 5), 5), ("all", 3)])
def test_a_student_is_foreseen_with_the_channels_that_it_was_checked_for(bands, channels):
    """One of its own may take no others."""
    asked, look = [], SimpleNamespace(preprocessing=Preprocessing(64))
    resources = SimpleNamespace(student=lambda *_, in_channels, **__: asked.append(in_channels) or look)
    labels = LabelSpec(pixels=PixelSpec(bands=bands))
    foreseen_packs(
        SweepPlan(data="x", students=["net"], arms=["scratch"], train_images="all", labels=labels), resources
    )
    check_models(resources, ["net"], [], None, bands)
    assert asked == [channels, channels]
