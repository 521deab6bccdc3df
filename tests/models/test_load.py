from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from azeotrope.errors import InputError
from azeotrope.models.load import load_backbone, load_network, weights_available
from azeotrope.models.pretrained.weights import fingerprint


def student(seed, name="test_resnet", classes=5, pretrained=False, image_size=32):
    return load_network(name, classes, image_size=image_size, pretrained=pretrained, seed=seed)


def test_a_network_answers_features_and_logits():
    loaded = student(0)
    output = loaded.network(torch.rand(3, 3, 32, 32))
    assert output.logits.shape == (3, 5)
    torch.testing.assert_close(output.logits, output.features @ loaded.network.head.weight.T + loaded.network.head.bias)
    assert (loaded.stride, loaded.preprocessing.size, loaded.weights) == (32, 32, None)


@pytest.mark.parametrize("name", ["timm:test_resnet", "timm:test_vit", "torchvision:mobilenet_v3_small"])
def test_the_seed_decides_everything_and_the_global_generator_is_left_alone(name):
    before = torch.get_rng_state()
    first = student(7, name)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(10)
    again, other = student(7, name), student(8, name)
    assert fingerprint(first.network.state_dict()) == fingerprint(again.network.state_dict())
    assert fingerprint(first.network.backbone.state_dict()) != fingerprint(other.network.backbone.state_dict())
    assert fingerprint(first.network.head.state_dict()) != fingerprint(other.network.head.state_dict())


@pytest.fixture
def weights_file(tmp_path):
    """A checkpoint as timm users have it: another class count, half precision, wrapped."""
    torch.manual_seed(3)
    model = timm.create_model("test_resnet", num_classes=12)
    path = tmp_path / "w.pth"
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in model.half().state_dict().items()}}, path)
    return path, model.float()


def test_local_weights_give_the_same_features(weights_file):
    path, model = weights_file
    loaded = student(0, f"test_resnet@{path}", pretrained=True)
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = model.eval().forward_head(model.forward_features(image), pre_logits=True)
        torch.testing.assert_close(loaded.network.eval().backbone(image), expected)
    assert loaded.weights.source == str(path)
    assert loaded.weights.sha256 == fingerprint(loaded.network.backbone.state_dict())


def test_weights_for_colour_serve_other_channels(weights_file):
    """Five equal channels give the features that grey shown as colour gives; of other sizes nothing changes."""
    path, model = weights_file
    name = f"test_resnet@{path}"
    loaded = load_network(name, 5, image_size=32, pretrained=True, seed=0, in_channels=5)
    grey = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        expected = model.eval().forward_head(model.forward_features(grey.expand(-1, 3, -1, -1)), pre_logits=True)
        said = loaded.network.eval().backbone(grey.expand(-1, 5, -1, -1))
    torch.testing.assert_close(said, expected, rtol=1e-3, atol=1e-4)
    assert len(loaded.preprocessing.mean) == len(loaded.preprocessing.std) == 5
    assert loaded.weights.sha256 == student(0, name, pretrained=True).weights.sha256


def test_weights_of_five_bands_start_a_model_of_five_bands(tmp_path):
    """And serve no other number."""
    torch.manual_seed(3)
    model = timm.create_model("test_resnet", in_chans=5, num_classes=0)
    torch.save(model.state_dict(), tmp_path / "five.pth")
    name = f"test_resnet@{tmp_path / 'five.pth'}"
    loaded = load_network(name, 5, image_size=32, pretrained=True, seed=0, in_channels=5)
    image = torch.rand(2, 5, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network.eval().backbone(image), model.eval()(image))
    for channels in (3, 4):
        with pytest.raises(InputError, match="of another form"):
            load_network(name, 5, image_size=32, pretrained=True, seed=0, in_channels=channels)


def test_weights_that_fit_no_number_of_channels_say_the_first_reason(tmp_path):
    """It names the channels that were asked for, not those of colour."""
    torch.save(timm.create_model("test_resnet", in_chans=4, num_classes=0).state_dict(), tmp_path / "four.pth")
    with pytest.raises(InputError) as refused:
        load_network(f"test_resnet@{tmp_path / 'four.pth'}", 5, image_size=32, pretrained=True, seed=0, in_channels=5)
    assert "4, 3, 3" in str(refused.value)
    assert "5, 3, 3" in str(refused.value)


@pytest.mark.parametrize("name", ["torchvision:mobilenet_v3_small", "timm:test_vit"])
def test_a_source_takes_other_channels_or_says_that_it_does_not(name):
    if name.startswith("timm"):
        loaded = load_network(name, 5, image_size=160, pretrained=False, seed=0, in_channels=4)
        assert loaded.network(torch.rand(1, 4, 160, 160)).logits.shape == (1, 5)
        return
    with pytest.raises(InputError, match="The models of torchvision take images of three channels"):
        load_network(name, 5, image_size=32, pretrained=False, seed=0, in_channels=4)


