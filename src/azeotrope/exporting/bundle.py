"""The folder that a person takes to a device, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt

from azeotrope.errors import NotExported, StoreError
from azeotrope.exporting import preparation as prep
from azeotrope.exporting.card import bundle_card
from azeotrope.exporting.preparation import Preparation
from azeotrope.record.kinds import one_line
from azeotrope.record.storage.store import cannot_write
from azeotrope.record.storage.verification import FILE as VERIFICATION
from azeotrope.record.storage.verification import Refused, Verification

SUMS = "SHA256SUMS"
RUN = "run.py"
ONNX = ".onnx"
NETWORK = "network"  # among the outputs of a sample: what the trained network says, in torch


@dataclass(frozen=True)
class Sample:
    """A validation picture as it came, its input, and what the network and each file say of it. `content` is None where
    `run.py` does not read such pictures, or they may not be copied.
    """

    name: str
    content: bytes | None
    pixels: UInt[np.ndarray, "bands H W"]
    label: str
    outputs: Mapping[str, Mapping[str, Sequence[float]]]


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A new hidden folder next to `folder`, for a bundle in the making; it is gone afterwards, whatever happened.

    Raises StoreError when it cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield work
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def refuse_other_files(folder: Path, fingerprint: str, targets: Sequence[str]) -> None:
    """Raise StoreError unless `folder` is new, empty, or an unchanged bundle of the same model that loses no target."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    problem = _not_replaceable(folder, fingerprint, targets)
    if problem:
        raise StoreError(
            f"The folder {folder} cannot be replaced by a new bundle",
            found=problem,
            allowed="a new or empty folder, or an unchanged bundle of the same model",
            next_step="choose another folder with --out, or move this one away",
        )


def refuse_to_lose(folder: Path, refused: Sequence[Refused]) -> None:
    """Raise NotExported where the bundle in `folder` has a file of a target that could not be made again."""
    lost = [each for each in refused if each.target in _targets_in(folder)]
    if lost:
        raise NotExported(
            f"The bundle in {folder} stays as it was: a new one would lack files that it has",
            found="; ".join(f"{each.target}: {each.reason}" for each in lost),
            next_step="choose another folder with --out, or move this one away",
        )


def write_texts(work: Path, verification: Verification, preparation: Preparation, samples: Sequence[Sample]) -> None:
    """All of the bundle but the exported files."""
    (work / prep.FILE).write_text(_json(preparation.model_dump(mode="json")), encoding="utf-8")
    (work / VERIFICATION).write_text(_json(verification.model_dump(mode="json")), encoding="utf-8")
    (work / "card.md").write_text(bundle_card(verification, preparation), encoding="utf-8")
    (work / "labels.txt").write_text("".join(f"{one_line(name)}\n" for name in preparation.classes), encoding="utf-8")
    _write_samples(work / "samples", samples)
    if any(file.file.endswith(ONNX) for file in verification.files):
        (work / RUN).write_bytes(files("azeotrope.exporting").joinpath("bundled", RUN).read_bytes())


def sealed(work: Path, folder: Path) -> None:
    """Write the checksums and put the finished bundle in its place, whole."""
    names = sorted(path for path in work.rglob("*") if path.is_file())
    sums = "".join(f"{_sha256(path)}  {path.relative_to(work).as_posix()}\n" for path in names)
    (work / SUMS).write_text(sums, encoding="utf-8")
    if folder.exists():
        old = work.with_name(f"{work.name}-old")
        folder.rename(old)
        work.rename(folder)
        shutil.rmtree(old)
    else:
        work.rename(folder)


def _not_replaceable(folder: Path, fingerprint: str, targets: Sequence[str]) -> str:
    """Why this is not a bundle that a new one may replace; empty when it is."""
    if not (folder / SUMS).is_file() or not (folder / VERIFICATION).is_file():
        return "files that are not of an export"
    lines = (line.partition("  ") for line in (folder / SUMS).read_text(encoding="utf-8").splitlines())
    listed = {name: digest for digest, _, name in lines}
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    changed = sorted(name for name, path in present.items() if name != SUMS and listed.get(name) != _sha256(path))
    if changed:
        return f"files that were changed or added since: {', '.join(changed[:3])}"
    if json.loads((folder / VERIFICATION).read_text(encoding="utf-8")).get("weights") != fingerprint:
        return "a bundle of another model"
    lost = sorted(_targets_in(folder) - set(targets))
    return f"{', '.join(lost)}, which this export would not make" if lost else ""


def _targets_in(folder: Path) -> set[str]:
    """Of which targets the bundle in `folder` has files; none where there is no bundle."""
    if not (folder / VERIFICATION).is_file():
        return set()
    old = json.loads((folder / VERIFICATION).read_text(encoding="utf-8"))
    return {file["target"] for file in [*old["files"], *old.get("not_run", ())]}


def _write_samples(folder: Path, samples: Sequence[Sample]) -> None:
    folder.mkdir()
    listed = []
    for number, sample in enumerate(samples):
        picture, tensor = None, f"{number}.input.npy" if sample.name.endswith(".npy") else f"{number}.npy"
        if sample.content is not None:
            picture = f"{number}{Path(sample.name).suffix}"
            (folder / picture).write_bytes(sample.content)
        np.save(folder / tensor, sample.pixels)
        listed.append({"picture": picture, "input": tensor, "label": sample.label, "outputs": sample.outputs})
    (folder / "expected.json").write_text(_json({"pictures": listed}), encoding="utf-8")


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
