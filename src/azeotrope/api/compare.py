"""`azeotrope.compare`: train one student in every sensible way at equal budget and say which way is better, and how
surely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from azeotrope.config import ONE_CLASS, LabelSpec, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.errors import InputError
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.comparing import compare_sizes
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.workshop import Request
from azeotrope.verdicts.stopping import LOOKS


def compare(
    data: str,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arms: Sequence[str] | None = None,
    losses: Sequence[str] | None = None,
    seeds: int | Literal["auto"] = 3,
    image_size: int | None = None,
    upstream: UpstreamSpec | None = None,
    pictures: PicturesSpec | None = None,
    recipe: Mapping[str, Any] | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    cache_gb: float | None = None,
    verify_cache: bool = False,
    strict: bool = False,
    labels: LabelSpec = ONE_CLASS,
    progress: Progress | None = None,
) -> Comparison:
    """Compare strategies at one number of training images, and leave records, report and the winner's model in `out`.

    `data`, `student` and `teacher` are written as on the command line (`fashion-mnist`, `photos/`,
    `timm:resnet10t`), `arms` as `Arm.parse` reads them; None takes all that are possible here. `losses` are for the
    `distill` arms that name none: one list such as `kl+align_uniform=0.5`, or several, of which validation chooses
    (`sweeping.search`). `seeds` "auto" adds paired seeds until every verdict is decided, 12 at most, at a level that
    keeps the error of looking several times at 5 % (`verdicts.stopping`). `pictures` are further ones, for arms such as
    `distill+unlabelled`. `recipe` overrides fields of `Recipe`; `cache_gb`, `verify_cache`, `strict` and `labels` are
    those of `Request`. A run that is in `out` already is not made again, so an interrupted comparison goes on.

    Raises InputError for wrong input and StoreError for an output folder that cannot be used.
    """
    if seeds != "auto" and seeds < 1:
        raise InputError("At least one seed is needed", found=str(seeds), next_step="take 3 or more for a verdict")
    sizes = None if train_images is None else [train_images]
    request = Request(
        data,
        student,
        teacher,
        sizes,
        arms,
        range(LOOKS[0] if seeds == "auto" else seeds),
        image_size,
        upstream,
        recipe or {},
        precision,
        cache,
        losses,
        cache_gb,
        verify_cache,
        strict,
        pictures,
        labels,
    )
    return compare_sizes(request, Path(out), progress or Silent(), until_decided=seeds == "auto")[-1]
