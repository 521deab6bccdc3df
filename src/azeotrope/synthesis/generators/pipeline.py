"""Diffusers pipelines: text to image with prompts, and redrawing of the user's own images without any.

Every picture has a random generator of its own, so a picture does not depend on its neighbours in a batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from azeotrope.errors import InputError
from azeotrope.models.pretrained.hub import reason
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.spec import GeneratorSpec, Request

WITHHELD = "withheld by the generator's safety checker"
_FALLBACK_SIZE = 512  # pixels, where a pipeline does not say what it was trained at


@dataclass(frozen=True)
class Originals:
    """The run's own training images: their rows by class, their names, and how to read one as a picture."""

    rows: Sequence[NDArray[np.int64]]
    keys: Sequence[str]
    read: Callable[[int], Image.Image]

    def drawn(self, request: Request, count: int) -> list[int]:
        """`count` different rows of the request's class (fewer where it has fewer), decided by the request's seed."""
        rows = self.rows[request.label]
        chosen = np.random.default_rng(request.seed).choice(rows, size=min(count, len(rows)), replace=False)
        return [int(row) for row in chosen]


@dataclass(frozen=True)
class PipelineGenerator:
    """A loaded pipeline. `words` are the classes in prompts; `originals` are needed to `vary` and to `mix`."""

    pipeline: Any
    spec: GeneratorSpec
    words: tuple[str, ...]
    identity: str
    revision: str | None
    originals: Originals | None = None

    def prompt(self, request: Request) -> str:
        """Template number `index` in turn, with the class's words; for redrawn pictures what was redrawn."""
        if self.originals is not None:
            return f"{self.spec.kind} {' + '.join(self.originals.keys[row] for row in self._sources(request))}"
        template = self.spec.templates[request.index % len(self.spec.templates)]
        return template.replace("{class}", self.words[request.label])

    @torch.inference_mode()
    def make(self, requests: Sequence[Request]) -> list[Made]:
        """Pictures as the pipeline's safety checker leaves them; those that it withheld say so.

        Raises InputError for options that this pipeline refuses, such as a size that its autoencoder cannot halve.
        """
        arguments = self._arguments(requests)
        try:
            said = self.pipeline(**arguments)
        except ValueError as error:
            raise InputError(
                f"The generator {self.identity} does not take these options",
                found=reason(error),
                next_step="change --picture-size, --steps or --strength",
            ) from error
        withheld = getattr(said, "nsfw_content_detected", None) or [False] * len(requests)
        pictures = [np.asarray(image.convert("RGB")) for image in said.images]
        return [Made(pixels, WITHHELD if flag else "") for pixels, flag in zip(pictures, withheld, strict=True)]

    def _arguments(self, requests: Sequence[Request]) -> dict[str, Any]:
        """What this pipeline takes of: prompts, images, size, steps, guidance, strength."""
        size = self.spec.picture_size
        arguments: dict[str, Any] = {
            "prompt": [self.prompt(request) if self.originals is None else "" for request in requests],
            "generator": [torch.Generator().manual_seed(request.seed) for request in requests],
            "num_inference_steps": self.spec.steps,
            "guidance_scale": self.spec.guidance,
            "height": size,
            "width": size,
        }
        if self.originals is not None:
            redrawn = [self._start(request) for request in requests]
            arguments |= {"image": redrawn, "strength": self.spec.strength, "height": None, "width": None}
        taken = inspect.signature(self.pipeline.__call__).parameters
        return {key: value for key, value in arguments.items() if key in taken and value is not None}

    def _sources(self, request: Request) -> list[int]:
        assert self.originals is not None
        return self.originals.drawn(request, 2 if self.spec.kind == "mix" else 1)

    def _start(self, request: Request) -> Image.Image:
        """The image that is redrawn: one of the class, or two of it laid over each other in equal parts."""
        assert self.originals is not None
        size = self.spec.picture_size or _own_size(self.pipeline)
        images = [self.originals.read(row).convert("RGB").resize((size, size)) for row in self._sources(request)]
        return Image.blend(images[0], images[-1], 0.5)


def _own_size(pipeline: Any) -> int:
    """Pixels at which a pipeline was trained: its latent side times the autoencoder's factor."""
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    latent = getattr(getattr(denoiser, "config", None), "sample_size", None)
    factor = getattr(pipeline, "vae_scale_factor", None)
    return int(latent * factor) if isinstance(latent, int) and factor else _FALLBACK_SIZE
