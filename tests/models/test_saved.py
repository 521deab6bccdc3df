from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from azeotrope.errors import InputError, StoreError
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.card import escape
from azeotrope.models.load import load_network
from azeotrope.models.pretrained.weights import Weights
from azeotrope.models.saved import load_model, save_model

CLASSES = ("cat", "<b>dog</b> & *co*", "[x](javascript:alert(1))\n# heading", "été 🐈")
FACTS = {"data_fingerprint": "abc123", "test_error": 0.1234, "val_error": None, "seed": 3}
LOCAL = """
from torch import nn

def build():
    return nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
"""


def trained(spec="timm:test_resnet"):
    """A network that differs from its init in weights and in BatchNorm statistics."""
    loaded = load_network(spec, len(CLASSES), image_size=32, pretrained=False, seed=1)
    with torch.no_grad():
        loaded.network(torch.rand(4, 3, 32, 32))
        for parameter in loaded.network.parameters():
            parameter += 0.01
    return loaded


def save(folder, loaded, spec="timm:test_resnet", **more):
    save_model(folder, loaded.network, spec=spec, classes=CLASSES, preprocessing=loaded.preprocessing, **more)
    return folder


def test_that_each_file_has_its_window_is_written_only_where_it_is_so(tmp_path):
    loaded = trained()
    for own in (False, True):
        made = replace(loaded, preprocessing=replace(loaded.preprocessing, own_windows=own))
        folder = save(tmp_path / str(own), made)
        assert ("own_windows" in (folder / "model.yaml").read_text()) == own
        assert load_model(folder).preprocessing.own_windows == own


@pytest.mark.parametrize("spec", ["timm:test_resnet", "timm:test_vit", "torchvision:mobilenet_v3_small"])
def test_what_comes_back_answers_the_same(tmp_path, spec):
    loaded = trained(spec)
    back = load_model(save(tmp_path / "m", loaded, spec, extra=FACTS))
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(back.network(image).logits, loaded.network.eval()(image).logits)
    assert not back.network.training
    assert (back.classes, back.preprocessing, str(back.spec), back.facts) == (
        CLASSES,
        loaded.preprocessing,
        spec,
        FACTS,
    )
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["card.md", "model.safetensors", "model.yaml"]


def test_a_local_model_takes_its_code_along(tmp_path):
    source = tmp_path / "mine.py"
    source.write_text(LOCAL)
    loaded = trained(f"file:{source}:build")
    folder = save(tmp_path / "m", loaded, f"file:{source}:build")
    source.unlink()
    image = torch.rand(2, 3, 32, 32)
    assert torch.equal(load_model(folder).network(image).logits, loaded.network.eval()(image).logits)
    (folder / "architecture.py").write_text(LOCAL + "\n# changed\n")
    with pytest.raises(InputError, match=r"must belong together.*architecture\.py is missing, or not the one"):
        load_model(folder)


def test_the_card_says_what_it_is(tmp_path):
    weights = Weights("package:some", "f" * 64, "Apache-2.0")
    text = (save(tmp_path, trained(), weights=weights, extra=FACTS) / "card.md").read_text(encoding="utf-8")
    assert "# An image classifier of 4 classes" in text
    assert r"architecture: timm\:test\_resnet" in text
    assert "32 x 32 pixels" in text
    assert "- data fingerprint: abc123\n- test error: 0.1234\n- val error: not measured\n- seed: 3" in text
    assert rf"started from: package\:some, licence: Apache\-2\.0 (SHA-256 {'f' * 64})" in text


def test_the_card_escapes_what_comes_from_outside(tmp_path):
    text = (save(tmp_path, trained()) / "card.md").read_text(encoding="utf-8")
    assert r"1. \<b\>dog\</b\> \& \*co\*" in text
    assert r"2. \[x\]\(javascript\:alert\(1\)\) \# heading" in text
    assert "3. été 🐈" in text


