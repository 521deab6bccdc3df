"""A plan as it is written: short forms, all problems at once, near misses, limits that contradict each other."""

import re
from pathlib import Path

import pytest
import yaml

from azeotrope.errors import InputError
from azeotrope.models.ladder import Rung
from azeotrope.spec import from_yaml, to_yaml, validated
from azeotrope.sweeping.plans.sweep_plan import Ladder, SweepPlan

LEAST = {"data": "digits", "students": "test_resnet"}
LONG = """
data: digits
teachers:
- model: test_vit
  image_size: 32
students: [test_resnet, test_vit2]
arms: [scratch, 'distill:kl+align_uniform', distill@upstream]
train_images: [250, 500]
upstream: shapes
pretrain_images: [1000, 4000]
seeds: 4
recipe: {epochs: 3, policy: {mirror: false}}
budget: {hours: 2, runs: 100}
engine: {name: ray, address: auto}
"""


def plan(**content):
    return validated(SweepPlan, {**LEAST, **content})


def refused(**content):
    with pytest.raises(InputError) as refusal:
        plan(**content)
    return str(refusal.value)


def test_short_forms_mean_the_long_ones():
    short = plan(teachers="t", arms="scratch", train_images=250, seeds=2, budget="1h,40 runs", engine="ray")
    long = plan(
        students=["test_resnet"],
        teachers=[{"model": "t"}],
        arms=["scratch"],
        train_images=[250],
        seeds=[0, 1],
        budget={"hours": 1, "runs": 40},
        engine={"name": "ray"},
    )
    assert short == long


def test_a_plan_is_read_from_yaml_and_written_with_every_default(tmp_path):
    (tmp_path / "plan.yaml").write_text(LONG)
    read = from_yaml(SweepPlan, tmp_path / "plan.yaml")
    assert (read.seeds, read.arms) == ((0, 1, 2, 3), ("scratch", "distill", "distill@upstream"))
    text = to_yaml(read)
    assert {line.partition(":")[0] for line in text.splitlines() if line[0].isalpha()} == set(SweepPlan.model_fields)
    (tmp_path / "again.yaml").write_text(text)
    assert from_yaml(SweepPlan, tmp_path / "again.yaml") == read


@pytest.mark.parametrize("page", ["sweep.md", "upstream.md"])
def test_the_plans_of_the_documentation_are_plans(page):
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    block, *_ = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert validated(SweepPlan, yaml.safe_load(block)).data == "fashion-mnist"


def test_the_question_is_the_same_wherever_and_at_whatever_price():
    assert plan(budget="1h", engine="ray").question() == plan().question()
    assert plan(seeds=4).question() != plan().question()


def test_off_of_yaml_is_the_word(tmp_path):
    """YAML reads it as False; a key that comes twice is refused, which it would read as the last."""
    text = "data: digits\nstudents: [test_resnet]\narms: [distill:kl+cross_entropy=0]\nrecipe: {class_weights: %s}\n"
    (tmp_path / "plan.yaml").write_text(text % "off")
    assert from_yaml(SweepPlan, tmp_path / "plan.yaml").recipe == {"class_weights": "off"}
    for written, said in (
        ("on", "or a weight for every class, not True"),
        ("{no: 1, yes: 2}", "names classes by texts, not by False: write the name in quotes"),
        ("{01: 1}", "names classes by texts, not by 1: write"),
        ("{}", "is off, auto, a file or a weight for every class, not {}"),
        ("{cat: 1, cat: 2}", "the key 'cat' comes twice"),
    ):
        (tmp_path / "plan.yaml").write_text(text % written)
        with pytest.raises(InputError, match=re.escape(said)):
            from_yaml(SweepPlan, tmp_path / "plan.yaml")


def test_all_problems_are_told_together_with_the_nearest_names():
    said = refused(student="x", recipe={"epoch": 3}, budget={"hour": 1}, arms=["distil"], seeds=0, engine={"worker": 2})
    for part in (
        "student: Extra inputs are not permitted (nearest: students",
        "recipe: epoch: Extra inputs are not permitted (nearest: epochs",
        "budget.hour: Extra inputs are not permitted (nearest: hours",
        "engine.worker: Extra inputs are not permitted (nearest: workers",
        "arms: The arm 'distil' is not valid strategy: Input should be 'scratch'",
        "seeds: at least one is needed",
        "Allowed: data, students, ladder, teachers,",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"train_images": [250, 250]}, "train_images: each may be named once"),
        ({"train_images": []}, "train_images: at least one is needed"),
        ({"train_images": [-5]}, "train_images: must not be negative"),
        ({"train_images": "most"}, "train_images"),
        ({"arms": []}, "arms: at least one is needed"),
        ({"upstream": "shapes"}, "upstream and pretrain_images go together"),
        ({"pretrain_images": [5]}, "upstream and pretrain_images go together"),
        ({"teachers": ["a", "b"]}, "auto decides between arms of one teacher; name one, or list train_images"),
        ({"ladder": {"family": "lcnet"}}, "students are named or come from a ladder: one of the two is needed"),
        ({"students": []}, "students are named or come from a ladder: one of the two is needed"),
        ({"budget": "1 hour ago"}, "budget: A budget is an amount with its unit '1 hour ago'"),
        ({"budget": {"money": 5}}, "money buys hours only at a known hourly_price"),
        ({"engine": {"workers": 0}}, "engine.workers: Input should be greater than or equal to 1"),
        ({"recipe": {"epochs": 0}}, "recipe: epochs: Input should be greater than or equal to 1"),
        ({"precision": "fp8"}, "precision: Input should be 'auto', 'fp32', 'bf16' or 'fp16'"),
    ],
)
def test_what_cannot_be_is_refused(content, message):
    assert message in refused(**content)


@pytest.fixture
def three(monkeypatch):
    """A family of three sizes."""
    rungs = [Rung(f"timm:net_{size}", size * 1000, 1, 224, 32) for size in (400, 800, 1600)]
    monkeypatch.setattr("azeotrope.sweeping.plans.sweep_plan.ladder", lambda family: rungs)


@pytest.mark.usefixtures("three")
def test_a_ladder_keeps_what_fits():
    assert Ladder(family="net", max_parameters=900_000).students() == ("timm:net_400", "timm:net_800")
    assert Ladder(family="net", min_parameters=500_000).students() == ("timm:net_800", "timm:net_1600")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "limits", [{"max_parameters": 100_000}, {"min_parameters": 900_000, "max_parameters": 500_000}]
)
def test_limits_that_nothing_fits_are_told_with_what_there_is(limits):
    with pytest.raises(InputError) as refusal:
        Ladder(family="net", **limits).students()
    said = str(refusal.value)
    assert said.startswith("No student of net fits the limits on parameters. Found: ")
    assert "there are 400,000 (timm:net_400) to 1,600,000 (timm:net_1600). Next: change max_parameters" in said


def test_a_family_that_is_not_known_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="no family of students named 'mobilnetv4'"):
        Ladder(family="mobilnetv4").students()
