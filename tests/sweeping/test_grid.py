"""From a plan to its runs: the same that `compare` would make, each once, cheap sizes first, seeds paired."""

from functools import partial
from itertools import pairwise

import pytest

from azeotrope.errors import InputError
from azeotrope.spec import from_yaml, to_yaml, validated
from azeotrope.sweeping.plans.grid import AUTO_SEEDS, auto_sizes, open_grid
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

from .conftest import QUICK

LEAST = {"data": "digits", "students": "test_resnet", "image_size": 32, "recipe": {**QUICK, "learning_rates": [2e-3]}}


@pytest.fixture
def grid(digits, shapes, resources):
    """Opens a plan."""

    def make(**content):
        plan = validated(SweepPlan, {**LEAST, **content})
        return open_grid(plan, resources, [digits], shapes if plan.upstream else None)

    return make


def test_runs_are_those_of_compare(grid, specs, teacher):
    found = grid(teachers=[teacher], arms=["scratch", "distill"], train_images=60, seeds=2)
    expected = specs("scratch", "distill", seeds=[0, 1], upstream=None, upstream_task=None)
    assert {spec.digest() for spec in found.specs} == {spec.digest() for spec in expected.values()}


def test_cheap_sizes_come_first_and_a_seed_is_finished_before_the_next(grid, teacher):
    found = grid(teachers=[teacher], arms=["scratch", "distill:kl"], train_images=[60, 40], seeds=2)
    assert [(spec.train_images, spec.seed, spec.arm.name) for spec in found.specs] == [
        (size, seed, arm) for size in (40, 60) for seed in (0, 1) for arm in ("scratch", "distill:kl")
    ]


def test_runs_that_settings_share_are_made_once(grid, teacher):
    larger = teacher.model_copy(update={"image_size": 64})
    found = grid(teachers=[teacher, larger], arms=["scratch", "distill:kl"], train_images=40, seeds=1)
    assert sorted(spec.arm.name for spec in found.specs) == ["distill:kl", "distill:kl", "scratch"]


def test_every_number_of_upstream_images_is_a_setting(grid):
    found = grid(arms=["scratch", "finetune@upstream"], upstream="shapes", pretrain_images=[10, 20], train_images=40)
    counts = [spec.upstream.pretrain_images if spec.upstream else 0 for spec in found.specs if spec.seed == 0]
    assert sorted(counts) == [0, 10, 20]


def test_a_plan_with_class_weights_of_a_file_is_repeated_without_the_file(grid, tmp_path):
    """The plan that is written holds what was read, and another content is another question."""
    file = tmp_path / "weights.yaml"

    def opened(first):
        file.write_text("\n".join([f"0: {first}", *(f"{digit}: 1" for digit in range(1, 10))]))
        return grid(arms="scratch", train_images=40, recipe={**LEAST["recipe"], "class_weights": str(file)})

    one, other = opened(5), opened(6)
    file.unlink()
    assert one.plan.recipe["class_weights"]["0"] == 5
    assert str(file) not in to_yaml(one.plan)
    (tmp_path / "plan.yaml").write_text(to_yaml(one.plan))
    again = grid(**from_yaml(SweepPlan, tmp_path / "plan.yaml").model_dump(mode="json"))
    assert (again.plan, again.specs) == (one.plan, one.specs)
    assert one.plan.question() == again.plan.question() != other.plan.question()


def test_a_resolved_plan_comes_out_the_same_again(grid, digits):
    first = grid(arms="scratch", train_images=[40, 60])
    again = grid(**first.plan.model_dump(mode="json"))
    assert again.plan == first.plan
    assert again.specs == first.specs
    assert first.plan.fingerprint == digits.fingerprint
    assert first.plan.resolved[0].recipes[60].epochs == QUICK["epochs"]


def test_a_resolved_plan_that_comes_out_otherwise_is_refused(grid):
    content = grid(arms="scratch", train_images=[40, 60]).plan.model_dump(mode="json")
    with pytest.raises(InputError) as refusal:
        grid(**{**content, "train_images": [40, 80]})
    assert str(refusal.value).startswith("The plan was resolved before and now comes out otherwise. Found: another res")
    with pytest.raises(InputError, match="another fingerprint"):
        grid(**{**content, "fingerprint": "0" * 64})


def test_arms_that_cannot_be_tested_are_named_with_the_student(grid, tmp_path):
    found = grid(students=f"test_resnet@{tmp_path}/none.safetensors", train_images=40)
    assert {spec.arm.name for spec in found.specs} == {"scratch"}
    reasons = {name.rpartition(": ")[2]: reason for name, reason in found.not_tested.items()}
    assert reasons["distill"] == "no teacher was named"
    assert "none.safetensors" in reasons["finetune"]


def test_sizes_beyond_the_data_are_refused(grid):
    with pytest.raises(InputError, match=r"A subset cannot be larger than the training images.* Found: 5000 asked"):
        grid(arms="scratch", train_images=[40, 5000])


class TestAuto:
    @pytest.fixture
    def grid(self, grid, teacher):
        """Two arms, so that there is something to decide."""
        return partial(grid, teachers=[teacher], arms=["scratch", "distill:kl"])

    def test_seven_sizes_rise_to_the_number_asked_about(self, grid):
        found = grid(at=640)
        sizes = sorted({spec.train_images for spec in found.specs})
        assert sizes == [20, 36, 63, 110, 200, 360, 640]  # two images of each of ten classes, and more
        assert found.at == 640
        assert {spec.seed for spec in found.specs} == set(range(AUTO_SEEDS))

    def test_sizes_double_where_every_class_is_in_the_smallest(self):
        assert auto_sizes(16_000, 100) == (250, 500, 1000, 2000, 4000, 8000, 16_000)

    @pytest.mark.parametrize("classes", [1, 10])
    @pytest.mark.parametrize("largest", [2, 3, 10, 1234, 16_000, 1_281_167])
    def test_sizes_rise_by_no_more_than_the_method_allows(self, largest, classes):
        sizes = auto_sizes(largest, classes)
        assert sizes[-1] == largest
        assert sizes[0] >= min(largest, 2 * classes)
        assert all(small < large <= 2.5 * small for small, large in pairwise(sizes))

    def test_more_images_than_there_are_can_be_asked_about(self, grid, digits):
        found = grid(at=50_000)
        assert max(spec.train_images for spec in found.specs) == len(digits.splits.train)
        assert found.at == 50_000

    def test_its_seeds_are_those_of_the_plan_and_some_more(self, grid):
        assert {spec.seed for spec in grid(at=100, seeds=[7, 3]).specs} == {7, 3, 8, 9, 10}

    def test_one_arm_alone_leaves_nothing_to_decide(self, grid):
        with pytest.raises(InputError) as refusal:
            grid(teachers=[], arms="scratch", at=100)
        assert str(refusal.value) == (
            "auto decides between arms, and needs two for every student. Found: scratch alone for test_resnet. "
            "Next: name a teacher with --teacher or more --arms, or list the sizes with --train-images."
        )
