#!/usr/bin/env python3
"""Uses the ONNX model of this folder on pictures. Needs onnxruntime, numpy and pillow, and nothing else.

    python run.py picture.jpg [more.png ...]
    python run.py --model model.int8.onnx picture.jpg
    python run.py --check            holds the answers on samples/ against those that were verified

`prepared` and `answer` are all that another program needs of it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageOps

Settings: TypeAlias = dict[str, Any]
Outputs: TypeAlias = dict[str, NDArray[np.float32]]

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.01  # between probabilities of this machine and those that were verified; 8-bit kernels round differently


def settings() -> Settings:
    """How pictures are prepared, and what the outputs mean."""
    content: Settings = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))
    return content


def opened(picture: str | Path, value_range: Sequence[float] | None) -> Image.Image:
    """The picture upright, grey or RGB in 8 bits; transparent parts on white."""
    with Image.open(picture) as file:
        image: Image.Image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I") or image.mode == "F":
            return eight_bit(image, value_range)
        if image.has_transparency_data:
            layered = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
        return image.convert("L" if image.mode in ("1", "L") else "RGB")


def eight_bit(image: Image.Image, value_range: Sequence[float] | None) -> Image.Image:
    """More than 8 bits of grey, between the values of black and white that training saw."""
    if value_range is None:
        raise ValueError("the model was trained on pictures of 8 bits: save this one with 8 bits")
    black, white = value_range
    scaled = (np.asarray(image, np.float64) - black) * (255 / (white - black))
    return Image.fromarray(np.round(scaled.clip(0, 255)).astype(np.uint8))


def prepared(picture: str | Path, how: Settings) -> NDArray[np.float32]:
    """The input [1, 3, size, size], pixels of 0 to 255, by the steps of preprocessing.json."""
    image = opened(picture, how["value_range"])
    for step in how["steps"]:
        if step["step"] == "grey":
            image = image.convert("L")
        else:
            kernel = Image.Resampling[step["filter"].upper()]
            image = image.resize((step["size"],) * 2, kernel, reducing_gap=step["reducing_gap"])
    return np.asarray(image.convert("RGB"), np.float32).transpose(2, 0, 1)[None]


def answer(session: onnxruntime.InferenceSession, pixels: NDArray[np.float32]) -> Outputs:
    """The outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: pixels}), strict=True))


def said(outputs: Outputs, how: Settings, top: int, threshold: float) -> str:
    """The answer in words."""
    if how["kind"] == "number":
        return f"{outputs['value'][0, 0]:.5g} {how['unit'] or ''}".strip()
    probabilities = outputs["probabilities"][0]
    order = np.argsort(-probabilities, kind="stable")
    count = top if how["kind"] == "single" else int((probabilities >= threshold).sum())
    named = [f"{how['classes'][place]} {100 * probabilities[place]:.1f} %" for place in order[:count]]
    return ", ".join(named) or "none of the classes"


def check(session: onnxruntime.InferenceSession, how: Settings, model: str) -> None:
    """Whether the samples are prepared and answered as they were when the model was verified."""
    expected = json.loads((HERE / "samples" / "expected.json").read_text(encoding="utf-8"))
    for sample in expected["pictures"]:
        pixels = prepared(HERE / "samples" / sample["picture"], how)
        wanted = np.load(HERE / "samples" / sample["input"]).astype(np.float32)[None]
        if not np.array_equal(pixels, wanted):
            levels = np.abs(pixels - wanted).max()
            raise SystemExit(f"{sample['picture']}: prepared otherwise than when verified, by {levels:.0f} levels")
        outputs = answer(session, pixels)
        name = "value" if how["kind"] == "number" else "probabilities"
        wanted = np.array(sample["outputs"][model][name])
        apart = np.abs(outputs[name][0] - wanted).max()
        if apart > TOLERANCE * max(1.0, np.abs(wanted).max()):
            raise SystemExit(f"{sample['picture']}: {name} differ from the verified ones by {apart:.2g}")
        print(f"{sample['picture']}: as verified, {name} differ by {apart:.2g}")


def main() -> int:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*")
    parser.add_argument("--model", help="an ONNX file of this folder; the first one otherwise")
    parser.add_argument("--top", type=int, default=3, help="how many classes to name")
    parser.add_argument("--threshold", type=float, default=0.5, help="least probability, for several labels an image")
    parser.add_argument("--check", action="store_true", help="hold the answers on samples/ against the verified ones")
    given = parser.parse_args()
    known = sorted((file.name for file in HERE.glob("*.onnx")), key=len)
    if given.model and given.model not in known:
        parser.error(f"there is no {given.model} here, only {', '.join(known)}")
    model = HERE / (given.model or known[0])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    how = settings()
    if given.check:
        check(session, how, model.name)
    failed = False
    for picture in given.pictures:
        try:
            print(f"{picture}: {said(answer(session, prepared(picture, how)), how, given.top, given.threshold)}")
        except (OSError, ValueError) as error:
            failed = True
            print(f"{picture}: cannot be read: {error}", file=sys.stderr)
    if not (given.pictures or given.check):
        parser.error("name a picture, or --check")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
