import csv

import pytest

from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import Epoch, curve_of, curves_of, keep_curve

CURVE = (
    Epoch(0, 1e-3, 812.5, 2.25, {"cross_entropy": 1.5, "kl(T=1,alpha=2)": 0.75}),
    Epoch(1, 5e-4, 1000.0, 1.125, {"cross_entropy": 0.625, "kl(T=1,alpha=2)": 0.5}, 0.25, 0.875),
)


def test_what_is_kept_is_read_and_any_reader_of_tables_reads_it(tmp_path):
    keep_curve(RunStore(str(tmp_path)), "abc", CURVE)
    assert curve_of(tmp_path, "abc") == CURVE
    with (tmp_path / "curves" / "abc.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["epoch"], first["loss:kl(T=1,alpha=2)"], first["val_error"]) == ("0", "0.75", "")
    assert (second["learning_rate"], second["images_per_second"], second["val_loss"]) == ("0.0005", "1000", "0.875")


def test_a_store_without_curves_has_none(tmp_path):
    keep_curve(RunStore(str(tmp_path)), "none", ())
    assert curve_of(tmp_path, "none") == ()
    assert curves_of(tmp_path, ["none", "abc"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_try_without_an_epoch_leaves_nothing_of_the_one_before(tmp_path):
    for where in (str(tmp_path), "memory://store-of-tries"):
        store = RunStore(where)
        keep_curve(store, "abc", CURVE)
        keep_curve(store, "abc", ())
        assert curve_of(where, "abc") == ()
        assert store.names("curves") == []


def test_a_store_at_a_url_keeps_curves_too():
    keep_curve(RunStore("memory://store-of-curves"), "abc", CURVE)
    assert curves_of("memory://store-of-curves", ["abc", "def"]) == {"abc": CURVE}


@pytest.mark.parametrize("content", [b"epoch,loss\n0,1\n", b"\xff\xfe\x00", b"epoch,learning_rate\nx,y\n"])
def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path, content):
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "abc.csv").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        curve_of(tmp_path, "abc")
    assert "curves/abc.csv cannot be read" in str(refusal.value)
    assert "move this file away" in str(refusal.value)
