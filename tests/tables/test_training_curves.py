"""One table of all curves, whatever columns each run fills and whichever comes first."""

import polars as pl
import pytest

from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import Epoch, keep_curve
from azeotrope.tables.training_curves import epochs_frame
from reporting.factories import run

BEFORE = Epoch(0, 1e-3, 500.0, 2.0, {"cross_entropy": 2.0})
JUDGED = Epoch(0, 1e-3, 500.0, 3.0, {"cross_entropy": 2.0, "kl": 1.0}, 0.25, 0.875)
PAIRS = [
    (("scratch", "done", BEFORE), ("distill", "done", JUDGED)),
    (("distill", "failed", BEFORE), ("distill", "done", JUDGED)),
]


@pytest.mark.parametrize("pair", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_a_column_that_is_empty_in_one_run_has_the_type_of_the_other(tmp_path, pair):
    store = RunStore(str(tmp_path))
    for run_id, (arm, state, epoch) in zip("ab", pair, strict=True):
        store.put(run(arm, run_id=run_id, state=state, reason="diverged" if state == "failed" else None))
        keep_curve(store, run_id, [epoch])
    frame = epochs_frame([str(tmp_path)])
    assert frame.columns[8:12] == ["epoch", "learning_rate", "images_per_second", "loss"]
    assert set(frame.columns[12:-2]) == {"loss:cross_entropy", "loss:kl"}
    assert frame.columns[-2:] == ["val_error", "val_loss"]
    assert frame["state"].to_list() == [state for _, state, _ in pair]
    assert frame["teacher"].to_list() == ["big" if arm == "distill" else None for arm, _, _ in pair]
    assert frame["loss:kl"].to_list() == [epoch.losses.get("kl") for _, _, epoch in pair]
    assert frame["val_error"].to_list() == [epoch.val_error for _, _, epoch in pair]
    assert (frame.schema["epoch"], frame.schema["val_loss"]) == (pl.Int64, pl.Float64)


def test_a_column_that_no_run_fills_has_its_type_all_the_same(tmp_path):
    store = RunStore(str(tmp_path))
    store.put(run("scratch", run_id="a"))
    keep_curve(store, "a", [BEFORE])
    schema = epochs_frame([str(tmp_path)]).schema
    assert (schema["teacher"], schema["val_error"]) == (pl.String, pl.Float64)
