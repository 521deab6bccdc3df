"""From the colours that a file's ICC profile describes to sRGB, which is what most pictures and all models here mean.

Little CMS converts, by relative colorimetry with black point compensation. A profile that cannot be used leaves the
picture as it is, with a note.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

CONVERTED, DAMAGED = "icc_converted", "icc_damaged"
_MODES = ("L", "RGB", "CMYK")


def in_srgb(image: Image.Image) -> tuple[Image.Image, str]:
    """The picture in sRGB, and a note on what was done; itself where it has no profile, or one of sRGB."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image, ""
    try:
        if _is_srgb(profile):
            return image, ""
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB") if image.mode not in _MODES else image
        alpha = plain.getchannel("A") if plain.mode == "RGBA" else None
        colours = plain.convert("RGB") if alpha is not None else plain
        shown = _transform(profile, colours.mode).apply(colours)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image, DAMAGED
    if image.mode == "L":
        shown = shown.convert("L")
    if alpha is not None:
        shown.putalpha(alpha)
    return shown, CONVERTED


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


@lru_cache(64)
def _is_srgb(profile: bytes) -> bool:
    return "srgb" in ImageCms.getProfileDescription(_opened(profile)).lower()


@lru_cache(64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        _opened(profile),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE,  # several threads share it
    )
