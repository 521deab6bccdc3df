"""Tiny members of transformers' families, saved as the hub stores them and loaded from there.

Truth is each family's own definition of its image embedding, computed by transformers from the same files.
"""

import json
from pathlib import Path

import pytest
import torch

from azeotrope.errors import InputError
from azeotrope.models.load import load_backbone, load_network, weights_available
from azeotrope.models.pretrained.weights import fingerprint

transformers = pytest.importorskip("transformers")
transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
PATCHED = {**TINY, "image_size": 32, "patch_size": 8}
DINO = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
TEXT = {**TINY, "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2}


def first(model, images):
    """Class token after the last norm: what ViT's, DeiT's and MSN's own classifiers read."""
    return model(pixel_values=images).last_hidden_state[:, 0]


def dino(model, images):
    """x_norm_clstoken; registers lie between it and the patches."""
    output = model(pixel_values=images)
    assert output.last_hidden_state.shape[1] == 1 + 2 + 16
    return output.last_hidden_state[:, 0]


def masked_autoencoder(model, images):
    model.config.mask_ratio = 0.0
    return first(model, images)


def mean_of_patches(model, images):
    return model(pixel_values=images).last_hidden_state.mean(1)


def clip(model, images):
    """I_f of Radford et al. 2021: the normalised class token before the projection."""
    vision = model.vision_model
    return vision.post_layernorm(vision(pixel_values=images).last_hidden_state[:, 0])


def siglip(model, images):
    """The attention pool, which is SigLIP's image embedding as it stands."""
    return model.get_image_features(pixel_values=images).pooler_output


def mean_of_map(model, images):
    """ConvNeXt: LayerNorm of the mean over the last map."""
    return model.layernorm(model(pixel_values=images).last_hidden_state.mean((2, 3)))


def mean_of_plain_map(model, images):
    return model(pixel_values=images).last_hidden_state.mean((2, 3))


T = transformers
FAMILIES = {
    "vit": (T.ViTConfig(**PATCHED), first),
    "deit": (T.DeiTConfig(**PATCHED), first),
    "vit_msn": (T.ViTMSNConfig(**PATCHED), first),
    "vit_mae": (T.ViTMAEConfig(**PATCHED), masked_autoencoder),
    "ijepa": (T.IJepaConfig(**PATCHED), mean_of_patches),
    "dinov2_with_registers": (T.Dinov2WithRegistersConfig(**DINO, num_register_tokens=2), dino),
    "dinov3_vit": (T.DINOv3ViTConfig(**PATCHED, num_register_tokens=2), dino),
    "siglip": (T.SiglipConfig(text_config=TEXT, vision_config=PATCHED), siglip),
    "clip": (T.CLIPConfig(text_config=TEXT, vision_config=PATCHED), clip),
    "convnext": (T.ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], image_size=32), mean_of_map),
    "resnet": (T.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1]), mean_of_plain_map),
    "swin": (
        T.SwinConfig(embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4, image_size=32),
        mean_of_patches,
    ),
}


def saved(folder, config, model=None, **processor):
    torch.manual_seed(0)
    model = (model or T.AutoModel.from_config)(config)
    for parameter in model.parameters():  # transformers starts biases and scales alike, which would hide mistakes
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    T.ViTImageProcessor(**({"size": {"height": 32, "width": 32}} | processor)).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_embedding_is_the_familys_own(family, tmp_path):
    config, definition = FAMILIES[family]
    folder = saved(tmp_path, config)
    backbone = load_backbone(f"hf:{folder}")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = definition(T.AutoModel.from_pretrained(folder).eval(), images)
        torch.testing.assert_close(backbone.module.eval()(images), expected)
    assert backbone.features == 16
    assert backbone.weights.sha256 == fingerprint(backbone.module.model.state_dict())


def test_other_sizes_resize_the_positions(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    backbone = load_backbone(f"hf:{folder}", image_size=48)
    assert (backbone.preprocessing.size, backbone.stride) == (48, 8)
    with torch.no_grad():
        images = torch.randn(1, 3, 48, 48)
        own = T.ViTModel.from_pretrained(folder).eval()
        expected = own(pixel_values=images, interpolate_pos_encoding=True).last_hidden_state[:, 0]
        torch.testing.assert_close(backbone.module.eval()(images), expected)


@pytest.mark.parametrize(
    "processor",
    [
        {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7], "resample": 3},
        {"do_normalize": False},
        {"rescale_factor": 1 / 127.5, "image_mean": [1, 1, 1], "image_std": [1, 1, 1]},
    ],
)
def test_images_are_prepared_as_by_the_processor(processor, tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0], **processor)
    asked = load_backbone(f"hf:{folder}").preprocessing
    image = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    expected = T.AutoImageProcessor.from_pretrained(folder)(image, return_tensors="pt").pixel_values[0]
    mean, std = (torch.tensor(values)[:, None, None] for values in (asked.mean, asked.std))
    torch.testing.assert_close((image / 255 - mean) / std, expected)
    assert asked.interpolation == ("bicubic" if processor.get("resample") == 3 else "bilinear")


