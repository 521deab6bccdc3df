"""A set with groups: its generator sees training groups only, and nothing near another group's image is kept."""

import numpy as np
import polars as pl
import pytest

import azeotrope
from azeotrope.data.decoding.decode import decode
from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.synthesis.generators._generator import Made
from azeotrope.synthesis.opening import Ready
from azeotrope.synthesis.pictures import open_set
from azeotrope.synthesis.spec import SetsSpec

from .conftest import OWN, Artist

TENS = LabelSpec(group_by=r"(\d)\.png$")  # the last digit of a file's number: ten groups of twelve images


def test_training_groups_alone_are_shown_and_copies_of_others_are_dropped(
    shapes_folder, teacher, cache, tmp_path, monkeypatch
):
    task = load_task(str(shapes_folder), labels=TENS)
    groups, held = np.array(task.manifest.groups), np.concatenate([task.splits.val, task.splits.test])
    plain = load_task(str(shapes_folder))
    row = int(np.intersect1d(task.splits.test, plain.splits.train)[0])  # without groups this image would have trained
    planted, label = decode(task.source.read(row)).pixels, int(task.labels[row])
    shown = []

    class Copyist(Artist):
        def make(self, requests):
            return [
                Made(planted) if (each.label, each.index) == (label, 1) else one
                for each, one in zip(requests, super().make(requests), strict=True)
            ]

    def trained(_plan, pack, rows, *_):
        shown.extend(groups[rows].tolist())
        assert pack.task.fingerprint == task.fingerprint
        return Ready(Copyist(), seconds=1.0)

    monkeypatch.setattr("azeotrope.api.synth.train_own", trained)
    (done,) = azeotrope.synth(
        str(shapes_folder),
        teacher=teacher,
        generator=OWN,
        out=tmp_path,
        sets=SetsSpec(per_class=8, train_images=40),
        labels=TENS,
        precision="fp32",
        cache=cache,
    )
    assert shown
    assert not set(shown) & set(groups[held].tolist())
    rows = pl.read_parquet(done.folder / "provenance.parquet")
    (found,) = rows.filter((pl.col("label") == label) & (pl.col("index") == 1)).to_dicts()
    assert not found["kept"]
    assert "validation or test image" in found["reason"]
    assert open_set(tmp_path, task, 40, 0).made == 24
    with pytest.raises(InputError, match="were made for other images"):
        open_set(tmp_path, plain, 40, 0)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (LabelSpec(kind="multi"), "--kind multi"),
        (LabelSpec(pixels=PixelSpec(bits=16)), "--bands, --bits, --colours, --fit or --formats"),
    ],
)
def test_what_no_picture_is_made_of_is_refused_at_once(labels, found, tmp_path, teacher):
    with pytest.raises(InputError) as refused:
        azeotrope.synth(
            "nowhere", teacher=teacher, generator=OWN, out=tmp_path, sets=SetsSpec(per_class=1), labels=labels
        )
    assert refused.value.rule == "Pictures are made of one class each, grey or colour of 8 bits"
    assert refused.value.found == found
