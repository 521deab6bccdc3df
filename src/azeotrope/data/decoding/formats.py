"""Whether the formats that a task asks for can be read here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from azeotrope.errors import InputError
from azeotrope.labels import Format, PixelSpec

_READ_BY: Mapping[Format, str] = {"dicom": "pydicom", "heic": "pillow_heif"}
_BANDS_BY = "tifffile"


def require_extras(pixels: PixelSpec) -> None:
    """Raise InputError where a format or bands are asked for whose extra is not installed: which images a set has must
    not depend on what is installed.
    """
    if pixels.bands is not None and not _there(_BANDS_BY):
        raise InputError(
            "Bands of TIFF files are read by an extra",
            found=f"{_BANDS_BY} not installed",
            next_step="pip install 'azeotrope[bands]', or leave out --bands",
        )
    if missing := [each for each in pixels.formats if not _there(_READ_BY[each])]:
        raise InputError(
            "A format that is asked for is read by an extra",
            found=f"{' and '.join(_READ_BY[each] for each in missing)} not installed",
            next_step=f"pip install 'azeotrope[{','.join(missing)}]', or leave out --formats {','.join(missing)}",
        )


def _there(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True
