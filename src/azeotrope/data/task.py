"""A task: a labelled image set with its splits, opened from what a person types (`fashion-mnist`, `hf:beans`,
`photos/`).

It trains nothing, and keeps nothing on disk but what `load_task` is given a cache for (and, while the process lasts,
copies of shards at an address: `data.sources._copies`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Int64, UInt64

from azeotrope.data._ranks import identities
from azeotrope.data.auditing.told import group_words, lost_words, passed_words, reading_words, split_words
from azeotrope.data.decoding.formats import require_extras
from azeotrope.data.division.folds import fold_splits
from azeotrope.data.division.split import TaskSplits, split_task
from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.near import METHOD, Near, find_near
from azeotrope.data.listing.scan import Progress, scan
from azeotrope.data.packing.early_packs import Foreseen, early_packs
from azeotrope.data.sources._groups import grouped_by_path
from azeotrope.data.sources._source import Source
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind, Labels, kind_named
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.lookup import member, members, nearest
from azeotrope.plan import HELD_OUT

Pairs: TypeAlias = Int64[np.ndarray, "pairs 2"] | None
_FAMILY = "data.sources"
_TABLES = (".csv", ".tsv", ".parquet")
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))  # Windows has two


@dataclass(frozen=True, eq=False)
class Task:
    """A source that has been scanned and split. Rows are those of `manifest`. `near` are its near copies; None where a
    formula draws the images.
    """

    source: Source
    manifest: Manifest
    splits: TaskSplits
    near: Near | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Sentences on how the set was read and split, that a person should see before any number."""
        return (
            *reading_words(self.source, self.manifest),
            *split_words(self.manifest, self.splits, self.near),
            *group_words(self.manifest, self.splits),
        )

    @property
    def name(self) -> str:
        """What the source calls itself."""
        return self.source.name

    @property
    def fingerprint(self) -> str:
        """Identifies the labelled set by its content, by the share held out of it where one was asked for, by the fold
        that is its test set, and by how near copies were found where they decided what is held out: other test images
        make another task.
        """
        fold = self.splits.fold
        return self._identified(self.manifest.fingerprint, [] if fold is None else [f"fold {fold}"])

    @property
    def set_fingerprint(self) -> str:
        """The same for all folds of a set; without folds, the task's own."""
        fold = self.splits.fold
        return self.fingerprint if fold is None else self._identified(self.manifest.unranged, [f"{fold.of} folds"])

    def _identified(self, whole: str, asked: list[str]) -> str:
        share = self.splits.held_out
        asked += [] if share is None else [f"held out: {share!r}"]
        asked += [f"near copies: {METHOD}"] if self.splits.together else []
        return hashlib.sha256("\n".join([whole, *asked]).encode()).hexdigest() if asked else whole

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

    @property
    def units(self) -> Int64[np.ndarray, " n"] | None:
        """Which rows belong together (the lowest row of each row's group); None where no groups were named."""
        return self.splits.units

    @cached_property
    def commonest(self) -> tuple[str, float] | None:
        """The largest class in training, and the share of test images that are of another: the error of always naming
        it. None where an image has not one class.
        """
        if self.manifest.kind != "single" or not len(self.splits.train) or not len(self.splits.test):
            return None
        largest = int(np.bincount(self.labels[self.splits.train], minlength=len(self.classes)).argmax())
        return self.classes[largest], float((self.labels[self.splits.test] != largest).mean())

    @cached_property
    def commonest_over_classes(self) -> float | None:
        """The same as a mean over the classes of the test images: right on all of one class, on none of the others."""
        if self.commonest is None:
            return None
        shown = np.unique(self.labels[self.splits.test])
        return 1 - float(np.mean(shown == self.classes.index(self.commonest[0])))

    @cached_property
    def identities(self) -> UInt64[np.ndarray, " n"]:
        """A number for each image that only its content decides; views are drawn by it."""
        return identities(self.manifest.checksums)


class RefusedSet(InputError):  # noqa: N818 (images that were read, and why they make no task)
    """Images that make no task; `source` and `manifest` are what was read of them."""

    def __init__(self, error: InputError, source: Source, manifest: Manifest) -> None:
        read = " ".join((*passed_words(source.passed), *lost_words(manifest)))
        found = ". ".join(part.rstrip(".") for part in (error.found, read) if part)
        super().__init__(error.rule, found=found, allowed=error.allowed, next_step=error.next_step)
        self.source, self.manifest = source, manifest


