"""A task of small colour shapes, a teacher that knows them, and a pipeline shaped like Stable Diffusion, all tiny."""

import json

import numpy as np
import pytest
from PIL import Image

from azeotrope.spec import validated
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.opening import Ready
from azeotrope.synthesis.spec import GeneratorSpec, SetsSpec, Training

CLASSES = ("polka-dotted", "ring", "stripes")  # in the order of the labels
SIDE = 16
SETS = ("per_class", "multiple", "train_images", "seeds")


def shape(label, seed, side=SIDE):
    """One picture of a class, its colours and place drawn from the seed."""
    rng = np.random.default_rng(1000 * label + seed)
    ground, ink = rng.integers(0, 90, 3), rng.integers(160, 256, 3)
    down, across = np.indices((side, side))
    middle = rng.uniform(0.4, 0.6, 2) * side
    distance = np.hypot(down - middle[0], across - middle[1])
    ring = abs(distance - side * 0.3) < side * 0.09
    dots = ((down + rng.integers(5)) % 5 < 2) & ((across + rng.integers(5)) % 5 < 2)
    mask = (dots, ring, ((down + rng.integers(6)) // 3) % 2 == 0)[label]
    pixels = np.where(mask[..., None], ink, ground) + rng.normal(0, 8, (side, side, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def shapes_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("task") / "shapes"
    for label, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for number in range(40):
            Image.fromarray(shape(label, number)).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def shapes(shapes_folder):
    from azeotrope.data.task import load_task

    return load_task(str(shapes_folder))


@pytest.fixture(scope="session")
def teacher(teacher_model):
    from azeotrope.plan import TeacherSpec

    return TeacherSpec(model=teacher_model, image_size=32)


OWN = GeneratorSpec(kind="own", steps=2, training=Training(steps=4, batch_images=8, channels=(8, 16, 16)))


class Artist:
    """Draws the task's own shapes, at seeds that no image of the task has, and one class badly."""

    identity, revision = "artist", "r1"

    def prompt(self, request):
        return f"draw {CLASSES[request.label]}"

    def make(self, requests):
        return [
            Made(shape(request.label if request.index % 4 else 0, 500 + request.seed % 400)) for request in requests
        ]


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def synth(shapes_folder, teacher, cache, monkeypatch):
    """`azeotrope.synth` on the shapes; `by` draws in the place of a trained generator."""

    import azeotrope

    def run(out, by=None, **changes):
        if by is not None:
            monkeypatch.setattr("azeotrope.api.synth.train_own", lambda *_: Ready(by, seconds=7.0))
        asked = {
            "teacher": teacher,
            "generator": OWN,
            "out": out,
            "precision": "fp32",
            "cache": cache,
        }
        sets = {"per_class": 8, "train_images": 40} | {key: changes.pop(key) for key in SETS if key in changes}
        sets = validated(SetsSpec, sets, what="number of pictures")
        return azeotrope.synth(str(shapes_folder), **{**asked, **changes}, sets=sets)

    return run


@pytest.fixture(scope="module")
def made(shapes_folder, tmp_path_factory, teacher_model):
    """Finished sets for two seeds."""
    import azeotrope
    from azeotrope.plan import TeacherSpec

    out = tmp_path_factory.mktemp("sets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azeotrope.api.synth.train_own", lambda *_: Ready(Artist(), seconds=7.0))
        azeotrope.synth(
            str(shapes_folder),
            teacher=TeacherSpec(model=teacher_model, image_size=32),
            generator=OWN,
            out=out,
            sets=SetsSpec(multiple=1.5, train_images=40, seeds=(0, 1)),
            precision="fp32",
        )
    return out


VOCABULARY = [
    "l",
    "o",
    "w",
    "e",
    "r",
    "s",
    "t",
    "i",
    "d",
    "n",
    "lo",
    "l</w>",
    "w</w>",
    "r</w>",
    "t</w>",
    "low</w>",
    "er</w>",
]


@pytest.fixture(scope="session")
def stable_diffusion(tmp_path_factory):
    """A StableDiffusionPipeline built from configs, with random weights, saved in the hub's format (0.5 MB)."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    words = tmp_path_factory.mktemp("words")
    names = [*VOCABULARY, "<unk>", "<|startoftext|>", "<|endoftext|>"]
    (words / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    (words / "merges.txt").write_text("#version: 0.2\nl o\nlo w</w>\ne r</w>\n")
    tokenizer = CLIPTokenizer(str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=77)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=2,
        )
        vae = AutoencoderKL(
            block_out_channels=(8, 8),
            norm_num_groups=4,
            down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
            up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        )
        config = CLIPTextConfig(
            hidden_size=16,
            intermediate_size=16,
            num_attention_heads=2,
            num_hidden_layers=1,
            vocab_size=len(names),
            bos_token_id=len(names) - 2,
            eos_token_id=len(names) - 1,
            pad_token_id=len(names) - 1,
        )
        text = CLIPTextModel(config)
    scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=False, beta_schedule="scaled_linear")
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    folder = tmp_path_factory.mktemp("hub") / "tiny-diffusion"
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder
