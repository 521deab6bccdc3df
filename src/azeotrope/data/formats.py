"""Whether the formats that a task asks for can be read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module

from azeotrope.errors import InputError
from azeotrope.labels import Format

_READ_BY: Mapping[Format, str] = {"dicom": "pydicom", "heic": "pillow_heif"}


def require_extras(formats: Iterable[Format]) -> None:
    """Raise InputError where a format is asked for whose extra is not installed: which images a set has must not depend
    on what is installed.
    """
    if missing := [each for each in formats if not _there(_READ_BY[each])]:
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
