"""Which licence weights come under, as their folder or repository says, and whether it speaks against using them.

It reads what authors declare (the front matter of a model card, a `license` key) and knows the common names; it gives
no legal advice, and a licence that it does not know is only shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

CARD = "README.md"
_CARD_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)
_NOT_FREE = {
    r"(^|[-_ .])nc([-_ .]|$)|non[-_ ]?commercial": "does not allow commercial use",
    r"research|academic|amlr": "allows research only",
}


def of_card(text: str) -> str | None:
    """The licence in a model card's front matter: `license_name` (what `license: other` stands for), else `license`."""
    front = _CARD_FRONT.match(text)
    try:
        content = yaml.safe_load(front.group(1)) if front else None
    except yaml.YAMLError:
        return None
    return of_config(content) if isinstance(content, Mapping) else None


def of_config(content: Mapping[str, object]) -> str | None:
    """The licence that a mapping of a card, a config.json or a sidecar names."""
    named = content.get("license_name") or content.get("license") or content.get("licence")
    if isinstance(named, list):
        named = ", ".join(map(str, named))
    return str(named).strip() or None if named else None


def beside(path: Path) -> str | None:
    """The licence on the card in the folder of a weights file, or in the folder itself; None when there is no card."""
    card = (path if path.is_dir() else path.parent) / CARD
    try:
        return of_card(card.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def objection(licence: str | None) -> str | None:
    """What the licence forbids, as the end of a sentence; None when its name promises nothing of the kind."""
    for pattern, said in _NOT_FREE.items():
        if licence and re.search(pattern, licence.lower()):
            return said
    return None
