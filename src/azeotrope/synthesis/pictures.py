"""A folder of made pictures as a labelled source, and what is left of a finished set as a pool.

The label is the class that was intended. Whether it may be used as a label is for the one who asks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from azeotrope.data.listing.scan import Progress, scan
from azeotrope.data.sources._source import Item, Source
from azeotrope.data.task import Task
from azeotrope.data.unlabelled import Pool, keep_apart
from azeotrope.errors import InputError
from azeotrope.record.storage.claim import PLAN
from azeotrope.spec import from_yaml
from azeotrope.synthesis import provenance
from azeotrope.synthesis.spec import SynthPlan

SUMMARY = "synth.json"
NEAR_UNKNOWN = (
    "Near duplicates of validation and test images were looked for with the teacher's embeddings only, since nearly "
    "all pictures resemble each other"
)


@dataclass(frozen=True)
class SynthSet:
    """A finished set: its kept pictures as a pool, what was asked, and the seconds it took by phase.

    `seconds` holds `train_generator`, `generate` (all pictures made) and `filter`; `made` counts pictures before the
    teacher's judgement.
    """

    pool: Pool
    plan: SynthPlan
    made: int
    seconds: dict[str, float]

    def seconds_for(self, pictures: int) -> float:
        """What a run that uses so many kept pictures would have paid: all of the generator's training, and its share
        of making and judging.
        """
        share = pictures / max(1, len(self.pool.rows))
        return self.seconds["train_generator"] + share * (self.seconds["generate"] + self.seconds["filter"])


def source_of(folder: Path, files: Sequence[str], labels: Sequence[int], classes: tuple[str, ...]) -> Source:
    """These files of the set, each with its intended class."""
    items = tuple(Item(file, label, "") for file, label in zip(files, labels, strict=True))
    return Source(folder.name, classes, items, lambda place: (folder / files[place]).read_bytes())


def set_folder(out: Path, train_images: int, seed: int) -> Path:
    """Where the set for this subset is, or would be: generator and filter may see its images only."""
    return out / f"n{train_images}-s{seed}"


def open_set(out: Path, task: Task, train_images: int, seed: int, progress: Progress | None = None) -> SynthSet:
    """The finished set that was made for this subset of `task`, or for a smaller one inside it (the largest there is).

    Raises InputError when there is none, or it was made from other images.
    """
    folder = _best_folder(out, train_images, seed)
    plan = from_yaml(SynthPlan, folder / PLAN)
    if plan.fingerprint != task.fingerprint:
        raise InputError(
            f"The pictures in {folder} were made for other images",
            found=f"fingerprint {plan.fingerprint[:12]}; {task.name} has {task.fingerprint[:12]}",
            next_step="make them for these images: azeotrope synth",
        )
    rows = provenance.read(folder)
    kept = rows.filter(rows["kept"])
    source = source_of(folder, kept["file"].to_list(), kept["label"].to_list(), task.classes)
    pool = keep_apart(source, scan(source, progress), task)  # once more: files may have changed since
    content = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return SynthSet(pool, plan, rows.height, {key: float(value) for key, value in content["seconds"].items()})


def _best_folder(out: Path, train_images: int, seed: int) -> Path:
    """Subsets of a seed are nested: a generator that saw fewer of its images has seen none that it must not."""
    sizes = [int(path.name[1:].split("-")[0]) for path in out.glob(f"n*-s{seed}") if (path / SUMMARY).exists()]
    fitting = [size for size in sizes if size <= train_images]
    if not fitting:
        raise InputError(
            f"There are no pictures for {train_images:,} training images of seed {seed} in {out}",
            found=", ".join(sorted(path.name for path in out.glob("n*-s*") if (path / SUMMARY).exists())) or "none",
            allowed="a set made from this run's subset: its generator and filter must have seen no other labels",
            next_step=f"make them: azeotrope synth DATA -n {train_images} --seed {seed} --out {out}",
        )
    return set_folder(out, max(fitting), seed)


def labels_of(source: Source) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Intended class of each picture."""
    return np.array([item.label for item in source.items], dtype=np.int64)
