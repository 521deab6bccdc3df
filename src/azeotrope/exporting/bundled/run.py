#!/usr/bin/env python3
"""Uses the ONNX model of this folder on pictures. Needs onnxruntime, numpy and pillow, and nothing else.

    python run.py picture.jpg [more.png ...]
    python run.py --model model.int8.onnx picture.jpg
    python run.py --check            holds the answers on samples/ against those that were verified

`prepared` and `answer` are all that another program needs of it.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

Settings: TypeAlias = dict[str, Any]
Outputs: TypeAlias = dict[str, NDArray[np.float32]]
Pixels: TypeAlias = NDArray[Any]

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.01  # between probabilities of this machine and those that were verified; 8-bit kernels round differently
_TIFF, _TIFF_BITS, _PNG_BITS_AT = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), 258, 24
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ELSEWHERE: dict[str, Callable[[bytes], bool]] = {
    "dicom": lambda head: head[128:132] == b"DICM",
    "heic": lambda head: head[4:8] == b"ftyp" and head[8:12] in _HEIC and b"avif" not in head[16:64],
}
_TIFF_LAYOUTS = {  # as `layout_of`: values that Pillow gives as they are
    *(("1", 1, 1), ("L", 1, 1), ("RGB", 2, 1), ("I;16", 1, 1), ("I;16B", 1, 1), ("I", 1, 2), ("F", 1, 3)),
}


def settings() -> Settings:
    """How pictures are prepared, and what the outputs mean."""
    content: Settings = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))
    return content


def opened(picture: str | Path, how: Settings) -> Pixels:
    """The picture upright, [H, W, channels]: 8 bits on white, or the bands or 16 bits that the model takes."""
    asked = how.get("files", {})
    with Path(picture).open("rb") as file:
        head = file.read(132)
    for name in asked.get("formats", ()):
        if _ELSEWHERE[name](head):
            raise ValueError(elsewhere(f"a {name.upper()} file"))
    if asked.get("bands") or asked.get("bits") == 16:
        return levels(values_of(picture, head), how)
    with Image.open(picture) as file:
        if file.mode.startswith("I") or file.mode == "F":
            return in_range(deep(file), how["value_range"], 255).astype(np.uint8)
        cut = is_cut(file, head)
        return flat(in_srgb(file) if asked.get("colours") == "srgb" and not cut else file)


def is_cut(file: Image.Image, head: bytes) -> bool:
    """Whether Pillow gives the high bytes of 16-bit colour. Training saw them of a bright TIFF; others are refused."""
    if file.format == "PNG" and head[_PNG_BITS_AT] == 16:
        raise ValueError(elsewhere("a PNG of 16-bit colour, of which Pillow gives 8 bits,"))
    cut = file.format == "TIFF" and bool(max(file.tag_v2.get(_TIFF_BITS, (8,))) > 8)  # type: ignore[attr-defined]
    if cut and np.asarray(file.convert("RGB")).max() < 16:  # nearly black
        raise ValueError("16-bit colour of which the upper 4 bits are not used: save it with 8 bits, or as PNG")
    return cut


def in_srgb(file: Image.Image) -> Image.Image:
    """The picture upright, in sRGB by the profile in it; as it is without one, or with one that cannot be used."""
    profile, file = file.info.get("icc_profile"), ImageOps.exif_transpose(file)
    if not profile:
        return file
    if not features.check("littlecms2"):
        raise ValueError(elsewhere("a colour profile, for which this Pillow lacks Little CMS,"))
    by, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    plain = file if file.mode in ("L", "RGB", "CMYK") else file.convert("RGBA" if file.has_transparency_data else "RGB")
    colours = plain.convert("RGB") if plain.mode == "RGBA" else plain
    try:
        own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        if "srgb" in ImageCms.getProfileDescription(own).lower():
            return file
        shown = ImageCms.buildTransform(own, srgb, colours.mode, "RGB", by, flags).apply(colours)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return file
    if plain.mode == "RGBA":
        shown.putalpha(plain.getchannel("A"))
    return shown.convert("L") if file.mode == "L" else shown


def flat(file: Image.Image) -> Pixels:
    """Grey [H, W, 1] or RGB [H, W, 3] in 8 bits, upright; transparent parts on white."""
    image: Image.Image = ImageOps.exif_transpose(file)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels.reshape(*pixels.shape[:2], -1)


def deep(file: Image.Image) -> Pixels:
    """All bits of grey, [H, W, 1], upright."""
    return np.asarray(ImageOps.exif_transpose(file))[..., None]


def values_of(picture: str | Path, head: bytes) -> Pixels:
    """What a file holds, [H, W, bands], as far as NumPy and Pillow read it."""
    if head.startswith(b"\x93NUMPY"):
        return bands_last(np.load(picture, allow_pickle=False))
    try:
        opened_file = Image.open(picture)
    except UnidentifiedImageError:
        raise ValueError(elsewhere("a file that Pillow does not read")) from None
    with opened_file as file:
        if head.startswith(_TIFF):
            if getattr(file, "n_frames", 1) > 1 or layout_of(file) not in _TIFF_LAYOUTS:
                raise ValueError(elsewhere("a TIFF of several pages, or of other values than grey or RGB"))
            return deep(file) if file.mode != "RGB" else np.asarray(ImageOps.exif_transpose(file))
        if file.mode.startswith("I") or file.mode == "F":
            return deep(file)
        is_cut(file, head)
        return flat(file)


def layout_of(file: Any) -> tuple[str, int, int]:
    """Pillow's mode of a TIFF, how its colours are meant, and the format of its values."""
    return file.mode, file.tag_v2.get(262, 1), file.tag_v2.get(339, (1,))[0]


