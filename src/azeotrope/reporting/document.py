"""Everything one page shows: its comparisons, and what lies beside them that no comparison holds.

They hold no logic; `files.py` reads and writes them.
"""

from __future__ import annotations

from pydantic import Field

from azeotrope.record.storage.training_curve import Curve
from azeotrope.record.storage.verification import Verification
from azeotrope.reporting.numbers import Comparison, Shown

DATA_URI = r"^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+$"


class Disagreement(Shown):
    """A test image that the arms call differently. `image` is a data URI, `predictions` maps arm to class."""

    image: str = Field(pattern=DATA_URI)
    label: str
    predictions: dict[str, str]


class Mistake(Shown):
    """A test image that all runs together are wrong on, and how sure they are: `probability` is what they give the
    `answer` on average. `name` is that of its file, `image` a data URI.
    """

    name: str
    image: str = Field(pattern=DATA_URI)
    label: str
    answer: str
    probability: float = Field(ge=0, le=1)


class Bundle(Shown):
    """A model of these runs that was exported, in `folder`; without `verification`, the `problem` says why."""

    folder: str
    verification: Verification | None
    problem: str = ""


class Document(Shown):
    """Everything one report shows: a comparison a size, pictures the arms disagree on, the surest mistakes, what was
    verified of models that were exported, and how runs trained, by run id.
    """

    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    disagreements: tuple[Disagreement, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    curves: dict[str, Curve] = Field(default_factory=dict)
