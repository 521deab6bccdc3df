"""A sum of losses as it is written: `kl(T=1)+align_uniform(alpha=2,hidden=1280)=0.5`.

Everywhere in the program a sum is a mapping from a loss, written with its parameters (`kl(T=1)`), to its weight. What
is written in two ways that mean the same has one key. Nothing here knows which losses and parameters there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from azeotrope.errors import InputError

Value = int | float | str  # of a parameter
Weight = float | tuple[float, float]  # of a loss: constant, or (first, last) and linear over the training in between

CROSS_ENTROPY = "cross_entropy"  # with the labels: the loss that every arm has
FORM = "loss, loss(parameter=value,...), either with =WEIGHT or =FIRST..LAST, joined by '+'"

_TERM = re.compile(r"(?P<name>[\w-]+)\s*(?:\((?P<parameters>[^()]*)\))?\s*(?:=(?P<weight>.*))?")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Term:
    """One loss with the parameters that were given; the others keep their defaults."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def parse(cls, key: str) -> Term:
        """Read `kl` or `kl(T=1)`. Raises InputError with the form."""
        term, weight = _parse(key)
        if weight is not None:
            raise _malformed(key, "a weight is not part of a loss")
        return term

    @property
    def key(self) -> str:
        """As `parse` reads it: parameters in order of their names, numbers in their shortest form."""
        given = ",".join(f"{name}={_value_text(value)}" for name, value in sorted(self.parameters.items()))
        return f"{self.name}({given})" if given else self.name


def parse_losses(text: str) -> dict[str, Weight]:
    """Read `kl(T=1)+align_uniform=0.5+rkd=1..0`: losses with weights, 1 where none is given. Raises InputError."""
    losses: dict[str, Weight] = {}
    for part in split(text, "+"):
        term, weight = _parse(part.strip())
        if term.name in map(name_of, losses):
            raise _malformed(text, f"each loss may be named once, and {term.name} is twice")
        losses[term.key] = 1.0 if weight is None else weight
    return losses


def losses_text(losses: Mapping[str, Weight]) -> str:
    """Losses with their weights as `parse_losses` reads them; a weight of 1 is left out."""
    return "+".join(key if weight == 1 else f"{key}={weight_text(weight)}" for key, weight in losses.items())


def weight_text(weight: Weight) -> str:
    """`2`, or `1..0` for a weight that changes."""
    return f"{weight[0]:g}..{weight[1]:g}" if isinstance(weight, tuple) else f"{weight:g}"


def name_of(key: str) -> str:
    """The loss of a key, without its parameters."""
    return key.partition("(")[0]


def is_weight(key: str, weight: Weight) -> bool:
    """Whether a loss may have this weight: finite, and somewhere above 0; cross-entropy may be switched off."""
    ends = weight if isinstance(weight, tuple) else (weight,)
    return all(0 <= end < math.inf for end in ends) and (max(ends) > 0 or name_of(key) == CROSS_ENTROPY)


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand outside parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _parse(text: str) -> tuple[Term, Weight | None]:
    found = _TERM.fullmatch(text)
    if found is None:
        raise _malformed(text)
    parameters: dict[str, Value] = {}
    for pair in found["parameters"].split(",") if found["parameters"] else ():
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not _WORD.fullmatch(name):
            raise _malformed(text, f"{pair.strip() or 'nothing'} is not parameter=value")
        if name in parameters:
            raise _malformed(text, f"each parameter may be given once, and {name} is twice")
        parameters[name] = _parse_value(text, value)
    return Term(found["name"].replace("-", "_"), parameters), _parse_weight(text, found["weight"])


def _parse_weight(text: str, weight: str | None) -> Weight | None:
    if not weight:
        return None
    first, dots, last = weight.partition("..")
    try:
        return (float(first), float(last)) if dots else float(first)
    except ValueError:
        raise InputError("A loss weight must be a number", found=text, allowed=FORM) from None


def _parse_value(text: str, value: str) -> Value:
    for read in (int, float):
        try:
            return read(value)
        except ValueError:
            continue
    if not _WORD.fullmatch(value):
        raise _malformed(text, f"{value or 'nothing'} is neither a number nor a word")
    return value


def _value_text(value: Value) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _malformed(text: str, why: str = "") -> InputError:
    return InputError(
        "This is not how losses are written", found=f"{text}: {why}" if why else text or "nothing", allowed=FORM
    )
