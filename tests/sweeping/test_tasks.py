"""Plans taken apart into tasks, and a budget into shares."""

import pytest

from azeotrope.errors import InputError
from azeotrope.sweeping.budget import Budget
from azeotrope.sweeping.plans.tasks import laid_over, planned

PLAN = {"students": "test_resnet", "arms": "scratch", "train_images": [10], "recipe": {"epochs": 2, "views": 1}}


def test_a_plan_with_one_set_is_one_task_named_after_its_file():
    (task,) = planned({"plans/grid.yaml": PLAN | {"data": "digits"}})
    assert (task.folder, task.plan.data, task.asked) == ("grid", "digits", "plans/grid.yaml")


def test_a_list_is_a_task_each_with_what_is_its_own_and_flags_win():
    data = ["torchvision:CIFAR10", {"data": "photos/pets/", "train_images": [20], "recipe": {"epochs": 3}}]
    tasks = planned({"grid.yaml": PLAN | {"data": data}})
    assert [task.folder for task in tasks] == ["grid-torchvision-CIFAR10", "grid-pets"]
    assert [task.plan.train_images for task in tasks] == [(10,), (20,)]
    assert tasks[1].plan.recipe == {"epochs": 3, "views": 1}
    flagged = planned({"grid.yaml": PLAN | {"data": data}}, {"train_images": [30]})
    assert [task.plan.train_images for task in flagged] == [(30,), (30,)]


def test_images_without_a_plan_file_name_their_folder():
    tasks = planned({name: PLAN | {"data": name} for name in ("hf:a/b?test=validation", "digits", "s3://bucket/x.csv")})
    assert [task.folder for task in tasks] == ["hf-a-b-test-validation", "digits", "x.csv"]


def test_an_empty_list_and_a_wrong_key_are_refused():
    with pytest.raises(InputError, match=r"The plan grid.yaml must name images. Found: data: \[\]"):
        planned({"grid.yaml": PLAN | {"data": []}})
    with pytest.raises(InputError, match=r"train_image: .*nearest: train_images"):
        planned({"grid.yaml": PLAN | {"data": [{"data": "digits", "train_image": [3]}]}})


def test_parts_of_what_goes_together_are_laid_over():
    assert laid_over({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 4}}) == {"a": {"x": 1, "y": 4}, "b": 3}


def test_a_share_is_an_equal_part_of_what_is_left():
    share = Budget(hours=8, runs=10).share(2, spent_seconds=3600, spent_runs=3)
    assert share is not None
    assert (share.hours, share.runs) == (3.5, 4)  # 7 runs are left: the first of two gets 4
    assert Budget(runs=3).share(1, 0.0, 3) is None
    assert Budget(hours=1).share(2, 3600.0, 0) is None
    assert Budget().share(3, 1e6, 1000) == Budget()
    money = Budget(money=10, hourly_price=2).share(5, 0.0, 0)  # five hours
    assert money is not None
    assert money.seconds == 3600
