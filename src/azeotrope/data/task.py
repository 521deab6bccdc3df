"""A task: a labelled image set with its splits, opened from what a person types (`fashion-mnist`, `hf:beans`,
`photos/`).

It trains nothing and keeps nothing on disk.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt64

from azeotrope.data._ranks import identities
from azeotrope.data.manifest import Manifest, Progress, scan
from azeotrope.data.sources._source import Source
from azeotrope.data.split import TaskSplits, split_task
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind, Labels, kind_named
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.lookup import member, members, nearest
from azeotrope.plan import HELD_OUT

_FAMILY = "data.sources"
_TABLES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True, eq=False)
class Task:
    """A source that has been scanned and split. Rows are those of `manifest`."""

    source: Source
    manifest: Manifest
    splits: TaskSplits

    @property
    def name(self) -> str:
        """What the source calls itself."""
        return self.source.name

    @property
    def fingerprint(self) -> str:
        """Identifies the labelled set by its content, and by the share held out of it where one was asked for: other
        test images make another task.
        """
        share, whole = self.splits.held_out, self.manifest.fingerprint
        return whole if share is None else hashlib.sha256(f"{whole}\nheld out: {share!r}".encode()).hexdigest()

    @property
    def order_digest(self) -> str:
        """Identifies the order of the rows."""
        return self.manifest.order_digest

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs: the classes, in the order of the labels, or the one thing that is measured."""
        return self.manifest.classes

    @property
    def kind(self) -> Kind:
        """What a label is."""
        return kind_named(self.manifest.kind)

    @property
    def labels(self) -> Labels:
        """Of every row, also of those in no split."""
        return self.manifest.labels

    @cached_property
    def identities(self) -> UInt64[np.ndarray, " n"]:
        """A number for each image that only its content decides; views are drawn by it."""
        return identities(self.manifest.checksums)


def load_task(
    spec: str, progress: Progress | None = None, labels: LabelSpec = ONE_CLASS, held_out: float = HELD_OUT
) -> Task:
    """Open, scan and split what `spec` names: a path or `scheme:name`. `progress(done, total)` is called while
    scanning; `held_out` is the share of images in each split that the source does not give.

    Raises InputError for a source that is not known or not there (with the nearest names), and for images that make
    no task.
    """
    source = open_source(spec, labels)
    manifest = scan(source, progress)
    return Task(source, manifest, split_task(manifest, held_out))


def open_source(spec: str, labels: LabelSpec = ONE_CLASS) -> Source:
    """The source that `spec` names, its labels read as `labels` says.

    A scheme comes before a path of the same name, so that a word means the same in every folder; `./digits` is a path.
    """
    scheme, _, name = spec.partition(":")
    if scheme not in schemes():
        if name.startswith("//") or spec.lower().endswith(_TABLES):
            scheme, name = "table", spec
        elif Path(spec).expanduser().exists() or os.sep in spec:
            scheme, name = "folder", spec
        else:
            raise _unknown(spec, scheme)
    module = member(_FAMILY, scheme, "data source")
    if labels == ONE_CLASS:
        source: Source = module.open_source(name)
    elif hasattr(module, "open_labelled"):
        source = module.open_labelled(name, labels)
    else:
        raise _one_class_only(spec, scheme, labels)
    return source


def schemes() -> list[str]:
    """Every kind of source, as it is typed."""
    return [name.replace("_", "-") for name in members(_FAMILY)]


def _one_class_only(spec: str, scheme: str, labels: LabelSpec) -> InputError:
    given = [f"--{name.replace('_', '-')} {value}" for name, value in _options(labels) if value is not None]
    return InputError(
        f"{spec} gives each image one class, and leaves open neither where it stands nor of what kind it is",
        found=f"{', '.join(given)} for the source {scheme}",
        allowed="these options for a .csv, .tsv or .parquet table, or hf:NAME",
        next_step="list the images and their labels in a table, or leave these options out",
    )


def _options(labels: LabelSpec) -> list[tuple[str, str | None]]:
    kind = None if labels.kind == "single" else labels.kind
    return [("kind", kind), ("label_column", labels.column), ("separator", labels.separator), ("unit", labels.unit)]


def _unknown(spec: str, scheme: str) -> InputError:
    parent = Path(spec).expanduser().absolute().parent
    beside = [path.name for path in parent.iterdir() if not path.name.startswith(".")] if parent.is_dir() else []
    near = nearest(scheme, schemes()) + nearest(Path(spec).name, beside)
    return InputError(
        f"{spec!r} is neither a path nor a known source of images",
        found=f"nearest: {', '.join(near)}" if near else "nothing of a similar name",
        allowed="a folder of class folders, a .csv, .tsv or .parquet of paths and labels, or one of "
        + ", ".join(schemes()),
        next_step="check the path, or write scheme:name, as in `hf:beans`",
    )
