import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.listing import scan as listing
from azeotrope.data.listing.scan import scan
from azeotrope.data.sources._source import Item, Source
from azeotrope.data.sources.folder import open_source

from .pictures import encoded, noise, png_header, write_class_folders


def source_of(raws, labels=None, classes=("a", "b"), splits=None):
    labels = labels or [place % 2 for place in range(len(raws))]
    splits = splits or [""] * len(raws)
    items = [
        Item(f"{place}.png", label, split) for place, (label, split) in enumerate(zip(labels, splits, strict=True))
    ]
    return Source("made", classes, items, lambda place: raws[place])


def test_every_image_is_measured_and_identified():
    raws = [encoded(noise(0, (4, 6, 3))), encoded(noise(1, (5, 7)))]
    manifest = scan(source_of(raws))
    np.testing.assert_array_equal(manifest.heights, [4, 5])
    np.testing.assert_array_equal(manifest.widths, [6, 7])
    np.testing.assert_array_equal(manifest.channels, [3, 1])
    assert manifest.checksums == tuple(hashlib.sha256(raw).hexdigest() for raw in raws)
    assert manifest.readable.all()


def test_unreadable_images_are_rows_with_reasons():
    whole = encoded(noise(0, (64, 64, 3)))
    manifest = scan(source_of([whole, whole[:200], b"", png_header(50_000, 50_000), encoded(noise(1))]))
    np.testing.assert_array_equal(manifest.readable, [True, False, False, False, True])
    assert manifest.reasons[2] == "the file is empty"
    assert "damaged" in manifest.reasons[1]
    assert "decompression bomb" in manifest.reasons[3]
    np.testing.assert_array_equal(manifest.heights, [64, 0, 0, 0, 12])


def test_a_file_that_is_gone_is_a_row_with_a_reason(tmp_path):
    source = open_source(str(write_class_folders(tmp_path, {"a": 2, "b": 2})))
    (tmp_path / "a" / "0.png").unlink()
    manifest = scan(source)
    assert manifest.reasons == {0: "cannot be opened: No such file or directory"}
    assert manifest.checksums[0] == ""


@pytest.mark.parametrize(
    "error",
    [
        SyntaxError("broken PNG file"),
        Image.DecompressionBombError("too many pixels"),
        TypeError("'NoneType' object is not subscriptable"),
        ValueError("embedded null byte"),
    ],
)
def test_an_item_on_which_its_source_fails_is_a_row_with_a_reason(error):
    def read(place):
        if place == 1:
            raise error
        return encoded(noise(place))

    manifest = scan(Source("made", ("a", "b"), [Item(f"{place}.png", place % 2, "") for place in range(3)], read))
    np.testing.assert_array_equal(manifest.readable, [True, False, True])
    assert manifest.reasons == {1: f"cannot be opened: {type(error).__name__}: {error}"}
    assert manifest.checksums[1] == ""


def test_what_decoding_did_is_counted():
    layered = np.dstack([noise(0), noise(1, (12, 16))])
    assert scan(source_of([encoded(layered), encoded(layered), encoded(noise(2))])).notes == {"alpha": 2}


@pytest.mark.parametrize("threads", [1, 4])
def test_rows_keep_the_order_of_the_source(threads):
    pictures = [noise(place, (3, 3 + place)) for place in range(200)]
    manifest = scan(source_of(pictures), threads=threads)
    np.testing.assert_array_equal(manifest.widths, np.arange(3, 203))


def test_progress_ends_at_the_number_of_images():
    seen = []
    scan(source_of([noise(place) for place in range(150)]), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(64, 150), (128, 150), (150, 150)]


def test_arrays_of_equal_bytes_and_other_shape_differ():
    manifest = scan(source_of([np.zeros((2, 8), np.uint8), np.zeros((4, 4), np.uint8)]))
    assert manifest.checksums[0] != manifest.checksums[1]


def test_the_fingerprint_follows_the_content_not_the_place(tmp_path):
    first = write_class_folders(tmp_path / "one", {"a": 3, "b": 3})
    second = write_class_folders(tmp_path / "two" / "deeper", {"a": 3, "b": 3})
    (second / "a" / "0.png").rename(second / "a" / "zzz.png")  # listed last
    one, two = (scan(open_source(str(folder))) for folder in (first, second))
    assert one.fingerprint == two.fingerprint
    assert one.order_digest != two.order_digest


@pytest.mark.parametrize(
    "other",
    [
        {"raws": [noise(0), noise(9)]},
        {"labels": [1, 0]},
        {"classes": ("a", "c")},
        {"splits": ["train", "test"]},
    ],
)
def test_the_fingerprint_changes_with(other):
    common = {"raws": [noise(0), noise(1)]}
    assert scan(source_of(**common)).fingerprint != scan(source_of(**{**common, **other})).fingerprint


def test_an_empty_source_has_an_empty_manifest():
    manifest = scan(source_of([]))
    assert (len(manifest.labels), manifest.thumbnails.shape) == (0, (0, 16, 16))


def test_threads_are_those_of_the_processors_that_may_be_used(monkeypatch):
    """Of a container that may use three of a large machine's processors."""
    asked = []
    monkeypatch.setattr(listing, "processors", lambda: 3)
    monkeypatch.setattr(listing, "ThreadPoolExecutor", lambda n: asked.append(n) or ThreadPoolExecutor(n))
    scan(source_of([noise(0)] * 3))
    assert asked == [3]
