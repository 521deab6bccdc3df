"""One way to train the student, and how it is written: strategy, further pictures, init, losses.

Which losses and parameters there are is checked where a plan is made (`sweeping.plans.plan`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from azeotrope.errors import InputError
from azeotrope.spec import Spec, validated
from azeotrope.terms import CROSS_ENTROPY, Term, Weight, is_weight, losses_text, name_of, parse_losses, split

ARM_FORM = (
    "strategy[+pictures][@init][:loss(parameter=value)+loss=WEIGHT], such as scratch, finetune@upstream or "
    "distill@hub:kl(T=1)+align_uniform=0.5; pictures are unlabelled or synth, or synth=2x for so many times the "
    "images; WEIGHT may be FIRST..LAST, and lists of losses to choose from are joined by '/'"
)

Strategy = Literal["scratch", "linear_probe", "finetune", "distill"]
Init = Literal["random", "hub", "upstream"]
Pictures = Literal["unlabelled", "synth"]

DISTILL_LOSSES = {"kl": 1.0, "align_uniform": 1.0}  # with cross_entropy 1: the combination of Farhat & Chen 2024


class Arm(Spec):
    """One way to train the student: strategy, init, and for `distill` the losses beside cross-entropy with their
    weights. Losses are keyed as in `terms`.

    Written `strategy[@init][:loss+loss]`, a loss's parameters as `kl(T=1)`, a weight as `loss=2` or, when it goes
    linearly from one value to another over the training, `loss=1..0`: `scratch`, `finetune@upstream`, `distill:kl`,
    `distill@hub:kl(T=1)+align_uniform=0.5`. Cross-entropy has weight 1 where it is not named; any arm may say otherwise
    of it (`scratch:cross_entropy(label_smoothing=0)`), and `distill` may switch it off (`distill:kl+cross_entropy=0`).
    With `candidates` (`distill:kl/info_nce+kl=2`) the losses are chosen among several lists, on validation.
    `pictures` beside the labelled ones teach too (`distill+unlabelled`, `distill+synth=2x@hub:kl`): `multiple` times
    the training images, or all that there are. Strategies without a teacher (`scratch+synth=1x`, `finetune+synth`) take
    made ones, as labelled images of their intended class.
    """

    strategy: Strategy
    init: Init
    losses: dict[str, Weight] = Field(default_factory=dict)
    candidates: tuple[dict[str, Weight], ...] = ()
    pictures: Pictures | None = None
    multiple: float | None = Field(default=None, gt=0, lt=math.inf)

    @property
    def options(self) -> tuple[dict[str, Weight], ...]:
        """The lists of losses that it may train with: the candidates, or the one list."""
        return self.candidates or (self.losses,)

    def settled(self, losses: Mapping[str, Weight]) -> Self:
        """The arm with these of its candidates chosen."""
        return self.model_copy(update={"losses": dict(losses), "candidates": ()})

    @field_validator("losses")
    @classmethod
    def _canonical(cls, losses: dict[str, Weight]) -> dict[str, Weight]:
        return _keyed(losses)

    @field_validator("candidates")
    @classmethod
    def _each_canonical(cls, candidates: tuple[dict[str, Weight], ...]) -> tuple[dict[str, Weight], ...]:
        return tuple(_keyed(losses) for losses in candidates)

    @model_validator(mode="after")
    def _init_fits_strategy(self) -> Self:
        if self.strategy == "scratch" and self.init != "random":
            raise ValueError("scratch starts from random weights; to train pretrained weights take finetune")
        if self.strategy in ("finetune", "linear_probe") and self.init == "random":
            raise ValueError(f"{self.strategy} needs pretrained weights: init hub or upstream")
        return self

    @model_validator(mode="after")
    def _pictures_fit_strategy(self) -> Self:
        if self.pictures == "unlabelled" and self.strategy != "distill":
            raise ValueError(f"{self.strategy} trains on labels only; unlabelled pictures go with distill")
        if self.multiple is not None and not self.pictures:
            raise ValueError("a multiple is of further pictures: unlabelled or synth")
        return self

    @model_validator(mode="after")
    def _losses_fit_strategy(self) -> Self:
        if self.strategy != "distill" and (self.candidates or set(map(name_of, self.losses)) - {CROSS_ENTROPY}):
            raise ValueError(f"{self.strategy} trains on labels only; losses go with distill")
        if self.strategy != "distill" and 0.0 in self.losses.values():
            raise ValueError(f"{self.strategy} has no other loss than cross-entropy, whose weight must not be 0")
        if self.strategy == "distill" and not all(self.options):
            raise ValueError("distill needs a loss that compares with the teacher")
        if self.candidates and (self.losses or len({losses_text(option) for option in self.candidates}) < 2):
            raise ValueError("a choice of losses needs at least two different lists")
        if len({losses_text(option) for option in self.candidates}) != len(self.candidates):
            raise ValueError("each list of losses may be a candidate once")
        if not all(is_weight(key, weight) for option in self.options for key, weight in option.items()):
            raise ValueError("a loss weight must be positive and finite, or FIRST..LAST of which one may be 0")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an arm as it is written on the command line. Raises InputError with the form."""
        head, _, losses = text.strip().partition(":")
        strategy, _, init = head.partition("@")
        strategy, plus, pictures = strategy.partition("+")
        content: dict[str, Any] = {"strategy": strategy.replace("-", "_")}
        if plus:
            kind, equals, multiple = pictures.partition("=")
            content |= {"pictures": kind, "multiple": multiple.removesuffix("x") if equals else None}
        content["init"] = init or ("random" if content["strategy"] in ("scratch", "distill") else "hub")
        if losses:
            options = [parse_losses(option) for option in split(losses, "/")]
            content |= {"candidates": options} if len(options) > 1 else {"losses": options[0]}
        elif content["strategy"] == "distill":
            content["losses"] = dict(DISTILL_LOSSES)
        return validated(cls, content, what=f"arm {text!r}", allowed=ARM_FORM)

    @property
    def name(self) -> str:
        """The arm as `parse` reads it; defaults left out."""
        init = "" if self.init == ("random" if self.strategy in ("scratch", "distill") else "hub") else f"@{self.init}"
        multiple = "" if self.multiple is None else f"={self.multiple:g}x"
        start = f"{self.strategy}+{self.pictures}{multiple}" if self.pictures else self.strategy
        if self.losses == DISTILL_LOSSES or not any(self.options):
            return f"{start}{init}"
        return f"{start}{init}:{'/'.join(losses_text(option) for option in self.options)}"


def _keyed(losses: Mapping[str, Weight]) -> dict[str, Weight]:
    """The same losses under their canonical keys."""
    try:
        return {Term.parse(key).key: weight for key, weight in losses.items()}
    except InputError as error:
        raise ValueError(f"{error.rule}: {error.found}") from None
