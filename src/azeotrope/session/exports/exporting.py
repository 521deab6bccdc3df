"""From a saved model to a verified bundle: what `azeotrope.export` does, step by step."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.augmentation.views import PLAIN, Views, draw
from azeotrope.data.packing.pack import Pack, open_pack, open_plain
from azeotrope.errors import InputError, NotExported
from azeotrope.exporting.bundle import NETWORK, ONNX, RUN, Sample, beside, refuse_to_lose, sealed, write_texts
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.page import FILE as PAGE
from azeotrope.exporting.page import page, runtime_folder
from azeotrope.exporting.preparation import Preparation, preparation_of
from azeotrope.exporting.target import Conversion, NotRunHere, backends_of, remove, target_named
from azeotrope.exporting.temperature import calibrated
from azeotrope.exporting.verification import Evidence, eager, eager_latency, error_on, parity, verified
from azeotrope.kinds._kind import UNSCALED, Kind, kind_named
from azeotrope.kinds._measures import judged_by
from azeotrope.kinds._own_measure import code_of
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.cost import parameters
from azeotrope.models.pretrained.weights import fingerprint
from azeotrope.models.saved import SavedModel
from azeotrope.recipe import OWN_ERROR, ViewPolicy
from azeotrope.record.machine.environment import environment
from azeotrope.record.storage.verification import Calibration, File, NotRun, Parity, Refused, TorchNetwork, Verification
from azeotrope.session.exports.export_images import ExportImages, sample_of, spread_over
from azeotrope.session.progress import Progress

SAMPLES = 3
STAGE_IMAGES = 64
_NO_PAGE = (
    "a browser gives grey and colour of 8 bits, and this model was trained on files of more than 8 bits, or with "
    "--bands, --bits, --colours, --fit or --formats"
)


@dataclass(frozen=True)
class ExportPlan:
    """What an export was asked: targets by key, how much error a file may add, where the bundle goes, and where the
    page's onnxruntime-web is (None: no page).
    """

    targets: tuple[str, ...]
    max_drop: float
    out: Path
    page: str | None = None


def export_model(saved: SavedModel, images: ExportImages, plan: ExportPlan, progress: Progress) -> Verification:
    """Convert, verify, and write what passed; `refuse_other_files` was asked. Raises NotExported where nothing did, or
    a bundle in `out` would lose a file, StoreError where `out` cannot be written; then nothing is left behind.
    """
    progress.start("exporting", 2 + len(plan.targets), "steps")
    with beside(plan.out) as work:
        plain = preparation_of(saved, 1.0)
        runtime = _runtime(plan, plain, work, progress)
        evidence, calibration = _evidence(saved, images, images.prepared(images.validation, plain), plan.max_drop)
        temperature = calibration.temperature if calibration else 1.0
        deployed, preparation = Deployed(saved, temperature), preparation_of(saved, temperature)
        stages = _stages(saved, images, evidence, temperature)
        progress.advance(1)
        conversion = Conversion(
            deployed,
            saved.preprocessing.size,
            images.prepared(images.calibration, plain),
            _folder(work / "conversion"),
            plain.channels,
        )
        bundle = _folder(work / plan.out.name)
        test = _test(deployed, images, evidence, plain)
        made = _made(plan, conversion, bundle, evidence, test, progress)
        refuse_to_lose(plan.out, made["refused"])
        verification = Verification(
            **_origin(saved, images),
            network=_network(saved, deployed, evidence, test),
            calibration=calibration,
            stages=stages,
            **made,
        )
        files = verification.files
        samples = _samples(images, evidence, deployed, bundle, files)
        write_texts(bundle, verification, preparation, samples)
        _check_run(bundle, files)
        if runtime is not None and (graph := next((file.file for file in files if file.file.endswith(ONNX)), None)):
            text = page(runtime, bundle / graph, preparation, verification.model, samples)
            (bundle / PAGE).write_text(text, encoding="utf-8")
        sealed(bundle, plan.out)
        progress.advance(1)
    return verification


def _runtime(plan: ExportPlan, plain: Preparation, work: Path, progress: Progress) -> Path | None:
    """The folder of what the page runs in, None where there is no page."""
    if plan.page is None:
        return None
    if not plain.plain_files:
        progress.note(f"{PAGE} is left out: {_NO_PAGE}.")
        return None
    return runtime_folder(plan.page, _folder(work / "page"))


def _evidence(
    saved: SavedModel, images: ExportImages, pixels: UInt[np.ndarray, "n bands H W"], max_drop: float
) -> tuple[Evidence, Calibration | None]:
    """What the network says of the validation images, with the temperature that is fitted on it."""
    kind, labels = _judge(saved), images.task.labels[images.validation]
    said = eager(Deployed(saved), pixels)
    calibration = calibrated(kind, said, kind.targets(labels, UNSCALED))
    temperature = calibration.temperature if calibration else 1.0
    return Evidence(kind, pixels, labels, said / temperature, max_drop), calibration


def _metric(saved: SavedModel) -> str:
    """What chose and judged the model."""
    return str(saved.facts.get("metric", OWN_ERROR))


def _judge(saved: SavedModel) -> Kind:
    """Its kind by that measure. Raises InputError where a person's own function is not there, or is another by now."""
    metric, code = _metric(saved), saved.facts.get("metric_code")
    if code is not None and (found := code_of(metric)) != code:
        raise InputError(
            "A model is exported by the measure that chose it",
            found=f"the code of {metric} is {found}, the training had {code}",
            next_step="bring back the file as it was at the training",
        )
    return judged_by(kind_named(saved.kind), metric)


