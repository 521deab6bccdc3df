"""`azeotrope.compare`: train one student in every sensible way at equal budget and say which way is better, and how
surely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import HELD_OUT, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.record.store import expanded
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.comparing import compare_sizes
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.workshop import Request
from azeotrope.verdicts.stopping import LOOKS


def compare(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arms: str | Sequence[str] | None = None,
    losses: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | Literal["auto"] = 3,
    image_size: int | None = None,
    upstream: UpstreamSpec | None = None,
    pictures: PicturesSpec | None = None,
    recipe: Mapping[str, Any] | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    cache_gb: float | None = None,
    verify_cache: bool = False,
    strict: bool = False,
    seen_weights: bool = False,
    labels: LabelSpec = ONE_CLASS,
    held_out: float = HELD_OUT,
    progress: Progress | None = None,
) -> Comparison:
    """Compare strategies at one number of training images, and leave records, report and the winner's model in `out`.

    `data`, `student` and `teacher` are written as on the command line (`fashion-mnist`, `photos/`,
    `timm:resnet10t`), `arms` as `Arm.parse` reads them; None takes all that are possible here. `losses` are for the
    `distill` arms that name none: one list such as `kl+align_uniform=0.5`, or several, of which validation chooses
    (`sweeping.search`). `seeds` is how many there are, or a list of them; "auto" adds paired seeds until every verdict
    is decided, 12 at most, at a level that keeps the error of looking several times at 5 % (`verdicts.stopping`).
    `pictures` are further ones, for arms such as `distill+unlabelled`. `recipe` holds fields of `RecipeChanges`;
    `cache_gb`, `verify_cache`, `strict`, `labels` and `held_out` are those of `Request`. A run that is in `out` already
    is not made again, so an interrupted comparison goes on.

    Raises InputError for wrong input and StoreError for an output folder that cannot be used.
    """
    count = LOOKS[0] if seeds == "auto" else seeds
    chosen = range(count) if isinstance(count, int) else tuple(count)
    if not chosen:
        raise InputError("At least one seed is needed", found=str(seeds), next_step="take 3 or more for a verdict")
    sizes = None if train_images is None else [train_images]
    request = Request(
        data,
        student,
        teacher,
        sizes,
        arms,
        chosen,
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
        seen_weights,
        held_out,
    )
    out = Path(expanded(out))
    return compare_sizes(request, out, progress or Silent(), until_decided=seeds == "auto")[-1]