def bands_last(array: Pixels) -> Pixels:
    """[H, W], [H, W, bands] or [bands, H, W] as [H, W, bands]."""
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 3 and 4 * array.shape[2] <= min(array.shape[:2]):
        return array
    if array.ndim == 3 and 4 * array.shape[0] <= min(array.shape[1:]):
        return array.transpose(1, 2, 0)
    raise ValueError(f"an array of shape {list(array.shape)}: bands may come first or last")


def levels(values: Pixels, how: Settings) -> Pixels:
    """The bands that the model takes, as levels of 8 or 16 bits; values of 8 bits are levels already."""
    bands, most = how["files"].get("bands"), 65_535 if how["files"].get("bits") == 16 else 255
    if isinstance(bands, list):
        if max(bands) > values.shape[2]:
            raise ValueError(f"there is no band {max(bands)}: it has {values.shape[2]}")
        values = values[..., [band - 1 for band in bands]]
    if not bands and values.shape[2] not in (1, 3):
        raise ValueError(f"{values.shape[2]} bands, and the model was trained on grey or colour")
    if how.get("bands", values.shape[2]) != values.shape[2]:
        raise ValueError(f"the model was trained on {how['bands']} bands, and the file has {values.shape[2]}")
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if values.dtype == np.uint8:
        return values.astype(np.uint16) * 257 if most > 255 else values
    return in_range(values, how["value_range"], most).astype(np.uint16 if most > 255 else np.uint8)


def in_range(values: Pixels, value_range: Sequence[float] | None, most: int) -> Pixels:
    """More than 8 bits, between the values of black and white that training saw."""
    if value_range is None:
        raise ValueError("the model was trained on pictures of 8 bits: save this one with 8 bits")
    if not np.isfinite(values).all():
        raise ValueError("pixels that are no finite numbers")
    black, white = value_range
    made: Pixels = np.round(((values.astype(np.float64) - black) * (most / (white - black))).clip(0, most))
    return made


def elsewhere(what: str) -> str:
    """What to do with a file that needs more than NumPy and Pillow."""
    return f"{what} is not read here: `azeotrope predict model.onnx FILE` reads it"