def _test(deployed: Deployed, images: ExportImages, evidence: Evidence, plain: Preparation) -> Evidence:
    """What the network says of the test images; they decide nothing here."""
    pixels = images.prepared(images.test, plain)
    return Evidence(evidence.kind, pixels, images.task.labels[images.test], eager(deployed, pixels), evidence.max_drop)


def _origin(saved: SavedModel, images: ExportImages) -> dict[str, Any]:
    """Which model, images and machine: the fields of `Verification` that tell."""
    run_id = saved.facts.get("run_id")
    return {
        "model": f"{saved.spec.architecture}, {len(saved.classes)} classes",
        "weights": fingerprint(saved.network.state_dict()),
        "run_id": None if run_id is None else str(run_id),
        "data": images.task.name,
        "fingerprint": images.task.fingerprint,
        "metric": _metric(saved),
        "validation_images": len(images.validation),
        "calibration_images": len(images.calibration),
        "test_images": len(images.test),
        "environment": environment(device="cpu", accelerator=None, threads=1, precision="fp32"),
    }


def _network(saved: SavedModel, deployed: Deployed, evidence: Evidence, test: Evidence) -> TorchNetwork:
    return TorchNetwork(
        parameters=parameters(saved.network),
        bytes=sum(tensor.nbytes for tensor in saved.network.state_dict().values()),
        error=evidence.error,
        latency=eager_latency(deployed, evidence.pixels[:1]),
        test_error=test.error,
    )


def _made(
    plan: ExportPlan, conversion: Conversion, bundle: Path, evidence: Evidence, test: Evidence, progress: Progress
) -> dict[str, Any]:
    """What became of each target, as fields of `Verification`."""
    files, not_run, refused = list[File](), list[NotRun](), list[Refused]()
    for key in plan.targets:
        progress.say(key)
        target = target_named(key)
        path = bundle / target.FILES[0]
        try:
            _copy(conversion, key, bundle)
            program = target.open_program(path, conversion.deployed.outputs)
            file = verified(key, target, path, program, evidence)
            files.append(file.model_copy(update={"test_error": error_on(program, test)}))
        except NotRunHere as error:
            size = sum((bundle / name).stat().st_size for name in target.FILES)
            not_run.append(NotRun(target=key, file=Path(target.FILES[0]).parts[0], bytes=size, reason=str(error)))
        except NotExported as error:
            remove(target, bundle)
            refused.append(Refused(target=key, reason=str(error)))
        progress.advance(1)
    if not files and not not_run:
        raise NotExported("No file was exported", found="; ".join(f"{each.target}: {each.reason}" for each in refused))
    ran = backends_of([*(file.target for file in files), *(each.target for each in not_run)])
    return {
        "files": tuple(files),
        "refused": tuple(refused),
        "not_run": tuple(not_run),
        "packages": {backend.name: backend.versions() for backend in ran},
    }


