"""Specs that refuse what they do not know."""

import pytest

from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe, RecipeChanges, ViewPolicy
from azeotrope.spec import from_yaml, to_yaml, validated
from azeotrope.sweeping.plans.sweep_plan import SweepPlan


def test_a_spec_survives_yaml(tmp_path):
    recipe = Recipe.for_images(500, policy=ViewPolicy(mirror=False))
    (tmp_path / "recipe.yaml").write_text(to_yaml(recipe))
    assert from_yaml(Recipe, tmp_path / "recipe.yaml") == recipe


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [1", "cannot be read as YAML"),
        (b"\xff\xfe\x00", "cannot be read as YAML"),
        (b"- 1", "must hold a mapping. Found: list"),
        (b"model: x\nmodel: y", "cannot be read as YAML. Found: the key 'model' comes twice"),
        (b"model: x\ncolour: red", "colour: Extra inputs are not permitted"),
        (b"!!python/object/apply:os.getcwd []", "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path, content, reason):
    (tmp_path / "teacher.yaml").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        from_yaml(TeacherSpec, tmp_path / "teacher.yaml")
    assert reason in str(refusal.value)
    assert "teacher.yaml" in str(refusal.value)


@pytest.mark.parametrize(
    ("spec", "content", "allowed"),
    [
        (RecipeChanges, {"patience": 0.5}, "patience: a number, at least 1"),
        (RecipeChanges, {"patience": float("nan")}, "patience: a number, at least 1"),
        (SweepPlan, {"data": "digits", "students": ["a"], "held_out": 1.5}, "held_out: a number, above 0, at most 0.5"),
        (LabelSpec, {"keep_leaks": True}, ""),
        (LabelSpec, {"value_range": (5, 5)}, ""),
        (LabelSpec, {"pixels": {"bits": 12}}, ""),
    ],
)
def test_what_breaks_a_range_or_a_rule_is_told_no_list_of_fields(spec, content, allowed):
    with pytest.raises(InputError) as refusal:
        validated(spec, content)
    assert refusal.value.allowed == allowed
