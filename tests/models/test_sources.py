"""What the sources deliver, held against what the libraries document."""

from functools import partial

import pytest
import timm
import torch

from azeotrope.errors import InputError
from azeotrope.lookup import members
from azeotrope.models.backbone import Backbone, check_size
from azeotrope.models.sources import source_of

# Width and reduction as in timm's own tables: a CNN, a plain transformer, a shifted-window one (maps laid out
# [B, H, W, C]), a hybrid, and one whose last convolution comes after pooling.
TIMM = [
    ("resnet10t", 512, 32),
    ("vit_tiny_patch16_224", 192, 16),
    ("swin_tiny_patch4_window7_224", 768, 32),
    ("mobilevit_xxs", 320, 32),
    ("mobilenetv3_small_050", 1024, 32),
]
TORCHVISION = [
    ("resnet18", 512, 32, "fc"),
    ("mobilenet_v2", 1280, 32, "classifier.1"),
    ("vit_b_32", 768, 32, "heads.head"),
]


@pytest.mark.parametrize(("name", "features", "stride"), TIMM)
def test_timm_gives_pooled_features(name, features, stride):
    backbone = source_of("timm").build(name, image_size=None)
    assert (backbone.features, backbone.stride) == (features, stride)
    config = timm.get_pretrained_cfg(name)
    shown = backbone.preprocessing
    assert (shown.size, shown.mean, shown.std) == (config.input_size[-1], config.mean, config.std)
    size = shown.size
    with torch.no_grad():
        assert backbone.module.eval()(torch.zeros(2, 3, size, size)).shape == (2, features)


@pytest.mark.parametrize("size", [32, 48])
def test_a_transformer_is_built_at_the_size_asked_for(size):
    backbone = source_of("timm").build("test_vit", image_size=size)
    assert backbone.preprocessing.size == size
    assert backbone.module(torch.zeros(1, 3, size, size)).shape == (1, backbone.features)


def test_timm_takes_grey_images():
    backbone = source_of("timm").build("test_resnet", image_size=32, in_channels=1)
    assert backbone.module(torch.zeros(2, 1, 32, 32)).shape == (2, backbone.features)
    assert backbone.preprocessing.for_channels(1).mean == (0.5,)  # timm declares 0.5 for each of three


@pytest.mark.parametrize(("name", "features", "stride", "head"), TORCHVISION)
def test_torchvision_loses_its_last_linear_wherever_it_sits(name, features, stride, head):
    backbone = source_of("torchvision").build(name, image_size=32)
    assert (backbone.features, backbone.stride, backbone.head_names) == (features, stride, (head,))
    with torch.no_grad():
        assert backbone.module.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, features)


def test_torchvision_without_a_last_linear_says_what_is_needed():
    with pytest.raises(InputError, match=r"must end in its classifier.*no torch\.nn\.Linear.*pooled features \[B, F\]"):
        source_of("torchvision").build("squeezenet1_1", image_size=None)


def test_a_transformer_of_torchvision_needs_whole_patches():
    with pytest.raises(InputError, match=r"whole patches.*Found: 40 px.*multiples of 16 px"):
        source_of("torchvision").build("vit_b_16", image_size=40)


def test_torchvision_takes_three_channels_only():
    with pytest.raises(InputError, match=r"three channels.*Found: 1 channels.*timm:resnet18"):
        source_of("torchvision").build("resnet18", image_size=32, in_channels=1)


@pytest.mark.parametrize(
    ("scheme", "name", "near"),
    [
        ("timm", "resnet10tt", "resnet10t"),
        ("timm", "resnet18.a1_in1", "resnet18.a1_in1k"),
        ("torchvision", "mobilenetv2", "mobilenet_v2"),
    ],
)
def test_an_unknown_name_offers_the_nearest(scheme, name, near):
    with pytest.raises(InputError, match=rf"named '{name}'.*nearest:.*{near}"):
        source_of(scheme).build(name, image_size=None)


def test_a_model_without_pooled_output_is_refused(monkeypatch):
    monkeypatch.setattr(timm, "create_model", partial(timm.create_model, global_pool=""))
    with pytest.raises(
        InputError, match=r"one pooled vector for each image.*output of shape \[1, 101, 64\].*that pools"
    ):
        source_of("timm").build("test_vit", image_size=None)


@pytest.mark.parametrize(
    ("scheme", "name", "size", "stride"),
    [("timm", "resnet10t", 16, 32), ("timm", "test_vit", 8, 16), ("torchvision", "vit_b_32", 16, 32)],
)
def test_images_below_the_stride_are_refused(scheme, name, size, stride):
    backbone: Backbone = source_of(scheme).build(name, image_size=size)
    with pytest.raises(
        InputError, match=rf"smaller than the stride of {scheme}:{name}. Found: {size} px. Allowed: {stride} px"
    ):
        check_size(backbone, size)
    check_size(backbone, stride)


def test_a_size_the_model_cannot_take_is_an_input_error():
    with pytest.raises(InputError, match=r"must run on images of 32 x 32 pixels.*another image size"):
        source_of("torchvision").build("maxvit_t", image_size=32)


@pytest.mark.parametrize("scheme", members("models.sources"))
def test_every_source_keeps_the_contract(scheme):
    source = source_of(scheme)
    assert len(set(source.names())) == len(source.names())
    for use in (
        source.default_weights,
        partial(source.build, image_size=32),
        partial(source.build_from_hub, image_size=32),
    ):
        with pytest.raises(InputError):
            use("no_such_model")
