"""Well-known families of timm, made small, written to a file as timm users have it and read by the real loader.

Truth is each family's own definition of its image embedding, taken from the tokens or maps that the model computes.
"""

from functools import partial

import pytest
import timm
import torch
from safetensors.torch import save_file

from azeotrope.models.load import load_backbone

VIT = {"depth": 1, "embed_dim": 32, "num_heads": 2}


def first(tokens, _model):
    """x_norm_clstoken of DINOv2 and DINOv3: registers lie between it and the patches."""
    return tokens[:, 0]


def attention_pool(tokens, model):
    """SigLIP pools all tokens by one learned query; it has no class token."""
    return model.attn_pool(tokens)


def mean_of_patches(tokens, model):
    """EVA-02: LayerNorm of the mean over patches, class token left out."""
    return model.fc_norm(tokens[:, 1:].mean(1))


def mean_of_map(maps, model):
    """ConvNeXt: LayerNorm of the mean over the last map."""
    return model.head.norm(maps.mean((2, 3), keepdim=True)).flatten(1)


FAMILIES = {
    "vit_small_patch14_dinov2": (VIT, first),
    "vit_small_patch14_reg4_dinov2": (VIT, first),
    "vit_small_patch16_dinov3": (VIT, first),
    "vit_base_patch16_siglip_224": (VIT, attention_pool),
    "vit_base_patch16_clip_224": (VIT, first),
    "eva02_tiny_patch14_224": (VIT, mean_of_patches),
    "convnext_tiny": ({"depths": (1, 1, 1, 1), "dims": (8, 8, 16, 32)}, mean_of_map),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_embedding_is_the_familys_own(name, tmp_path, monkeypatch):
    small, definition = FAMILIES[name]
    monkeypatch.setattr(timm, "create_model", partial(timm.create_model, **small))
    side = 56 if "patch14" in name else 64
    sized = {} if "convnext" in name else {"img_size": side}
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=7, **sized).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    backbone = load_backbone(f"{name}@{tmp_path}/w.safetensors", image_size=side)
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected = definition(model.forward_features(images), model)
        torch.testing.assert_close(backbone.module.eval()(images), expected, rtol=1e-4, atol=1e-4)
    assert backbone.features == 32
