"""Python's search for cycles, stopped while objects are made by the hundred thousand of which none is in a cycle.

Each new object counts towards the next search, and each search looks at all that torch has imported: of listing 60,000
files again it took a third of the time. Nothing may run inside that makes cycles and drops them, such as decoding.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles until the end of the block, or of the function that this decorates."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
