"""The path through diffusers itself, with a pipeline shaped like Stable Diffusion, saved and loaded in the hub's
format.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, MissingDependency
from azeotrope.synthesis.generators.pipeline import WITHHELD, Originals, PipelineGenerator
from azeotrope.synthesis.hub import open_pipeline
from azeotrope.synthesis.making import Line
from azeotrope.synthesis.opening import going_on, open_named
from azeotrope.synthesis.spec import GeneratorSpec, Request

CPU = Device("cpu", "fp32")
CLASSES = ("polka-dotted", "ring")
REQUESTS = [Request.of(CLASSES[label], label, index, 0) for index in range(2) for label in range(2)]


def spec(folder, kind="text", **changes):
    return GeneratorSpec(kind=kind, model=str(folder), steps=2, **changes)


@pytest.fixture(scope="module")
def text(stable_diffusion):
    templates = ("a photo of a {class}", "a {class}, close up")
    return open_named(spec(stable_diffusion, templates=templates), CLASSES, CPU).generator


def test_prompts_take_templates_in_turn_and_clean_names(text):
    assert [text.prompt(request) for request in REQUESTS] == [
        "a photo of a polka dotted",
        "a photo of a ring",
        "a polka dotted, close up",
        "a ring, close up",
    ]


def test_pictures_are_those_of_their_seed_whatever_the_batch(text):
    together = text.make(REQUESTS)
    assert [made.pixels.shape for made in together] == [(16, 16, 3)] * 4
    assert not np.array_equal(together[0].pixels, together[2].pixels)
    alone = [text.make([request])[0] for request in REQUESTS]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.pixels.astype(int), b.pixels.astype(int), atol=2)


@pytest.fixture
def originals():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    keys = [f"{row}.png" for row in range(6)]
    rows = [np.array([0, 1, 2]), np.array([3])]
    return Originals(rows, keys, lambda row: Image.fromarray(pixels[row]))


@pytest.mark.parametrize("kind", ["vary", "mix"])
def test_own_images_are_redrawn_without_a_prompt(stable_diffusion, originals, kind):
    ready = open_named(spec(stable_diffusion, kind, strength=0.5), CLASSES, CPU, originals)
    assert ready.warnings == ()
    said = ready.generator.prompt(REQUESTS[0])
    first, *rest = said.removeprefix(f"{kind} ").split(" + ")
    assert {first, *rest} <= {"0.png", "1.png", "2.png"}
    assert len(rest) == (kind == "mix")
    assert ready.generator._arguments(REQUESTS)["prompt"] == [""] * 4
    assert ready.generator.make(REQUESTS)[0].pixels.shape == (16, 16, 3)


def test_mixing_lays_two_images_over_each_other_and_one_where_there_is_one(stable_diffusion, originals):
    generator = PipelineGenerator(None, spec(stable_diffusion, "mix", picture_size=16), CLASSES, "x", None, originals)
    a, b = (np.asarray(originals.read(row), float) for row in originals.drawn(REQUESTS[0], 2))
    np.testing.assert_allclose(np.asarray(generator._start(REQUESTS[0]), float), (a + b) / 2, atol=1)
    np.testing.assert_array_equal(generator._start(REQUESTS[1]), originals.read(3))


def test_what_the_safety_checker_withholds_is_refused():
    picture = Image.new("RGB", (8, 8))

    def pipeline(prompt, generator):
        return SimpleNamespace(images=[picture] * 2, nsfw_content_detected=[False, True])

    class Checked:
        __call__ = staticmethod(pipeline)

    generator = PipelineGenerator(Checked(), spec("x"), ("a", "b"), "x", None)
    assert [made.refused for made in generator.make(REQUESTS[:2])] == ["", WITHHELD]


def test_options_that_a_pipeline_refuses_are_wrong_input(stable_diffusion):
    generator = open_named(spec(stable_diffusion, picture_size=20), CLASSES, CPU).generator
    with pytest.raises(InputError) as refused:
        generator.make(REQUESTS[:1])
    said = str(refused.value)
    assert f"The generator {stable_diffusion} does not take these options. Found: ValueError: `height` and" in said
    assert "have to be divisible by 8 but are 20 and 20" in said
    assert "Next: change --picture-size, --steps or --strength." in said


def test_nothing_is_passed_that_would_take_a_safety_checker_out(stable_diffusion, monkeypatch):
    import diffusers

    real, passed = diffusers.DiffusionPipeline.from_pretrained, []
    monkeypatch.setattr(
        diffusers.DiffusionPipeline,
        "from_pretrained",
        lambda *a, **options: passed.append(options) or real(*a, **options),
    )
    open_pipeline(str(stable_diffusion), None, CPU, from_image=False)
    assert [set(options) for options in passed] == [{"use_safetensors", "torch_dtype"}]


@pytest.fixture
def copy(stable_diffusion, tmp_path):
    return shutil.copytree(stable_diffusion, tmp_path / "copy")


def test_a_licence_that_forbids_something_is_said(copy):
    assert open_named(spec(copy), CLASSES, CPU).warnings == ()
    (copy / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (warning,) = open_named(spec(copy), CLASSES, CPU).warnings
    assert f"The licence of the generator {copy}, cc-by-nc-4.0, does not allow commercial use." in warning


def test_a_set_goes_on_with_the_revision_that_it_began_with():
    line = Line(0, 0, 1, "x.png", "a ring", "", 1.0, "some/model", "abc")
    asked = spec("some/model")
    assert going_on(asked, [line]).revision == "abc"
    assert going_on(asked, []) == asked
    assert going_on(spec("some/model", revision="main"), [line]).revision == "main"


def refusal(folder):
    with pytest.raises(InputError) as refused:
        open_pipeline(str(folder), None, CPU, from_image=False)
    return str(refused.value)


def test_code_in_a_pipeline_is_never_run(copy):
    (copy / "unet" / "my_unet.py").write_text("raise SystemExit('run')")
    assert "brings code of its own, which is never run. Found: unet/my_unet.py." in refusal(copy)


def test_pickled_weights_are_never_loaded(copy):
    file = next((copy / "vae").glob("*.safetensors"))
    file.rename(file.with_suffix(".bin"))
    said = refusal(copy)
    assert "has weights that can hide code (pickle). Found: vae/diffusion_pytorch_model.bin." in said
    assert "Allowed: .safetensors" in said


def test_a_folder_that_is_no_pipeline_is_refused(tmp_path):
    assert "is not a diffusers pipeline. Found: no readable model_index.json" in refusal(tmp_path)


def test_a_pipeline_that_lacks_a_part_is_refused(copy):
    shutil.rmtree(copy / "scheduler")
    assert "cannot be loaded" in refusal(copy)


def test_a_generator_that_is_nowhere_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = refusal("nobody/no-such-diffusion")
    assert "nobody/no-such-diffusion is neither a local folder nor to be had from the hub" in said
    assert "check the spelling, the connection and the hub's access rules; or train your own with --train" in said


def test_without_diffusers_the_message_says_what_to_install(monkeypatch, stable_diffusion):
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(MissingDependency, match=r"pip install 'azeotrope\[synth\]'"):
        open_pipeline(str(stable_diffusion), None, CPU, from_image=False)
