"""A head of class names, from a tiny model of open_clip that was taught to tell two classes by their names."""

import json

import pytest
import torch
from safetensors.torch import save_file

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.teacher.heads.head import Head
from azeotrope.teacher.heads.zero_shot import zero_shot_head

open_clip = pytest.importorskip("open_clip")

TOWERS = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TOWERS, "preprocess_cfg": {}}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return str(folder)


def test_logits_are_the_scaled_cosine(folder):
    """logit_scale · cos(image, text), as open_clip itself computes it."""
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    images = torch.randn(5, 3, 32, 32)
    with torch.no_grad():
        features = model.encode_image(images)
        head = zero_shot_head(f"open_clip:{folder}", ["cat", "dog"])
        text = open_clip.build_zero_shot_classifier(
            model,
            open_clip.get_tokenizer(f"local-dir:{folder}"),
            ["cat", "dog"],
            open_clip.SIMPLE_IMAGENET_TEMPLATES,
        )
        expected = model.logit_scale.exp() * model.encode_image(images, normalize=True) @ text
    torch.testing.assert_close(head.logits(features), expected)
    assert head.strength is None


def test_a_run_uses_it_when_asked(folder, digits, tmp_path, monkeypatch):
    """Random towers know no digits, so the gate, which is not meant here, is opened."""
    monkeypatch.setattr("azeotrope.teacher.heads.gate.check", lambda *_: None)
    resources = Resources(tmp_path, Device("cpu", "fp32"))
    resources.add(digits)
    spec = TeacherSpec(model=f"open_clip:{folder}", head="zero_shot", weak=True)
    head = resources.taught(spec, digits.fingerprint, 50, 0, Recipe.for_images(50).policy, 1).targets.head
    assert isinstance(head, Head)
    assert head.cosine
    assert head.weight.shape == (1, 10, 16)


def test_a_teacher_without_text_is_refused(teacher_model):
    with pytest.raises(InputError, match=r"reads text too, which timm:test_resnet does not. Allowed: open_clip"):
        zero_shot_head(teacher_model, ["cat"])
