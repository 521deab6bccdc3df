"""What each run said of each test image, beside the records: `predictions/<run_id>.npz`; and of what images, once a
store, `predictions/test_set.npz`, or `test_set_N.npz` of fold N.

Probabilities are kept in half precision: 2 bytes an image and class, before compression. With them a report shows what
a model gets wrong, without the images and without torch.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.clusters import side_by_side
from azeotrope.record.storage.store import RunStore

_STORED = {"i": np.uint16, "f": np.float32}  # by kind of number: class numbers and values take less room so


@dataclass(frozen=True)
class Answers:
    """The answer on every image, in manifest order: a class [n], yes or no for each class [n, C], or a value [n]; and
    the `probabilities` of the classes [n, C], None where there are none.
    """

    said: NDArray[Any]
    probabilities: NDArray[np.float16] | None = None


@dataclass(frozen=True)
class TestSet:
    """The test images by name, in the order of all answers, with their labels (as `Answers.said`) and clusters [n]
    (None: each stands for itself). `folds`: how many of them are of each fold; empty without folds.
    """

    __test__ = False  # no test of pytest

    keys: tuple[str, ...]
    labels: NDArray[Any]
    clusters: NDArray[np.int64] | None = None
    folds: tuple[int, ...] = ()


def keep_answers(
    store: RunStore, run_id: str, test: Answers, validation: Answers | None = None, labels: NDArray[Any] | None = None
) -> None:
    """Store the answers on the test images, and those on the run's validation images with their `labels`, on which
    thresholds are chosen.
    """
    parts = {"predictions": test.said, "probabilities": test.probabilities}
    if validation is not None:
        parts |= {
            "val_predictions": validation.said,
            "val_probabilities": validation.probabilities,
            "val_labels": labels,
        }
    _write(store, f"predictions/{run_id}.npz", parts)


def answers_of(out: str | Path, *run_ids: str) -> Answers | None:
    """The stored answers of a run on the test images, or of the runs of all folds after one another; None when a run
    has none.
    """
    found = [_read(out, f"predictions/{run_id}.npz") for run_id in run_ids]
    known = [content for content in found if content is not None]
    if not known or len(known) < len(found):
        return None
    sure = [content["probabilities"] for content in known if "probabilities" in content]
    said = np.concatenate([content["predictions"] for content in known])
    return Answers(said, np.concatenate(sure) if len(sure) == len(known) else None)


def validation_of(out: str | Path, run_id: str) -> tuple[Answers, NDArray[Any]] | None:
    """The stored answers on the run's validation images and the labels of these, or None when there are none. Those of
    several folds are never put together: an image that validates in one is a test image of another.
    """
    content = _read(out, f"predictions/{run_id}.npz")
    if content is None or "val_labels" not in content:
        return None
    return Answers(content["val_predictions"], content.get("val_probabilities")), content["val_labels"]


def keep_test_set(store: RunStore, test: TestSet, fold: int | None = None) -> None:
    """Store what the answers are about, unless it is there: all runs of a store, or of a fold, have the same test
    images.
    """
    if store.read(name := _test_set(fold)) is None:
        _write(store, name, {"keys": np.array(test.keys), "labels": test.labels, "clusters": test.clusters})


def stored_test_set(out: str | Path, folds: int | None = None) -> TestSet | None:
    """What the stored answers are about, all folds after one another, or None in a store that does not say it."""
    found = [_read(out, _test_set(fold)) for fold in (range(1, folds + 1) if folds else (None,))]
    known = [content for content in found if content is not None]
    if len(known) < len(found):
        return None
    keys = tuple(str(key) for content in known for key in content["keys"].tolist())
    clusters = [content["clusters"] for content in known if "clusters" in content]
    labels = np.concatenate([content["labels"] for content in known])
    sizes = tuple(len(content["keys"]) for content in known) if folds else ()
    return TestSet(keys, labels, side_by_side(clusters) if clusters else None, sizes)


def _test_set(fold: int | None) -> str:
    return "predictions/test_set.npz" if fold is None else f"predictions/test_set_{fold}.npz"


def _write(store: RunStore, name: str, parts: dict[str, NDArray[Any] | None]) -> None:
    """Without the parts that are None."""
    buffer = io.BytesIO()
    known = {key: part for key, part in parts.items() if part is not None}
    small = {
        key: part if part.dtype == np.float16 else part.astype(_STORED.get(part.dtype.kind, part.dtype))
        for key, part in known.items()
        if key != "clusters"
    }
    if "clusters" in known:
        small["clusters"] = known["clusters"].astype(np.uint32)
    np.savez_compressed(buffer, allow_pickle=False, **small)
    store.write(name, buffer.getvalue())


def _read(out: str | Path, name: str) -> dict[str, NDArray[Any]] | None:
    stored = RunStore(str(out)).read(name)
    if stored is None:
        return None
    with np.load(io.BytesIO(stored), allow_pickle=False) as content:
        return {key: np.asarray(content[key]) for key in content.files}