def test_weights_without_a_licence_and_no_weights_are_said(tmp_path):
    text = (save(tmp_path / "a", trained(), weights=Weights("w.pth", "0" * 64)) / "card.md").read_text()
    assert "licence: not known" in text
    assert "started from: random weights" in (save(tmp_path / "b", trained()) / "card.md").read_text()


def test_escape_makes_one_line():
    assert escape("a\r\n\tb\x00c") == "a b c"


def test_tensors_of_another_model_are_noticed(tmp_path):
    first, second = (
        save(tmp_path / "a", trained()),
        save(tmp_path / "b", load_network("test_resnet", 4, image_size=32, pretrained=False, seed=9)),
    )
    (second / "model.safetensors").replace(first / "model.safetensors")
    with pytest.raises(InputError, match=r"must belong together.*model\.safetensors.*copy the whole folder"):
        load_model(first)


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(InputError, match=r"folder with model\.yaml.*no model\.yaml in.*azeotrope distill"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", ["[", "architecture: 3", "!!python/object/apply:os.getcwd []"])
def test_a_description_that_cannot_be_read(tmp_path, content):
    folder = save(tmp_path / "m", trained())
    (folder / "model.yaml").write_text(content)
    with pytest.raises(InputError, match=r"model\.yaml cannot be read"):
        load_model(folder)


def test_missing_tensors(tmp_path):
    folder = save(tmp_path / "m", trained())
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors cannot be read"):
        load_model(folder)


def test_the_description_is_written_last(tmp_path, monkeypatch):
    def full(path, content):
        if path.name == "card.md":
            raise OSError(28, "No space left on device")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr("azeotrope.models.saved.write_atomically", full)
    with pytest.raises(StoreError, match="disk is full"):
        save(tmp_path / "m", trained())
    assert not (tmp_path / "m" / "model.yaml").exists()


def test_one_resize_is_written_and_said_on_the_card(tmp_path):
    """Without the key a folder is of an earlier version, and its `stored_size` says how it was judged."""
    once = trained()
    once = replace(once, preprocessing=replace(once.preprocessing, resize="once"))
    folders = {"once": save(tmp_path / "once", once), "before": save(tmp_path / "before", trained())}
    said = {name: yaml.safe_load((folder / "model.yaml").read_text()) for name, folder in folders.items()}
    assert said["once"]["preprocessing"]["resize"] == "once"
    assert "resize" not in said["before"]["preprocessing"]
    assert load_model(folders["once"]).preprocessing == once.preprocessing
    kind = once.preprocessing.interpolation
    cards = {name: (folder / "card.md").read_text() for name, folder in folders.items()}
    assert f"32 x 32 pixels (in one resize, {kind})" in cards["once"]
    assert f"32 x 32 pixels ({kind})" in cards["before"]


def test_one_resize_and_a_stored_frame_are_not_both_taken(tmp_path):
    """Each says how a model was judged, so a folder with both would be read in two ways."""
    once = trained()
    folder = save(tmp_path, replace(once, preprocessing=replace(once.preprocessing, resize="once")))
    description = yaml.safe_load((folder / "model.yaml").read_text())
    description["preprocessing"]["stored_size"] = 40
    (folder / "model.yaml").write_text(yaml.safe_dump(description))
    with pytest.raises(InputError, match="resized once or by way of a stored frame") as caught:
        load_model(folder)
    assert "stored_size: 40" in str(caught.value)
    assert "take one of them out" in str(caught.value)


def test_the_description_names_what_is_needed_to_rebuild(tmp_path):
    content = yaml.safe_load((save(tmp_path, trained()) / "model.yaml").read_text(encoding="utf-8"))
    assert content["architecture"] == "timm:test_resnet"
    assert (
        Preprocessing(
            **{key: tuple(v) if isinstance(v, list) else v for key, v in content["preprocessing"].items()}
        ).size
        == 32
    )
    assert Path(tmp_path, "model.safetensors").stat().st_size > 0