def test_arms_of_one_seed_share_the_head_whatever_the_init_of_the_body(weights_file):
    path, _ = weights_file
    random, pretrained = student(4), student(4, f"test_resnet@{path}", pretrained=True)
    assert fingerprint(random.network.head.state_dict()) == fingerprint(pretrained.network.head.state_dict())
    assert fingerprint(random.network.backbone.state_dict()) != fingerprint(pretrained.network.backbone.state_dict())


def test_position_embeddings_are_resized(tmp_path):
    model = timm.create_model("test_vit", img_size=160)
    save_file(model.state_dict(), tmp_path / "vit.safetensors")
    loaded = student(0, f"test_vit@{tmp_path}/vit.safetensors", pretrained=True, image_size=32)
    own = loaded.network.backbone.state_dict()
    assert own["pos_embed"].shape[1] < model.pos_embed.shape[1]
    assert torch.equal(own["blocks.0.mlp.fc1.weight"], model.state_dict()["blocks.0.mlp.fc1.weight"])


def test_weights_of_another_architecture_are_refused_with_both_sides(tmp_path):
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    with pytest.raises(
        InputError,
        match=r"vit\.safetensors must be those of this architecture.*only in the model \(conv1.*only in the file",
    ):
        student(0, f"test_resnet@{tmp_path}/vit.safetensors", pretrained=True)


def test_images_below_the_stride_are_refused():
    with pytest.raises(InputError, match=r"smaller than the stride of timm:test_resnet. Found: 16 px. Allowed: 32 px"):
        student(0, image_size=16)


def test_unknown_names_offer_the_nearest():
    with pytest.raises(InputError, match=r"no timm model named 'test_resnett'.*test_resnet"):
        student(0, "test_resnett")
    with pytest.raises(InputError, match=r"no timm model named 'vit_smal_patch14_dinov2'.*vit_small_patch14_dinov2"):
        load_backbone("vit_smal_patch14_dinov2")


def test_without_a_hub_the_error_says_what_to_do_offline():
    with pytest.raises(
        InputError, match=r"fetched from their hub.*HF_HUB_OFFLINE.*offline: timm:test_resnet@FILE.*azeotrope\[demo\]"
    ):
        load_backbone("test_resnet")
    with pytest.raises(InputError, match=r"fetched from their hub.*torchvision:resnet18@FILE"):
        load_backbone("torchvision:resnet18")


def test_weights_in_the_hub_cache_serve_offline():
    model = timm.create_model("test_resnet")
    repository = timm.get_pretrained_cfg("test_resnet").hf_hub_id
    folder = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("c0ffee")
    save_file(model.state_dict(), folder / "snapshots" / "c0ffee" / "model.safetensors")
    assert weights_available("test_resnet") is None
    backbone = load_backbone("test_resnet", image_size=32)
    assert torch.equal(backbone.module.conv1[0].weight, model.conv1[0].weight)
    assert (backbone.weights.source, backbone.weights.licence) == (f"hub:{repository}", "apache-2.0")


def test_weights_in_the_cache_of_torch_serve_offline():
    model = torchvision.models.mobilenet_v3_small()
    url = torchvision.models.MobileNet_V3_Small_Weights.DEFAULT.url
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    checkpoints.mkdir(parents=True)
    torch.save(model.state_dict(), checkpoints / url.rpartition("/")[2])
    backbone = load_backbone("torchvision:mobilenet_v3_small")
    assert torch.equal(backbone.module.features[0][0].weight, model.features[0][0].weight)
    assert backbone.weights.source == f"hub:{url}"


def test_a_hub_that_fails_halfway_says_what_to_do(monkeypatch):
    monkeypatch.setattr("azeotrope.models.pretrained.hub.repository_problem", lambda *_: None)
    with pytest.raises(InputError, match=r"fetched from their hub.*timm:test_resnet@FILE"):
        load_backbone("test_resnet", image_size=32)


def test_a_model_without_any_weights():
    assert timm.get_pretrained_cfg("resnet200").has_weights is None
    with pytest.raises(InputError, match=r"No pretrained weights are known for timm:resnet200.*timm:resnet200@FILE"):
        load_backbone("resnet200")


def test_availability_is_a_sentence(tmp_path, weights_file):
    path, _ = weights_file
    assert weights_available(f"test_resnet@{path}") is None
    assert "no weights file" in weights_available(f"test_resnet@{tmp_path}/gone.pth")
    assert "HF_HUB_OFFLINE" in weights_available("test_resnet")
    assert "HF_HUB_OFFLINE" in weights_available("torchvision:resnet18")
    assert "no pretrained weights are known" in weights_available("resnet200")
    assert "no weights package" in weights_available("test_resnet@package:nothing")