def prepared(picture: str | Path, how: Settings) -> NDArray[np.float32]:
    """The input [1, channels, size, size], levels of 0 to 255 (65,535), by the steps of preprocessing.json."""
    pixels = opened(picture, how)
    for step in how["steps"]:
        if step["step"] == "square":
            pixels = squared(pixels, step["fit"])
        elif step["step"] == "grey":
            pixels = grey(pixels)
        else:
            pixels = resized(pixels, step)
    shape = (*pixels.shape[:2], how.get("channels", 3))
    return np.broadcast_to(pixels, shape).astype(np.float32).transpose(2, 0, 1)[None]


def squared(pixels: Pixels, fit: str) -> Pixels:
    """The square in the middle, or the picture in the middle of a black square."""
    height, width, channels = pixels.shape
    top, left = abs(height - width) // 2 * (height > width), abs(height - width) // 2 * (width > height)
    if fit == "crop":
        side = min(height, width)
        return pixels[top : top + side, left : left + side]
    made = np.zeros((max(height, width),) * 2 + (channels,), pixels.dtype)
    made[left : left + height, top : top + width] = pixels
    return made


def grey(pixels: Pixels) -> Pixels:
    """Luma (ITU-R BT.601) of a colour picture."""
    if pixels.shape[2] == 1:
        return pixels
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    luma: Pixels = pixels.astype(np.float64) @ np.array((0.299, 0.587, 0.114))
    return np.rint(luma).astype(pixels.dtype)[..., None]


def resized(pixels: Pixels, step: Settings) -> Pixels:
    """Squeezed to a square by Pillow: grey and RGB of 8 bits whole, else band by band, 16 bits in single precision."""

    def one(plane: Pixels) -> Pixels:
        kernel = Image.Resampling[step["filter"].upper()]
        return np.asarray(Image.fromarray(plane).resize((step["size"],) * 2, kernel, reducing_gap=step["reducing_gap"]))

    if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3):
        return one(pixels[..., 0] if pixels.shape[2] == 1 else pixels).reshape(step["size"], step["size"], -1)
    planes = [np.ascontiguousarray(pixels[..., band]) for band in range(pixels.shape[2])]
    if pixels.dtype == np.uint8:
        return np.stack([one(plane) for plane in planes], axis=-1)
    made: Pixels = np.stack([one(plane.astype(np.float32)) for plane in planes], axis=-1)
    return np.rint(made).clip(0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


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
    names = [" ".join("".join(c if c.isprintable() else " " for c in name).split()) for name in how["classes"]]
    named = [f"{names[place]} {100 * probabilities[place]:.1f} %" for place in order[:count]]
    return ", ".join(named) or "none of the classes"


def check(session: onnxruntime.InferenceSession, how: Settings, model: str) -> None:
    """Whether the samples are prepared and answered as they were when the model was verified."""
    expected = json.loads((HERE / "samples" / "expected.json").read_text(encoding="utf-8"))
    for sample in expected["pictures"]:
        wanted = np.load(HERE / "samples" / sample["input"]).astype(np.float32)[None]
        shown = sample["picture"] or sample["input"]
        pixels = prepared(HERE / "samples" / shown, how) if sample["picture"] else wanted
        if not np.array_equal(pixels, wanted):
            apart = np.abs(pixels - wanted).max()
            raise SystemExit(f"{shown}: prepared otherwise than when verified, by {apart:.0f} levels")
        outputs = answer(session, pixels)
        name = "value" if how["kind"] == "number" else "probabilities"
        wanted = np.array(sample["outputs"][model][name])
        apart = np.abs(outputs[name][0] - wanted).max()
        if apart > TOLERANCE * max(1.0, np.abs(wanted).max()):
            raise SystemExit(f"{shown}: {name} differ from the verified ones by {apart:.2g}")
        print(f"{shown}: as verified, {name} differ by {apart:.2g}")


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
