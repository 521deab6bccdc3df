"""What is published of pre-trainings: numbers of the recipes' own pages, and reasons where there are none."""

import pytest

from azeotrope.models.pretraining import published

IMAGENET = 1_281_167


@pytest.mark.parametrize(
    ("student", "epochs", "size"),
    [
        ("torchvision:resnet18", 90, 224),  # references/classification: --epochs 90
        ("torchvision:mobilenet_v2", 600, 176),  # the new recipe: --epochs 600 --train-crop-size 176
        ("timm:resnet18.a1_in1k", 600, 224),  # arXiv 2110.00476, table 2
        ("timm:resnet18.a3_in1k", 100, 160),
        ("timm:resnet18.tv_in1k", 90, 224),
        ("timm:mobilenetv4_conv_small.e2400_r224_in1k", 2400, 224),  # what the tag says
    ],
)
def test_published_recipes(student, epochs, size):
    found = published(f"{student}@hub")
    assert (found.source, found.images, found.epochs, found.image_size) == ("ImageNet-1k", IMAGENET, epochs, size)
    assert found.reference


@pytest.mark.parametrize(
    ("student", "reason"),
    [
        ("timm:mobilenetv2_100.ra_in1k@hub", "nothing is known here of how many images and epochs the weights of"),
        ("timm:mobilenetv4_conv_medium.e250_r384_in12k_ft_in1k@hub", "nothing is known here"),  # two stages
        ("torchvision:densenet121@hub", "nothing is known here"),
        ("timm:test_resnet@weights.safetensors", "nothing says how the weights weights.safetensors were made"),
    ],
)
def test_what_is_not_published_is_a_reason(student, reason):
    assert published(student).startswith(reason)
