"""What is said of a pickle that was refused: what it holds, and never torch's advice to switch the safety off.

Torch's message explains how to load the file all the same (`weights_only=False`, `add_safe_globals`); somebody who
follows it runs the file's code.
"""

from __future__ import annotations

import re

_ADVICE = re.compile(r"weights[_ ]only|safe_globals", re.IGNORECASE)
_NAMED = re.compile(r"GLOBAL ([\w.]+)")


def refused(error: Exception) -> str | None:
    """What the file holds beside tensors, when this is torch's refusal of a pickle; None for another error."""
    text = str(error)
    if not _ADVICE.search(text):
        return None
    if "TorchScript" in text:
        return "a TorchScript program"
    named = _NAMED.search(text)
    return f"it calls for {named[1]}" if named else "it holds more than tensors"