def load_task(
    spec: str,
    progress: Progress | None = None,
    labels: LabelSpec = ONE_CLASS,
    held_out: float = HELD_OUT,
    cache: Path | None = None,
    *,
    anew: bool = False,
    foreseen: Foreseen | None = None,
) -> Task:
    """Open, scan and split what `spec` names: a path or `scheme:name`. `progress(done, total)` is called while
    scanning; `held_out` is the share of images in each split that the source does not give; `cache` is a folder that
    keeps what is slow to find again: what each image turned out to be, and near copies. With `anew` every image is
    read, also where its file seems unchanged.

    Raises InputError for a source that is not known or not there (with the nearest names), and RefusedSet for images
    that make no task.
    """

    def split(manifest: Manifest, pairs: Pairs) -> tuple[TaskSplits, ...]:
        return (split_task(manifest, held_out, pairs, keep_leaks=bool(labels.keep_leaks)),)

    (task,) = _loaded(spec, progress, labels, cache, split, anew=anew, foreseen=foreseen)
    return task


def load_folds(
    spec: str,
    folds: int,
    progress: Progress | None = None,
    labels: LabelSpec = ONE_CLASS,
    cache: Path | None = None,
    *,
    anew: bool = False,
    foreseen: Foreseen | None = None,
) -> tuple[Task, ...]:
    """The same images as `folds` tasks, of each of which another fold is the test set (`data.division.folds`)."""

    def cut(manifest: Manifest, pairs: Pairs) -> tuple[TaskSplits, ...]:
        return fold_splits(manifest, folds, pairs, keep_leaks=bool(labels.keep_leaks))

    return _loaded(spec, progress, labels, cache, cut, anew=anew, foreseen=foreseen)


def _loaded(
    spec: str,
    progress: Progress | None,
    labels: LabelSpec,
    cache: Path | None,
    divide: Callable[[Manifest, Pairs], tuple[TaskSplits, ...]],
    *,
    anew: bool,
    foreseen: Foreseen | None,
) -> tuple[Task, ...]:
    """The tasks that `divide` makes of what `spec` names, read once."""
    require_extras(labels.pixels)
    source = open_source(spec, labels)
    kept = kept_looks(cache, spec, labels.pixels, anew=anew) if cache else None
    if kept is not None and (kept.packed.exists() or (anew and kept.file.exists())):
        foreseen = None  # of a set that was listed before the packs are there
    with early_packs(source, foreseen, cache, labels.pixels) as early:
        take = early.take if early else None
        manifest = scan(source, progress, value_range=labels.value_range, kept=kept, pixels=labels.pixels, take=take)
        near = find_near(manifest, source, cache) if source.formula is None else None
        try:
            divided = divide(manifest, near.pairs if near else None)
            ranged = [manifest.ranged_by(splits.train) if manifest.deep else manifest for splits in divided]
        except InputError as error:
            raise RefusedSet(error, source, manifest) from error
        if early and cache and kept and not manifest.deep:
            early.become_packs(manifest, cache)
            kept.note_packed()
    return tuple(Task(source, one, splits, near) for one, splits in zip(ranged, divided, strict=True))


def open_source(spec: str, labels: LabelSpec = ONE_CLASS) -> Source:
    """The source that `spec` names, its labels read as `labels` says.

    A scheme comes before a path of the same name, so that a word means the same in every folder; `./digits` is a path.
    """
    scheme, _, name = spec.partition(":")
    if scheme not in schemes():
        if name.startswith("//") or spec.lower().endswith(_TABLES):
            scheme, name = "table", spec
        elif Path(spec).expanduser().exists() or any(sep in spec for sep in _SEPARATORS):
            scheme, name = "folder", spec
        else:
            raise _unknown(spec, scheme)
    module = member(_FAMILY, scheme, "data source")
    wrong = [option for option in _options(labels) if option.field not in getattr(module, "TAKES", ())]
    if wrong:
        raise _not_taken(spec, scheme, wrong)
    opened = module.open_labelled(name, labels) if hasattr(module, "open_labelled") else module.open_source(name)
    source: Source = opened
    return grouped_by_path(source, labels.group_by) if labels.group_by else source


def schemes() -> list[str]:
    """Every kind of source, as it is typed."""
    return [name.replace("_", "-") for name in members(_FAMILY)]


class _Option(NamedTuple):
    """A field of `LabelSpec` that was given, and how it was typed."""

    field: str
    typed: str


def _options(labels: LabelSpec) -> list[_Option]:
    """What was asked of the source itself; the range of values is asked of the files (`data.decoding.decode`), what may
    leak of the splits (`data.division.split`).
    """
    given = labels.model_dump(exclude_defaults=True, exclude={"value_range", "pixels", "keep_leaks"})
    flags = {"column": "label-column"}
    return [
        _Option(field, f"--{flags.get(field, field).replace('_', '-')} {value}")
        for field, value in given.items()
        if value is not None
    ]


def _not_taken(spec: str, scheme: str, wrong: Sequence[_Option]) -> InputError:
    return InputError(
        f"{spec} gives each image one class, and leaves open neither where it stands nor of what kind it is",
        found=f"{', '.join(option.typed for option in wrong)} for the source {scheme}",
        allowed="these options for a .csv, .tsv or .parquet table, or hf:NAME (--layout and --group-by for a folder)",
        next_step="list the images and their labels in a table, or leave these options out",
    )


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
