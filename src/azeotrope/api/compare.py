"""`azeotrope.compare`: train one student in every sensible way at equal budget and say which way is better, and how
surely.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack, overload

from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import expanded
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.comparisons.comparing import compare_sizes
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.options import Compared, Options, parted
from azeotrope.session.progress import Progress, Silent
from azeotrope.verdicts.stopping import LOOKS


@overload
def compare(data: str | Path, *, train_images: int | None = None, **asked: Unpack[Compared]) -> Comparison: ...
@overload
def compare(data: str | Path, *, train_images: Sequence[int], **asked: Unpack[Compared]) -> tuple[Comparison, ...]: ...
def compare(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | Sequence[int] | None = None,
    arms: str | Sequence[str] | None = None,
    losses: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | Literal["auto"] = 3,
    folds: int | None = None,
    deploy: str | Sequence[str] = (),
    workers: int = 1,
    track: str | Sequence[str] = (),
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Comparison | tuple[Comparison, ...]:
    """Compare strategies at one number of training images (or at each of several, which gives a tuple), and leave
    records, one report and the winner's model at the largest in `out`.

    `data`, `student` and `teacher` are written as on the command line (`fashion-mnist`, `photos/`, `timm:resnet10t`),
    `arms` as `Arm.parse` reads them; None takes all that are possible here. `losses` are for the `distill` arms that
    name none: one list such as `kl+align_uniform=0.5`, or several, of which validation chooses
    (`sweeping.runs.search`). `seeds` is how many there are, or a list of them; "auto" adds paired seeds until every
    verdict is decided, 12 at most, at a level that keeps the error of looking several times at 5 %
    (`verdicts.stopping`). `folds` cuts the labelled images into so many parts, each of which is the test set once, for
    every seed: for sets of fewer than 500 images, where one test split decides little (`verdicts.folded`). `deploy`
    names export targets (`onnx,onnx-int8`): each student is also measured as their files, calibrated on its training
    images, and the arms are judged as such beside the networks. `workers` runs are made at a time, in processes that
    share the cores or cards: small students train faster so. `track` names trackers that finished runs are shown to
    (`tensorboard`, `mlflow:FOLDER`, ...); by default they write to `out/trackers/NAME`. The other keywords are those of
    `session.options.Options`. `out/plan.yaml` is a plan of `azeotrope sweep`. A run that is in `out` already is not
    made again, so an interrupted comparison goes on.

    Raises InputError for wrong input and StoreError for an output folder that cannot be used.
    """
    if folds is not None and seeds == "auto":
        raise InputError(
            "--seeds auto adds seeds until verdicts are decided, and seeds of a fold share its test images",
            found=f"--seeds auto --folds {folds}",
            allowed="a number of seeds, such as 3",
            next_step="give --seeds a number, or leave --folds out",
        )
    asked, machine = parted(options)
    plan = comparison_plan(
        data,
        student=student,
        teacher=teacher,
        train_images=train_images,
        arms=arms,
        losses=losses,
        seeds=LOOKS[0] if seeds == "auto" else seeds,
        deploy=deploy,
        folds=folds,
        engine={"workers": workers} if workers > 1 else {},
        **asked,
    )
    folder = Path(expanded(out))
    found = compare_sizes(plan, folder, progress or Silent(), machine, until_decided=seeds == "auto", track=track)
    return found[-1] if train_images is None or isinstance(train_images, int) else found
