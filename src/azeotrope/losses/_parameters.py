"""The parameters of a loss: what its constructor takes after `setup`, checked by the constructor's own annotations.

A loss states name, type, range and default of a parameter in its signature and nowhere else.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, create_model

from azeotrope.errors import InputError
from azeotrope.spec import Spec, range_in_words, validated
from azeotrope.terms import Term, Value

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Hidden = Count | Literal["features"]  # width of a projector's hidden layer; `features`: that of what is projected


def parameters(loss: type[Any]) -> dict[str, Value | None]:
    """Name and default of each parameter of a loss class."""
    return {each.name: each.default for each in _signature(loss)}


def checked(loss: type[Any], term: Term) -> Mapping[str, Any]:
    """The parameters that were given, as the constructor wants them. Raises InputError, all problems told together."""
    hints, listed = get_type_hints(loss.__init__, include_extras=True), parameters(loss)
    if term.parameters and not listed:
        raise InputError(f"The loss {term.name} takes no parameters", found=term.key, next_step=f"write {term.name}")
    fields: dict[str, Any] = {name: (hints[name], default) for name, default in listed.items()}
    model = create_model("Parameters", __base__=Spec, **fields)
    allowed = "; ".join(_said(name, hints[name], default) for name, default in listed.items())
    given = validated(model, dict(term.parameters), what=f"loss {term.key}", allowed=allowed)
    return {name: getattr(given, name) for name in term.parameters}


def _said(name: str, hint: Any, default: Value | None) -> str:
    """Like `T: a number, above 0 (4.0 where none is given)`."""
    said = f"{name}: {range_in_words(hint)}".removesuffix(": ")
    return said if default is None else f"{said} ({default} where none is given)"


def _signature(loss: type[Any]) -> list[inspect.Parameter]:
    every = list(inspect.signature(loss.__init__).parameters.values())
    return every[2:]  # after self and setup