def test_the_size_is_that_of_the_crop(tmp_path):
    folder = saved(tmp_path, FAMILIES["clip"][0])
    T.CLIPImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    assert load_backbone(f"hf:{folder}").preprocessing.size == 32


def test_a_fine_tuned_classifier_is_left_out_and_counted(tmp_path):
    config = T.ViTConfig(**PATCHED, num_labels=12)
    folder = saved(tmp_path, config, T.ViTForImageClassification)
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    weights = load_backbone(f"hf:{folder}").weights
    assert (weights.classes, weights.licence, weights.source) == (12, "cc-by-nc-4.0", folder)


def test_random_weights_for_a_student_depend_on_the_seed(tmp_path):
    folder = saved(tmp_path, FAMILIES["convnext"][0])
    one, same, other = (
        load_network(f"hf:{folder}", 5, image_size=32, pretrained=False, seed=seed) for seed in (1, 1, 2)
    )
    assert fingerprint(one.network.state_dict()) == fingerprint(same.network.state_dict())
    assert fingerprint(one.network.state_dict()) != fingerprint(other.network.state_dict())


def edit(folder, filename, change):
    file = Path(folder) / filename
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_a_repository_that_wants_its_code_run_is_refused(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    (tmp_path / "evil.py").write_text("raise SystemExit('this ran')")
    edit(folder, "config.json", lambda content: content.update(auto_map={"AutoModel": "evil.Model"}))
    with pytest.raises(InputError, match=r"wants to run code of its repository.*Found: auto_map.*exported:"):
        load_backbone(f"hf:{folder}")


def test_weights_that_lack_tensors_are_refused_rather_than_left_random(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    edit(folder, "config.json", lambda content: content.update(num_hidden_layers=2))
    with pytest.raises(InputError, match=r"must be complete. Found: 16 tensors missing.*they would be random"):
        load_backbone(f"hf:{folder}")


def test_a_family_without_a_pooled_output_is_refused(tmp_path):
    config = T.PvtConfig(
        image_size=32, hidden_sizes=[8, 8], depths=[1, 1], num_encoder_blocks=2, num_attention_heads=[1, 1],
        sequence_reduction_ratios=[2, 1], patch_sizes=[4, 2], strides=[4, 2], mlp_ratios=[2, 2],
    )  # fmt: skip
    with pytest.raises(InputError, match=r"one pooled vector for each image. Found: an output of shape \[1, 17, 8\]"):
        load_backbone(f"hf:{saved(tmp_path, config)}")


def test_a_model_of_text_is_refused(tmp_path):
    config = T.BertConfig(**TINY, vocab_size=64)
    with pytest.raises(InputError, match=r"must run on images of 32 x 32 pixels"):
        load_backbone(f"hf:{saved(tmp_path, config)}")


def test_a_family_that_transformers_does_not_know(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "no_such_family"}')
    with pytest.raises(
        InputError, match=r"must be a model that transformers knows.*no_such_family.*another repository"
    ):
        load_backbone(f"hf:{tmp_path}")


def test_without_a_processor_nothing_is_guessed(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"how its images are prepared.*copy the repository's preprocessor_config"):
        load_backbone(f"hf:{folder}")


def test_offline_the_error_says_what_to_copy():
    with pytest.raises(InputError, match=r"fetched from their hub.*HF_HUB_OFFLINE.*copy.*to a folder: hf:FOLDER"):
        load_backbone("hf:facebook/dinov2-small")
    assert "HF_HUB_OFFLINE" in weights_available("hf:facebook/dinov2-small")


def test_a_folder_without_weights(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"there is none of model\.safetensors.*copy"):
        load_backbone(f"hf:{folder}")


def test_a_pickle_that_would_run_code_is_not_opened(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("this ran",))

    folder = saved(tmp_path, FAMILIES["vit"][0])
    (tmp_path / "model.safetensors").unlink()
    torch.save({"embeddings.cls_token": Evil()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"must be files of tensors.*not plain tensors: it calls for print"):
        load_backbone(f"hf:{folder}")


def test_a_file_after_the_at_sign_is_refused(tmp_path):
    folder = saved(tmp_path, FAMILIES["vit"][0])
    with pytest.raises(InputError, match=r"lie in its folder.*hf:FOLDER"):
        load_backbone(f"hf:{folder}@{folder}/model.safetensors")


def test_a_name_is_a_repository_or_a_folder():
    with pytest.raises(InputError, match=r"by its repository or its folder. Found: hf:dinov2"):
        load_backbone("hf:dinov2")
