import pytest
from pydantic import ValidationError

from azeotrope.plan import TeacherSpec
from azeotrope.synthesis.making import requests_for
from azeotrope.synthesis.spec import FilterSpec, GeneratorSpec, Request, SynthPlan, Training


def test_a_picture_is_decided_by_class_name_index_and_seed():
    made = Request.of("cat", 3, 7, 0)
    assert made.seed == Request.of("cat", 5, 7, 0).seed  # wherever the class stands in the list
    others = [Request.of("dog", 3, 7, 0), Request.of("cat", 3, 8, 0), Request.of("cat", 3, 7, 1)]
    assert made.seed not in {other.seed for other in others}
    assert 0 <= made.seed < 2**63


def test_a_larger_set_begins_with_the_smaller_one():
    small, large = requests_for(["a", "b"], 2, 0), requests_for(["a", "b"], 5, 0)
    assert large[: len(small)] == small


def test_a_template_without_the_class_is_refused():
    with pytest.raises(ValidationError, match=r"every template must hold \{class\}"):
        GeneratorSpec(kind="text", model="x", templates=("a photo",))


@pytest.mark.parametrize("content", [{"kind": "own"}, {"kind": "text"}, {"kind": "own", "model": "x"}])
def test_a_generator_is_trained_or_named_and_not_both(content):
    with pytest.raises(ValidationError, match="either train a generator"):
        GeneratorSpec(**content)


@pytest.mark.parametrize("kind", ["vary", "mix"])
def test_redrawing_needs_a_step(kind):
    with pytest.raises(ValidationError, match=r"this is less than 1: 1 times 0\.6"):
        GeneratorSpec(kind=kind, model="x", steps=1)
    assert GeneratorSpec(kind=kind, model="x", steps=2).steps == 2


def test_a_set_may_grow_and_be_judged_again_and_nothing_else():
    asked = {
        "data": "d",
        "fingerprint": "f",
        "teacher": TeacherSpec(model="t"),
        "train_images": 10,
        "seed": 0,
        "generator": GeneratorSpec(kind="own", training=Training()),
        "per_class": 5,
    }
    plan = SynthPlan(**asked)
    same = SynthPlan(**{**asked, "per_class": 9}, filter=FilterSpec(agreement=0.9))
    same = same.model_copy(update={"teacher": TeacherSpec(model="another")})
    assert same.making() == plan.making()
    assert SynthPlan(**{**asked, "seed": 1}).making() != plan.making()
