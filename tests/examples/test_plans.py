"""The plans of `examples/`: every set is read in its published layout, every plan resolved and run dry on tiny models.

The models that they name are those of the papers.
"""

import json
from math import prod

import pytest
import timm
import torch
import torchvision
import yaml

from azeotrope.models.load import load_network
from azeotrope.models.spec import ModelSpec

from .conftest import EXAMPLES

FARHAT_CHEN = sorted((EXAMPLES / "farhat-chen").glob("*.yaml"))
# (images to train on, classes) as the sets' own pages say; Caltech-101 has no splits and loses a fifth here.
PUBLISHED = {
    "cifar10": (50_000, 10),
    "cifar100": (50_000, 100),
    "cub": (5_994, 200),
    "caltech101": (8_677 * 4 / 5, 101),
    "dtd": (1_880, 47),
    "mit67": (5_360, 67),
    "torchvision:CIFAR10": (50_000, 10),
    "torchvision:CIFAR100": (50_000, 100),
    "torchvision:Food101": (75_750, 101),
    "torchvision:SUN397": (108_754 * 4 / 5, 397),
}
# Millions of parameters with a head of 1,000 classes, as torchvision's and timm's model pages say.
PARAMETERS = {
    "timm:resnet50.a1_in1k": 25.56,
    "timm:vit_base_patch16_224.augreg_in21k": 86.57,
    "torchvision:mobilenet_v2": 3.50,
    "torchvision:resnet18": 11.69,
    "timm:mobilenetv4_conv_small": 3.77,
    "timm:mobilenetv4_conv_medium": 9.72,
    "timm:mobilenetv4_hybrid_large_075": 22.8,
    "timm:mobilenetv4_hybrid_large": 37.76,
}


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch):
    monkeypatch.setattr("azeotrope.sweeping.forecast.TRIAL_SECONDS", 0.01)


def content(file):
    return yaml.safe_load(file.read_text())


def tasks(file):
    """(name, plan) of each task in a plan."""
    plan = content(file)
    listed = plan["data"] if isinstance(plan["data"], list) else [{"data": plan["data"]}]
    return [(file.stem if len(listed) == 1 else item["data"], plan | item) for item in listed]


ALL = [(name, plan) for file in [*FARHAT_CHEN, EXAMPLES / "yang.yaml"] for name, plan in tasks(file)]


def test_the_six_sets_of_farhat_and_chen_are_there():
    assert [file.stem for file in FARHAT_CHEN] == ["caltech101", "cifar10", "cifar100", "cub", "dtd", "mit67"]
    for file in FARHAT_CHEN:
        plan = content(file)
        assert plan["image_size"] == 224
        assert plan["teachers"] == ["timm:resnet50.a1_in1k", "timm:vit_base_patch16_224.augreg_in21k"]
        assert plan["students"] == ["torchvision:mobilenet_v2", "torchvision:resnet18"]
        assert {"scratch", "linear_probe", "finetune", "distill"} < set(plan["arms"])


@pytest.mark.parametrize(("name", "plan"), ALL, ids=[name for name, _ in ALL])
def test_the_sizes_fit_the_published_sets(name, plan):
    images, classes = PUBLISHED[name]
    has_val = name == "dtd"
    pool = images if has_val else images * (1 - plan.get("held_out", 0.2))
    sizes = plan["train_images"]
    assert sizes == sorted(sizes)
    assert sizes[-1] <= 0.99 * pool  # copies are left out, and the sets hold a few
    assert sizes[0] >= 5 * classes  # a head is fitted with five images a class
    assert len(sizes) >= 4


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_models_are_those_of_the_papers(name):
    spec = ModelSpec.parse(name)
    with torch.device("meta"):
        if spec.scheme == "timm":
            network = timm.create_model(spec.name, num_classes=1000)
        else:
            network = torchvision.models.get_model(spec.name)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(PARAMETERS[name], abs=0.06)
    if spec.scheme == "timm" and "." in spec.name:
        assert spec.name in timm.list_pretrained(f"{spec.name.partition('.')[0]}.*")


def test_every_model_of_the_plans_is_checked_above():
    named = [plan["teachers"] for _, plan in ALL] + [name for _, plan in ALL for name in plan["students"]]
    flat = {name for item in named for name in ([item] if isinstance(item, str) else item)}
    assert flat == set(PARAMETERS)


def test_the_students_of_yang_span_the_range_of_the_paper():
    students = content(EXAMPLES / "yang.yaml")["students"]
    loaded = (load_network(name, 2, image_size=224, pretrained=False, seed=0) for name in (students[0],))
    smallest = next(sum(p.numel() for p in network.network.backbone.parameters()) for network in loaded)
    assert smallest / 1e6 == pytest.approx(2.5, abs=0.05)
    assert PARAMETERS[students[-1]] == pytest.approx(38, abs=0.5)


def tiny(model, *more):
    return ("-t", model, "--teacher-size", 32, "-s", model, "--image-size", 32, "-n", "6,9", "--views", "1", *more)


def dry(cli, out, files, *flags):
    done = cli("sweep", *files, *flags, "--epochs", "1", "--out", out, "--dry-run", "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)["tasks"]


def test_the_grid_of_farhat_and_chen_resolves_and_runs_dry_on_stand_ins(cli, place, tmp_path, teacher_model):
    found = dry(cli, tmp_path / "out", FARHAT_CHEN, *tiny(teacher_model))
    assert list(found) == [file.stem for file in FARHAT_CHEN]
    sizes, seeds = 2, 3
    for file in FARHAT_CHEN:
        cells = found[file.stem]["cells"]
        assert len(cells) == prod((len(content(file)["arms"]), sizes, seeds))
        assert {cell["state"] for cell in cells} == {"to do"}
    assert not (tmp_path / "out").exists()


def test_the_axes_of_yang_resolve_and_run_dry_on_stand_ins(cli, place, tmp_path, teacher_model):
    flags = ("--upstream", f"hf:{place / 'imagenet'}?test=validation", "--pretrain-images", "6,9")
    found = dry(cli, tmp_path / "out", [EXAMPLES / "yang.yaml"], *tiny(teacher_model, *flags))
    assert list(found) == [f"yang-torchvision-{name}" for name in ("CIFAR10", "CIFAR100", "Food101", "SUN397")]
    sizes, seeds, pretrained = 2, 3, 2
    for task in found.values():
        assert len(task["cells"]) == sizes * seeds * (2 + 2 * pretrained)  # two arms of four are pre-trained here
