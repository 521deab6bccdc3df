"""Records as JSON values: tuples become lists, infinity becomes null, for JSON has neither."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import JsonValue


def plain(value: object) -> JsonValue:
    """The value, ready for `json.dumps`; what is no JSON (a table, an array) is left out as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) else None
