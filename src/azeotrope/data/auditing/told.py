"""What a person should be told of how a set was read: names, layout, values, what was passed over or lost.

One place for all commands, so that none keeps silent about what another says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.auditing.audit import lost_by_class
from azeotrope.data.division.split import TaskSplits, torn_copies
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.near import Near
from azeotrope.data.sources._passed import ASKED, UNUSED_SPLITS
from azeotrope.data.sources._source import PassedOver, Source
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import shortened

SHOWN = 5
_WHAT_TO_DO = {
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), "develop them to JPEG or PNG"),
    **{
        suffix: f"add --formats {name} if they belong to the set, or move them away"
        for name, suffixes in ASKED.items()
        for suffix in suffixes
    },
    ".npy": "add --bands all if they are pictures, or move them away",
    "no suffix": "give them the suffix of their format",
    "links to folders": "copy the files in, or link the class folder itself",
    "beside the class folders": "put each into the folder of its class",
    UNUSED_SPLITS: "say which split serves as what, as in hf:NAME?train=SPLIT&test=SPLIT; others are then left out",
    "hidden": "rename them without the dot if they belong to the set",
}


def reading_words(source: Source, manifest: Manifest) -> tuple[str, ...]:
    """Sentences on what was read how, and on what was not read; empty where all is plain."""
    return (*source.words, *manifest.words, *passed_words(source.passed), *lost_words(manifest))


def of_all_folds(words: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The sentences of the folds of a set, in the order of the folds: what all say once, and then what each fold says
    of itself, under its number.
    """
    shared = [word for word in words[0] if all(word in said for said in words)]
    own = [
        f"Fold {number} of {len(words)}: {word}"
        for number, said in enumerate(words, start=1)
        for word in said
        if word not in shared
    ]
    return (*shared, *own)


def passed_words(passed: Sequence[PassedOver]) -> Iterable[str]:
    """A sentence for each kind of file that may be a picture and was passed over, with the classes that it is of."""
    kinds = dict.fromkeys(row.what for row in passed if row.picture)
    for what in kinds:
        rows = [row for row in passed if row.picture and row.what == what]
        total = sum(row.count for row in rows)
        done = _WHAT_TO_DO.get(what, "convert them to JPEG or PNG if they are pictures, or move them away")
        example = f", such as {rows[0].example}"
        if what == UNUSED_SPLITS:
            said, example = what, ""
        else:
            said = f"files called {what}" if what.startswith(".") else f"files {what}"
        yield f"Passed over: {total:,} {said} ({by_class(rows)}){example}. Next: {done}."


def by_class(rows: Sequence[PassedOver]) -> str:
    """`20 in bolt, 3 in nut and 4 classes more`."""
    listed = [f"{row.count:,} in {row.where or 'the folder itself'}" for row in rows[:SHOWN]]
    return ", ".join(listed) + (f" and {len(rows) - SHOWN} classes more" if len(rows) > SHOWN else "")


def lost_words(manifest: Manifest) -> Iterable[str]:
    """A sentence on the unreadable images, by class, with the reason that is most frequent in each."""
    lost = lost_by_class(manifest)
    if not lost:
        return
    counts = _counts(manifest)
    parts = []
    for name, reasons in sorted(lost.items(), key=lambda item: -sum(item[1].values()))[:SHOWN]:
        gone = sum(reasons.values())
        reason, times = next(iter(reasons.items()))
        often = "" if times == gone else f" ({times:,} times)"
        parts.append(f"{gone:,} of {counts.get(name, 0) + gone:,} of {name}: {reason}{often}")
    more = f" and {len(lost) - SHOWN} classes more" if len(lost) > SHOWN else ""
    total = len(manifest.reasons)
    yield f"{total:,} unreadable images were left out: {'; '.join(parts)}{more}. `azeotrope check` counts all reasons."


def _counts(manifest: Manifest) -> Mapping[str, int]:
    """Readable images of each class."""
    if manifest.kind == "number":
        return {"all": int(manifest.readable.sum())}
    return Counter(manifest.label_texts[row] for row in manifest.readable.nonzero()[0].tolist())


def split_words(manifest: Manifest, splits: TaskSplits, near: Near | None) -> Iterable[str]:
    """Sentences on what the splits left out, what they kept together, and which near copies stand in several. `near` is
    None where images were drawn by formula.
    """
    if splits.dropped:
        yield f"{splits.dropped:,} copies of other images were left out, so that none is in two splits."
    if splits.contradictory:
        yield (
            f"{splits.contradictory:,} images are copies that carry different labels: none of them is used, since "
            "nobody knows which label is right. `azeotrope check` lists them."
        )
    if splits.together:
        yield (
            f"{splits.together:,} images are near copies of others: those of one picture were kept in one of the "
            "splits made here."
        )
    elif splits.together is None:
        yield (
            "Near copies could not be kept in one split: a class would be left with too few different pictures. The "
            "error may flatter; `azeotrope check` lists them."
        )
    if near is None:
        return
    if near.pairs is None:
        yield (
            "Near copies were not looked for, since nearly all images resemble each other: two splits may hold the "
            "same picture. A column or folders of splits keep them apart."
        )
        return
    torn = torn_copies(manifest, splits, near.pairs)
    if torn["val"]:
        yield (
            f"{torn['val']:,} of {len(splits.val):,} validation images are near copies of training images. The source "
            "gives these splits, so they stay. `azeotrope check` lists them."
        )
    if torn["test"]:
        yield (
            f"{torn['test']:,} of {len(splits.test):,} test images are near copies of training or validation images. "
            "The source gives these splits, so they stay, and the error may flatter. `azeotrope check` lists them."
        )


def group_words(manifest: Manifest, splits: TaskSplits) -> Iterable[str]:
    """Sentences on how groups were divided, and on what is odd about them; none where no groups were named."""
    if splits.units is None:
        return
    parts = {"train": splits.train, "validate": splits.val, "test": splits.test}
    groups = {name: len({manifest.groups[row] for row in rows.tolist()}) for name, rows in parts.items()}
    every = np.concatenate(list(parts.values()))
    count = len({manifest.groups[row] for row in every.tolist()})
    divided = ", ".join(f"{groups[name]:,} {name} ({len(rows):,} images)" for name, rows in parts.items())
    furthest = _furthest(manifest, every, splits.test)
    if splits.torn:
        yield (
            f"{splits.torn:,} groups stand in several of the given splits, as --keep-leaks insists: the error may "
            f"flatter. Of {count:,} groups {divided}.{furthest}"
        )
    else:
        yield f"Images of one group stay together: of {count:,} groups {divided}.{furthest}"
    if count == len(every):
        yield "Each image is a group of its own: these groups keep nothing together."


def _furthest(manifest: Manifest, every: NDArray[np.int64], test: NDArray[np.int64]) -> str:
    """The class whose share of test images is furthest from that of all images."""
    if manifest.kind == "number":
        return ""
    kind, classes = kind_named(manifest.kind), len(manifest.classes)
    all_images, tested = (kind.counts(manifest.labels[rows], classes) for rows in (every, test))
    share = len(test) / len(every)
    shares = tested / np.maximum(all_images, 1)
    furthest = int(np.abs(shares - share).argmax())
    return (
        f" {100 * share:.1f} % of all images are test images; of {shortened(manifest.classes[furthest])}, the class "
        f"that is furthest off, {100 * shares[furthest]:.1f} %."
    )
