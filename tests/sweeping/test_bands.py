"""What other pictures than grey or colour of 8 bits ask of a plan, before anything is trained."""

from types import SimpleNamespace

import pytest

from azeotrope.analysis.comparisons import compared
from azeotrope.data.decoding.reading import Reading
from azeotrope.errors import InputError
from azeotrope.labels import PLAIN_PIXELS, PixelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.plans.bands import check_bands
from azeotrope.sweeping.plans.plan_checks import check_models
from azeotrope.sweeping.runs.resources import Resources
from reporting.factories import TEACHER, run

NOTHING = SimpleNamespace(pictures=None)


def task(pixels, bands=3):
    manifest = SimpleNamespace(
        pixels=pixels, bands=bands, in_channels=bands, reading=Reading(pixels=pixels), places_of=lambda bands: bands
    )
    return SimpleNamespace(manifest=manifest)


@pytest.mark.parametrize("bands", [(5, 6, 7), (2, 1, 4)])
def test_three_bands_are_not_taken_for_colour(bands):
    teacher, read = TeacherSpec(model="x"), task(PixelSpec(bands=bands))
    with pytest.raises(InputError) as refused:
        check_bands(NOTHING, teacher, read, None)
    assert refused.value.rule == "A teacher must be told which bands it looks at"
    assert refused.value.found == f"--bands {','.join(map(str, bands))} and no --teacher-bands"
    check_bands(NOTHING, teacher.model_copy(update={"bands": bands}), read, None)
    check_bands(NOTHING, teacher, task(PLAIN_PIXELS), None)


@pytest.mark.parametrize("asked", [{"fit": "crop"}, {"colours": "srgb"}, {"bits": 16}, {"formats": ("heic",)}])
def test_an_upstream_set_is_read_plainly_and_so_must_be_the_task(asked):
    upstream = task(PLAIN_PIXELS)
    with pytest.raises(InputError) as refused:
        check_bands(NOTHING, None, task(PixelSpec(**asked)), upstream)
    assert refused.value.found == "--upstream with --bands, --bits, --colours, --fit or --formats"
    check_bands(NOTHING, None, task(PLAIN_PIXELS), upstream)


@pytest.mark.parametrize("bands", ["all", (1, 2, 3, 4), None])
def test_a_mistyped_student_costs_no_scan(bands, tmp_path):
    resources = SimpleNamespace(student=lambda name, *_, **how: Resources.student(None, name, *_, **how))
    with pytest.raises(InputError, match="test_resmet"):
        check_models(resources, ["test_resmet"], [], 32, bands)


def test_teachers_that_look_at_other_bands_are_other_teachers(tmp_path):
    store = RunStore(str(tmp_path))
    bands = [None, (3, 2, 1), (5, 6, 7)]
    for place, errors in enumerate((100, 200, 300)):
        teacher = TEACHER.model_copy(update={"bands": bands[place]})
        for seed in range(3):
            name = f"{place}{seed}".ljust(16, "a")
            store.put(run("distill", seed, errors=errors, teacher=teacher, run_id=name))
            store.put(run("scratch", seed, run_id=f"{seed}".ljust(16, "b")))
    found = {each.teacher.name: each for each in compared(tmp_path)}
    assert set(found) == {"big", "big on bands 3, 2, 1", "big on bands 5, 6, 7"}
    wanted = {"big": 0.1, "big on bands 3, 2, 1": 0.2, "big on bands 5, 6, 7": 0.3}
    for name, each in found.items():
        (taught,) = (arm for arm in each.arms if arm.name == "distill")
        assert set(taught.seed_errors.values()) == {wanted[name]}
    assert "bands" not in TEACHER.model_dump(mode="json")
