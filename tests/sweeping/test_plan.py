import math

import pytest

from azeotrope.errors import InputError
from azeotrope.models import load
from azeotrope.plan import ComparePlan, UpstreamSpec
from azeotrope.recipe import Recipe
from azeotrope.spec import from_yaml, to_yaml
from azeotrope.sweeping.plans.network_input import default_image_size
from azeotrope.sweeping.plans.plan import default_arms, run_specs

EVERY = ["scratch", "distill", "linear_probe", "finetune", "distill@hub"]


def test_all_arms_of_the_method_when_the_student_has_weights(teacher_model):
    arms, left_out = default_arms(teacher_model, None)
    assert [arm.name for arm in arms] == EVERY
    assert left_out == {}


def test_pretrained_arms_are_left_out_with_the_reason_when_it_has_none(tmp_path):
    arms, left_out = default_arms(f"test_resnet@{tmp_path}/none.safetensors", None)
    assert [arm.name for arm in arms] == ["scratch", "distill"]
    assert left_out.keys() == {"linear_probe", "finetune", "distill@hub"}
    assert all("none.safetensors" in reason for reason in left_out.values())


def test_upstream_adds_its_arms(teacher_model):
    arms, _ = default_arms(teacher_model, UpstreamSpec(data="shapes", pretrain_images=5))
    assert [arm.name for arm in arms] == [*EVERY, "finetune@upstream", "distill@upstream"]


def test_small_images_are_not_blown_up_to_the_students_resolution(digits):
    assert default_image_size(digits, "test_resnet") == 32


