import pytest

from azeotrope.errors import InputError
from azeotrope.models.spec import ModelSpec, WeightsRef


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("resnet18", ModelSpec("timm", "resnet18")),
        ("timm:resnet18.a1_in1k", ModelSpec("timm", "resnet18.a1_in1k")),
        ("torchvision:resnet18@hub", ModelSpec("torchvision", "resnet18", WeightsRef("hub"))),
        ("resnet18@a/b.pth", ModelSpec("timm", "resnet18", WeightsRef("file", "a/b.pth"))),
        ("resnet18@package:some-name", ModelSpec("timm", "resnet18", WeightsRef("package", "some-name"))),
        ("file:m.py:build@w.pt", ModelSpec("file", "m.py:build", WeightsRef("file", "w.pt"))),
    ],
)
def test_reads_scheme_name_and_weights(text, spec):
    assert ModelSpec.parse(text) == spec
    assert ModelSpec.parse(str(spec)) == spec


def test_the_architecture_leaves_the_weights_out():
    assert ModelSpec.parse("resnet18@w.pth").architecture == "timm:resnet18"


@pytest.mark.parametrize("text", ["", "timm:", "resnet18@", "@w.pth"])
def test_an_incomplete_spec_says_the_form(text):
    with pytest.raises(InputError, match=r"named by its source, name and weights.*Allowed: scheme:name@weights"):
        ModelSpec.parse(text)


def test_an_unknown_scheme_offers_the_nearest():
    with pytest.raises(InputError, match=r"no model source named 'torchvison'.*nearest: torchvision"):
        ModelSpec.parse("torchvison:resnet18")
