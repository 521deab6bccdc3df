"""A tiny CLIP in open_clip's on-disk format, held against open_clip itself."""

import json

import pytest
import torch
from safetensors.torch import save_file

from azeotrope.errors import InputError
from azeotrope.models.load import load_backbone, weights_available
from azeotrope.models.sources import source_of

open_clip = pytest.importorskip("open_clip")

VISION = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
TOWERS = {
    "vit": VISION,
    "resnet": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16, "patch_size": None},
    "timm": {"image_size": 32, "timm_model_name": "test_vit2", "timm_pool": "avg", "timm_proj": "linear"},
}
PREPARED = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.3], "interpolation": "bilinear"}
CARD = "---\nlicense: apple-amlr\n---\n"


def saved(folder, vision=VISION):
    settings = {"model_cfg": {"embed_dim": 16, "vision_cfg": vision, "text_cfg": TEXT}, "preprocess_cfg": PREPARED}
    (folder / "open_clip_config.json").write_text(json.dumps(settings))
    (folder / "README.md").write_text(CARD)
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return str(folder)


@pytest.mark.parametrize("tower", TOWERS)
def test_the_embedding_is_that_of_encode_image(tower, tmp_path):
    folder = saved(tmp_path, TOWERS[tower])
    backbone = load_backbone(f"open_clip:{folder}")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = open_clip.create_model(f"local-dir:{folder}").eval().encode_image(images)
        torch.testing.assert_close(backbone.module.eval()(images), expected)
    assert backbone.features == 16
    assert not any("text" in name or "token_embedding" in name for name, _ in backbone.module.named_parameters())
    assert (backbone.weights.source, backbone.weights.licence) == (folder, "apple-amlr")


def test_images_are_prepared_as_the_configuration_says(tmp_path):
    found = load_backbone(f"open_clip:{saved(tmp_path)}").preprocessing
    assert (found.size, found.mean, found.std, found.interpolation) == (
        32,
        (0.4, 0.5, 0.6),
        (0.2, 0.2, 0.3),
        "bilinear",
    )


def test_a_file_gives_the_same_weights_as_the_folder(tmp_path):
    folder = saved(tmp_path)
    by_file = load_backbone(f"open_clip:{folder}@{folder}/open_clip_model.safetensors")
    assert by_file.weights.sha256 == load_backbone(f"open_clip:{folder}").weights.sha256


@pytest.mark.parametrize("at", ["", "@{0}/open_clip_model.safetensors"])
def test_other_sizes_resize_the_positions(at, tmp_path):
    folder = saved(tmp_path)
    backbone = load_backbone(f"open_clip:{folder}{at.format(folder)}", image_size=48)
    own = open_clip.create_model(f"local-dir:{folder}", force_image_size=48).eval()
    images = torch.randn(1, 3, 48, 48)
    with torch.no_grad():
        torch.testing.assert_close(backbone.module.eval()(images), own.encode_image(images))
    assert backbone.preprocessing.size == 48


@pytest.mark.parametrize("at", [False, True])
def test_class_names_become_a_head(at, tmp_path):
    """The scaled cosine of Radford et al. 2021: 100 at most times the mean over sentences, here written out."""
    folder = saved(tmp_path)
    file = tmp_path / "open_clip_model.safetensors" if at else None
    weights = source_of("open_clip").class_weights(folder, ["grey cat", "dog"], file)
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.no_grad():
        sentences = [sentence("grey cat") for sentence in open_clip.SIMPLE_IMAGENET_TEMPLATES]
        mean = model.encode_text(tokenizer(sentences), normalize=True).mean(0)
        torch.testing.assert_close(weights[0], model.logit_scale.exp() * mean / mean.norm())
    assert "grey cat" in sentences[0]
    assert weights.shape == (2, 16)


def test_a_tag_decides_normalisation_and_activation(monkeypatch):
    """OpenAI's weights have QuickGELU, which open_clip's plain ViT-B-32 lacks; SigLIP's images lie in [-1, 1].

    The models are large, so only what open_clip is asked for is looked at.
    """
    asked = []
    monkeypatch.setattr(open_clip, "create_model", lambda model, **settings: asked.append(settings) or 1 / 0)
    for name in ("ViT-B-32.openai", "ViT-B-32", "ViT-B-16-SigLIP.webli"):
        with pytest.raises(InputError):
            source_of("open_clip").build(name, image_size=None)
    assert [settings["force_quick_gelu"] for settings in asked] == [True, False, False]
    means = [settings["force_preprocess_cfg"].get("mean") for settings in asked]
    assert means == [open_clip.OPENAI_DATASET_MEAN, None, (0.5, 0.5, 0.5)]


def test_offline_the_error_says_what_to_copy():
    with pytest.raises(
        InputError, match=r"fetched from their hub.*HF_HUB_OFFLINE.*open_clip:FOLDER.*ARCHITECTURE@FILE"
    ):
        load_backbone("open_clip:ViT-B-32")
    assert "HF_HUB_OFFLINE" in weights_available("open_clip:timm/ViT-B-16-SigLIP2")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ViT-B-33", r"no open_clip model named 'ViT-B-33'.*ViT-B-32"),
        ("ViT-B-32.laion2b_s34b_b79", r"no set of weights of open_clip:ViT-B-32 named.*laion2b_s34b_b79k"),
    ],
)
def test_an_unknown_name_offers_the_nearest(name, said):
    with pytest.raises(InputError, match=said):
        load_backbone(f"open_clip:{name}")


def test_weights_of_another_model_are_refused(tmp_path):
    folder = saved(tmp_path)
    save_file({"stem.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"must be those of this architecture"):
        load_backbone(f"open_clip:{folder}@{tmp_path}/other.safetensors")
    with pytest.raises(InputError, match=r"text tower of open_clip:.*must be there.*fit the head on labels"):
        source_of("open_clip").class_weights(folder, ["cat"], tmp_path / "other.safetensors")


def test_three_channels_only(tmp_path):
    with pytest.raises(InputError, match=r"three channels. Found: 1 channels"):
        source_of("open_clip").build(saved(tmp_path), image_size=None, in_channels=1)