def _copy(conversion: Conversion, key: str, bundle: Path) -> None:
    """The files of a target, converted, into the bundle."""
    conversion.file_of(key)
    for name in target_named(key).FILES:
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(conversion.work / name, bundle / name)


def _stages(saved: SavedModel, images: ExportImages, evidence: Evidence, temperature: float) -> tuple[Parity, ...]:
    """From the input of validation to that of the graph, and from the saved network to the module that is exported."""
    rows, look = images.validation[:STAGE_IMAGES], saved.preprocessing
    pack = _judged(look, images)
    pack.ensure(rows)
    view = draw(ViewPolicy(), images.task.identities[rows], PLAIN)
    renderer = Renderer(look.size, look.interpolation, look.mean, look.std)
    shown = renderer(pack.read(rows), Views(torch.from_numpy(view.values), view.cutout))
    deployed = Deployed(saved, temperature)
    given = torch.from_numpy(evidence.pixels[: len(rows)])
    with torch.inference_mode():
        network = saved.network(shown).logits / temperature
        normalised = deployed.normalised(given)
    flat = evidence.kind if evidence.kind.name == "number" else kind_named("number")
    return (
        parity("validation's input to the graph's", flat, shown.flatten(1), normalised.flatten(1)),
        parity("network in validation to module", evidence.kind, network, evidence.said[: len(rows)]),
    )


def _judged(look: Preprocessing, images: ExportImages) -> Pack:
    """What its plain views were made of: a model of earlier versions was judged on frames."""
    if look.stored_size is not None:
        return open_pack(images.task, images.cache, look.size)
    return open_plain(images.task, images.cache, look.size, look.interpolation)


def _samples(
    images: ExportImages, evidence: Evidence, deployed: Deployed, bundle: Path, files: Sequence[File]
) -> list[Sample]:
    """Pictures spread over the validation images, with what the network and every file say of them."""
    places, names = spread_over(SAMPLES, np.arange(len(images.validation))), deployed.outputs
    pixels = evidence.pixels[places]
    with torch.inference_mode():
        said = {NETWORK: tuple(each.numpy() for each in deployed(torch.from_numpy(pixels)))}
    for file in files:
        said[file.file] = target_named(file.target).open_program(bundle / file.file, names).answer(pixels)
    task, samples = images.task, list[Sample]()
    for number, place in enumerate(places):
        row = images.validation[place]
        name, content = sample_of(task, int(row))
        outputs = {
            file: {key: values[number].astype(float).tolist() for key, values in zip(names, each, strict=True)}
            for file, each in said.items()
        }
        (label,) = task.kind.texts(task.labels[[row]], task.classes)
        samples.append(Sample(name, content, pixels[number], label, outputs))
    return samples


def _check_run(bundle: Path, files: Sequence[File]) -> None:
    """The bundle's own program must answer its samples as verified, from the picture on. Raises NotExported."""
    for file in files:
        if file.file.endswith(ONNX):
            done = subprocess.run(
                [sys.executable, RUN, "--check", "--model", file.file],
                cwd=bundle,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            if done.returncode:
                raise NotExported(
                    f"{RUN} must answer the samples as {file.file} was verified",
                    found=(done.stderr.strip() or "no reason given").splitlines()[-1],
                    next_step="report this with one of the pictures",
                )


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
