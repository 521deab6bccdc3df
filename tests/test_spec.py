"""Specs that refuse what they do not know."""

import pytest

from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.spec import from_yaml, to_yaml


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
