"""What a stranger's column names mean: upper case, spaces, `method`, `n_train`, `Test Acc`, `config.seed`.

A name that is ours stays; another is copied under ours, so that flags may use either. It looks at names, and at values
only where a state is spelt in another way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

NAMES: dict[str, tuple[str, ...]] = {
    "train_images": (
        "train_images", "images", "n_train", "ntrain", "num_train", "n_images", "num_images", "train_size",
        "training_images", "training_size", "train_samples", "training_samples", "n_samples", "num_samples", "samples",
        "n", "dataset_size", "data_size", "size", "examples", "examples_seen", "n_examples", "num_examples",
        "train_examples", "labels", "n_labels", "labelled_images", "labeled_images", "bilder", "trainingsbilder",
        "anzahl_bilder",
    ),
    "pretrain_images": ("pretrain_images", "pretraining_images", "n_pretrain"),
    "test_error": (
        "test_error", "error", "err", "test_err", "error_rate", "err_rate", "test_error_rate", "top1_error",
        "top_1_error", "top1_err", "misclassification", "fehler", "testfehler", "fehlerrate",
    ),
    "test_loss": (
        "test_loss", "loss", "nll", "test_nll", "log_loss", "logloss", "test_log_loss", "cross_entropy", "eval_loss",
    ),
    "arm": (
        "arm", "strategy", "method", "methode", "verfahren", "approach", "variant", "algorithm", "algo", "technique",
        "setting", "system", "model", "modell", "learner", "classifier",
    ),
    "seed": (
        "seed", "random_seed", "random_state", "rng_seed", "trial", "repeat", "repetition", "replicate", "rep", "run",
        "fold", "wiederholung", "lauf",
    ),
    "task": ("task", "dataset", "data_set", "benchmark", "datensatz"),
    "student": ("student", "backbone", "architecture", "arch"),
    "test_images": ("test_images", "n_test", "num_test", "test_size", "test_samples", "testbilder"),
    "parameters": ("parameters", "params", "n_params", "num_params", "n_parameters", "num_parameters", "parameter"),
    "state": ("state", "status"),
}  # fmt: skip
"""Ours, and what others call it; where a table has several, the earlier name counts."""
ACCURACIES = (
    "accuracy", "acc", "test_accuracy", "test_acc", "top1", "top_1", "top1_acc", "top1_accuracy", "top_1_accuracy",
    "top_1_acc", "eval_accuracy", "eval_acc", "accuracy_score", "genauigkeit", "testgenauigkeit", "acc1", "acc_1",
)  # fmt: skip
_PREFIX = re.compile(r"^(?:config|summary|params|metrics|hparams)[._/]+(?=.)")
_UNIT = re.compile(r"_(?:in_)?(?:percent|pct|prozent|per_cent)$")
_OTHER_SPLITS = re.compile(r"^(?:val|valid|validation|dev|train|training)_")
_DONE = ("done", "finished", "success", "succeeded", "completed", "complete", "ok")


def plain(name: str) -> str:
    """A column's name without case, marks, prefixes of trackers and units: `Test Acc. (%)` is `test_acc`."""
    bare = _PREFIX.sub("", re.sub(r"[↑↓]", "", name).strip().lower())
    bare = re.sub(r"[^0-9a-zäöüß]+", "_", bare.replace("%", " percent ")).strip("_")
    return _UNIT.sub("", bare)


def canonical(name: str) -> str | None:
    """Our name for a column; None for one that means nothing to us."""
    bare = plain(name)
    return next((ours for ours, theirs in NAMES.items() if bare in theirs), None)


def is_accuracy(name: str) -> bool:
    """Whether a column's name says accuracy rather than error, on whatever images it was measured."""
    bare = _OTHER_SPLITS.sub("", plain(name))
    return bare in ACCURACIES or "accuracy" in bare or bare.endswith("_acc")


def accuracies(columns: Sequence[str]) -> list[str]:
    """The columns that say accuracy, test ones first; without those of validation or training, not the result."""
    found = [name for name in columns if is_accuracy(name) and not plain(name).startswith(("val", "train"))]
    return sorted(
        found, key=lambda name: ACCURACIES.index(plain(name)) if plain(name) in ACCURACIES else len(ACCURACIES)
    )


def recognised(table: pl.DataFrame) -> pl.DataFrame:
    """The table with a copy under our name of every column that has another; ours are appended, theirs stay."""
    copies = {ours: name for ours, name in readings(table.columns).items() if ours not in table.columns}
    table = table.with_columns(pl.col(name).alias(ours) for ours, name in copies.items())
    if "state" in table.columns and table.schema["state"] == pl.String:
        done = pl.col("state").str.to_lowercase().is_in(_DONE)
        table = table.with_columns(state=pl.when(done).then(pl.lit("done")).otherwise(pl.col("state")))
    return table


def readings(columns: Sequence[str]) -> dict[str, str]:
    """By our name, the column that is read as it. A second `model` beside a method is the student."""
    found: dict[str, str] = {}
    for ours, theirs in NAMES.items():
        named = {plain(name): name for name in reversed(columns)}
        match = next((named[name] for name in theirs if name in named), None)
        if ours in columns:
            found[ours] = ours
        elif match is not None and match not in found.values():
            found[ours] = match
    if "student" not in found and "arm" in found:
        model = next((name for name in columns if plain(name) in ("model", "modell") and name != found["arm"]), None)
        found |= {"student": model} if model else {}
    return found


def own(columns: Sequence[str]) -> list[str]:
    """The person's own columns: without the copies that `recognised` appended."""
    return [
        name
        for place, name in enumerate(columns)
        if name not in NAMES or not any(_means(other, name) for other in columns[:place])
    ]


def own_name(columns: Sequence[str], name: str) -> str:
    """What the person calls the column that is ours under `name`."""
    if name in own(columns):
        return name
    return readings(own(columns)).get(name, name)


def notes(columns: Sequence[str]) -> list[str]:
    """What was read as what, where the names differ by more than their case."""
    return [
        f"column {name!r} is read as {ours}"
        for ours, name in readings(own(columns)).items()
        if plain(name) != ours and ours in columns and ours != "test_error"
    ]


def _means(other: str, ours: str) -> bool:
    return canonical(other) == ours or (ours == "student" and plain(other) in ("model", "modell"))