def test_arms_get_equal_steps_the_same_recipe_and_the_same_rates(plan, resources, shapes, teacher_model):
    made = plan(*EVERY, "finetune@upstream", "distill:kl", student=teacher_model, recipe={"epochs": 3})
    found = run_specs(made, 60, resources, shapes)
    last = [spec.stages()[-1].recipe for spec in found]
    assert len(found) == 7
    assert {recipe.steps(60) for recipe in last} == {3 * (60 // last[0].batch_images)}
    assert len({recipe.digest() for recipe in last}) == 1
    assert len(last[0].learning_rates) > 1


def test_runs_go_seed_by_seed(plan, resources, shapes):
    made = plan("scratch", "distill", seeds=[0, 1])
    order = [(spec.seed, spec.arm.name) for spec in run_specs(made, 60, resources, shapes)]
    assert order == [(0, "scratch"), (0, "distill"), (1, "scratch"), (1, "distill")]


def test_the_plan_has_every_default_written_out(plan, teacher, tmp_path):
    made = plan("scratch", "distill", recipe={}, train_images=[80, 60])
    assert made.train_images == (60, 80)
    assert made.teacher == teacher
    expected = Recipe.for_images(60)
    assert made.recipes[60] == expected.model_copy(
        update={"policy": expected.policy.model_copy(update={"mirror": False})}
    )
    (tmp_path / "plan.yaml").write_text(to_yaml(made))
    assert from_yaml(ComparePlan, tmp_path / "plan.yaml") == made


def test_the_teachers_own_resolution_is_written_into_the_plan(plan, teacher_model, teacher):
    made = plan("distill", teacher=teacher.model_copy(update={"image_size": None}))
    assert made.teacher.image_size == 160


@pytest.mark.parametrize(
    ("arms", "changes", "message"),
    [
        (["distill"], {"teacher": None}, "The arm distill needs a teacher. Next: name one with --teacher"),
        (["finetune@upstream"], {"upstream": None}, "The arm finetune@upstream needs an upstream source. Next: name"),
        (["distill:cross_entropy"], {}, "The arm distill:cross_entropy has no loss that compares with the teacher."),
        (["scratch", "scratch"], {}, "A comparison needs arms, each once. Found: scratch, scratch."),
        ([], {}, "A comparison needs arms, each once. Found: none."),
        (["distill:kll"], {}, "There is no loss named 'kll'. Allowed: nearest: kl."),
        (["distill:kl(T=0)"], {}, "The loss kl(T=0) is not valid. Found: T: Input should be greater than 0."),
        (["distill:kl(temp=1)"], {}, "temp: Extra inputs are not permitted"),
        (["distill:kl(T=1)/kl(T=hot)"], {}, "The loss kl(T=hot) is not valid."),
        (["scratch"], {"recipe": {"patience": 0.5}}, "recipe: patience: Input should be greater than or equal to 1"),
        (
            ["scratch"],
            {"image_size": 16},
            "smaller than the stride of timm:test_resnet. Found: 16 px",
        ),
        (["scratch"], {"student": "test_resnett"}, "test_resnet"),
        (["scratch"], {"train_images": [5000]}, "A subset cannot be larger than the training images, nor empty. Found"),
        (["scratch"], {"recipe": {"epoch": 3}}, "epoch: Extra inputs are not permitted"),
        (
            ["scratch"],
            {"recipe": {"class_weights": "atuo"}},
            "class_weights: is off, auto or a file (.csv, .tsv, .yaml, .yml), not 'atuo'",
        ),
        (
            ["scratch"],
            {"recipe": {"class_weights": {"0": 1.0, "11": 1.0}}},
            "Found: '11', which is none. Allowed: nearest: '1'",
        ),
        (
            ["scratch"],
            {"recipe": {"class_weights": {}}},
            "class_weights: is off, auto, a file or a weight for every class",
        ),
        (["scratch"], {"recipe": {"class_weights": True}}, "or a weight for every class, not True"),
        (
            ["scratch"],
            {"recipe": {"class_weights": {False: 1.0, "1": 2.0}}},
            "class_weights: names classes by texts, not by False: write the name in quotes",
        ),
        (["scratch"], {"recipe": {"logit_adjustment": -1}}, "logit_adjustment: Input should be greater than or equal"),
        (["scratch"], {"recipe": {"logit_adjustment": math.nan}}, "logit_adjustment"),
        (["scratch"], {"recipe": {"sampling": "even"}}, "sampling: Input should be 'shuffled' or 'balanced'"),
        (
            ["scratch"],
            {"recipe": {"class_weights": "auto", "sampling": "balanced"}},
            "class_weights auto and sampling balanced each even out unequal classes, and together twice: give one",
        ),
    ],
)
def test_what_can_be_seen_to_be_wrong_is_refused_before_training(plan, arms, changes, message):
    with pytest.raises(InputError) as refusal:
        plan(*arms, **changes)
    assert message in str(refusal.value)


def test_no_weights_are_fetched_to_make_a_plan_of_random_arms(plan, monkeypatch):
    monkeypatch.setattr(load, "_fill", lambda *_: pytest.fail("weights were read"))
    plan("scratch", teacher=None)


def test_recipe_changes_reach_the_upstream_too(plan):
    assert plan("finetune@upstream", recipe={"epochs": 3}).upstream_recipe.epochs == 3


def test_upstream_classes_are_evened_out_too_but_by_no_weights_of_other_classes(plan):
    assert plan("finetune@upstream", recipe={"sampling": "balanced"}).upstream_recipe.sampling == "balanced"
    weights = {str(digit): 1.0 + digit for digit in range(10)}
    made = plan("finetune@upstream", recipe={"class_weights": weights})
    assert made.recipes[60].class_weights == weights
    assert made.upstream_recipe.class_weights == "off"


def test_weights_of_a_file_stand_in_the_plan_and_an_edited_file_makes_other_runs(specs, tmp_path):
    file = tmp_path / "weights.csv"

    def made(first):
        file.write_text("\n".join(["class,weight", f"0,{first}", *(f"{digit},1" for digit in range(1, 10))]))
        return specs("scratch", teacher=None, recipe={"class_weights": str(file)})["scratch", 0]

    one, other = made(5), made(6)
    assert one.recipe.class_weights["0"] == 5
    assert one.digest() != other.digest() != specs("scratch", teacher=None)["scratch", 0].digest()


def test_an_upstream_that_holds_the_tasks_own_images_is_refused(plan, digits):
    with pytest.raises(InputError, match=r"must not share images with the task. Found: 1,797 images of digits"):
        plan("finetune@upstream", upstream_task=digits)


def test_one_image_is_too_few_to_train_on(plan):
    with pytest.raises(InputError, match=r"A training needs images. Found: 1. Allowed: 2 or more"):
        plan("scratch", train_images=[1])
