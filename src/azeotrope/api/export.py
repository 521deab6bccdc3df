"""`azeotrope.export`: a saved model as files for a device, each verified on real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from azeotrope.data.sources._places import cache_root
from azeotrope.errors import InputError
from azeotrope.exporting.bundle import refuse_other_files
from azeotrope.exporting.environment import prepare
from azeotrope.exporting.target import backends_of, named, target_named
from azeotrope.labels import LabelSpec
from azeotrope.models.pretrained.weights import fingerprint
from azeotrope.models.saved import load_model, model_folder
from azeotrope.record.storage.store import expanded
from azeotrope.record.storage.verification import Verification
from azeotrope.session.exports.export_images import images_of
from azeotrope.session.exports.exporting import ExportPlan, export_model
from azeotrope.session.progress import Progress, Silent


@dataclass(frozen=True)
class Exported:
    """The folder of the bundle, and what was measured of each of its files."""

    folder: Path
    verification: Verification


def export(
    model: str | Path,
    *,
    to: str | Sequence[str] = "onnx",
    out: str | Path | None = None,
    data: str | Path | None = None,
    labels: LabelSpec | None = None,
    held_out: float | None = None,
    max_drop: float = 0.01,
    calibration_images: int | None = None,
    validation_images: int = 2000,
    page: str | Path | None = None,
    env: str | Path | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write `model`, a folder that `compare` or `distill` saved, as files for a device in `out`.

    `to` names the targets (`onnx,onnx-int8,pt2`); `out` is `export/` in the model's folder unless it is named. Each
    file is held against the network on up to `validation_images` validation images of the set that the model was
    trained on; `data`, `labels` and `held_out` name that set where its plan is not there. A file whose error is more
    than `max_drop` above the network's is not kept. int8 is calibrated on `calibration_images` training images (256,
    or all that there are). `page` adds a page that runs the ONNX file in a browser: "npm" fetches onnxruntime-web,
    anything else is the folder of a copy. `env` is the environment of targets that need one of their own: "make" makes
    it in the cache, anything else names its folder or interpreter, which is remembered. `cache` is the folder of
    decoded images.

    Raises InputError for wrong input, StoreError for a folder that cannot be used, and NotExported where no file
    passed.
    """
    keys, shown = named(to), progress or Silent()
    _refuse_idle(keys, page, calibration_images, env)
    if env is None:
        prepare(backends_of(keys), None, shown.note)
    folder = model_folder(Path(expanded(model)))
    place = folder / "export" if out is None else Path(expanded(out))
    saved = load_model(folder)
    refuse_other_files(place, fingerprint(saved.network.state_dict()), keys)
    images = images_of(
        saved,
        folder,
        data=None if data is None else str(data),
        labels=labels,
        held_out=held_out,
        calibration=calibration_images,
        validation=validation_images,
        cache=Path(cache).expanduser() if cache else cache_root(),
        progress=shown,
    )
    if env is not None:  # gigabytes perhaps: after all that may be wrong
        prepare(backends_of(keys), str(env), shown.note)
    plan = ExportPlan(keys, max_drop, place, None if page is None else str(page))
    return Exported(place, export_model(saved, images, plan, shown))


def _refuse_idle(
    keys: Sequence[str], page: str | Path | None, calibration_images: int | None, env: str | Path | None
) -> None:
    """Raise InputError for what none of the targets has a use for."""
    if page is not None and not any(key.startswith("onnx") for key in keys):
        raise InputError(
            "The page runs an ONNX file", found=f"--page with --to {','.join(keys)}", next_step="add onnx to --to"
        )
    if calibration_images is not None and not any(target_named(key).INT8 for key in keys):
        raise InputError(
            "Calibration images set the ranges of int8",
            found=f"--calibration-images with --to {','.join(keys)}",
            next_step="add a target of int8 (`azeotrope list targets`), or leave --calibration-images out",
        )
    if env is not None and not backends_of(keys):
        raise InputError(
            "--env is for targets that run in an environment of their own",
            found=f"--env with --to {','.join(keys)}",
            next_step="add such a target (`azeotrope list targets`), or leave --env out",
        )
