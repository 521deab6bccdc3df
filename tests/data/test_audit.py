import json

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.auditing.audit import audit
from azeotrope.data.listing import near
from azeotrope.data.listing.near import near_pairs
from azeotrope.data.listing.scan import scan
from azeotrope.data.sources._source import Item, Source

from .pictures import encoded, noise, png_header, smooth


def audited(rows, classes=("a", "b")):
    """`rows`: (raw, label, split) each; keys are their numbers."""
    items = [Item(str(place), label, split) for place, (_, label, split) in enumerate(rows)]
    source = Source("made", classes, items, lambda place: rows[place][0])
    return audit(scan(source), source)


def pairs(*raws):
    source = Source("made", ("a",), [Item(str(place), 0, "") for place in range(len(raws))], lambda place: raws[place])
    return near_pairs(scan(source), source)


def test_a_clean_set_has_no_findings():
    result = audited([(smooth(seed), seed % 2, "") for seed in range(20)])
    assert result.class_counts == {"": (10, 10)}
    assert [result.unreadable.count, result.exact_duplicates.count, result.near_duplicates.count] == [0, 0, 0]
    assert (result.grey, result.very_wide.count, result.smallest_side, result.largest_side) == (0, 0, 96, 96)


def test_unreadable_files_are_listed_with_reasons_and_not_counted_in_their_class():
    result = audited(
        [(encoded(noise(0)), 0, ""), (b"", 0, ""), (png_header(50_000, 50_000), 1, ""), (encoded(noise(1)), 1, "")]
    )
    assert result.unreadable.count == 2
    assert result.unreadable.examples[0] == ("1", "the file is empty")
    assert result.class_counts == {"": (1, 1)}


def test_copies_and_conflicting_labels():
    twice, thrice = noise(0), noise(1)
    result = audited([(twice, 0, ""), (thrice, 0, ""), (twice, 0, ""), (thrice, 1, ""), (thrice, 0, "")])
    assert result.exact_duplicates.count == 3
    assert set(result.exact_duplicates.examples) == {("0", "2"), ("1", "3", "4")}
    assert result.conflicting_labels.count == 1
    assert result.conflicting_labels.examples == (("1", "a", "3", "b", "4", "a"),)


def test_leaks_are_counted_once_for_each_image_that_should_not_be_known():
    leaked, inside = noise(0), noise(1)
    rows = [(leaked, 0, "train"), (leaked, 0, "val"), (leaked, 0, "test"), (inside, 1, "train"), (inside, 1, "train")]
    result = audited(rows)
    assert result.exact_leaks.count == 2
    assert set(result.exact_leaks.examples) == {("0", "2"), ("1", "2")}


def test_a_copy_saved_again_in_another_split_is_a_near_leak():
    picture = smooth(3)
    result = audited(
        [(encoded(picture, "JPEG", quality=40), 0, "test"), (encoded(picture), 0, "train"), (smooth(4), 1, "train")]
    )
    assert result.exact_leaks.count == 0
    assert result.near_leaks.examples == (("1", "0"),)
    assert result.near_duplicates.examples == (("0", "1"),)


def test_examples_are_limited_and_counts_are_not():
    result = audited([(b"", 0, "")] * 30)
    assert (result.unreadable.count, len(result.unreadable.examples)) == (30, 10)


def test_wide_and_grey_images_and_notes_are_counted():
    layered = encoded(np.dstack([noise(0), noise(1, (12, 16))]))
    result = audited([(noise(0, (10, 41)), 0, ""), (noise(1, (40, 10)), 0, ""), (layered, 1, "")])
    assert result.very_wide.examples == (("0", "41 x 10"),)
    assert (result.grey, result.notes) == (2, {"alpha": 1})


def test_the_audit_is_json():
    text = json.dumps(audited([(smooth(0), 0, "train"), (smooth(0), 1, "test")]).to_json())
    assert json.loads(text)["exact_leaks"] == {"count": 1, "examples": [["0", "1"]]}


def test_an_empty_set_can_be_audited():
    result = audited([])
    assert (result.images, result.smallest_side, result.near_duplicates.count) == (0, 0, 0)


def changed(kind):
    picture = smooth(5)
    image = Image.fromarray(picture)
    return {
        "compressed": lambda: encoded(picture, "JPEG", quality=30),
        "smaller": lambda: encoded(image.resize((64, 64), Image.Resampling.LANCZOS)),
        "larger": lambda: encoded(image.resize((160, 160), Image.Resampling.BICUBIC)),
        "brighter": lambda: np.clip(picture * 0.8 + 20, 0, 255).astype(np.uint8),
    }[kind]()


@pytest.mark.parametrize("kind", ["compressed", "smaller", "larger", "brighter"])
def test_the_same_picture_changed_a_little_is_found(kind):
    assert pairs(smooth(1), changed(kind), smooth(2), smooth(5)).tolist() == [[1, 3]]


def test_the_same_layout_in_another_colour_is_not_the_same_picture():
    picture = smooth(5)
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    tinted = np.stack([grey, grey, grey], axis=2)
    assert len(pairs(picture, tinted)) == 0


def test_flat_images_are_not_compared():
    assert len(pairs(*(np.full((20, 20), value, np.uint8) for value in (10, 11, 12)))) == 0


def test_nothing_is_missed_by_the_search_near_low_frequencies():
    """Against all pairs compared in full: 300 pictures of which neighbours in the list blend into each other."""
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 4, (300, 48, 48))
    walk = np.clip(128 + np.cumsum(steps, axis=0), 0, 255).astype(np.uint8)
    found = pairs(*walk)
    source = Source("made", ("a",), [Item(str(place), 0, "") for place in range(300)], lambda place: walk[place])
    small = near.standardised(scan(source).thumbnails)
    closeness = small @ small.T
    first, second = np.nonzero(np.triu(closeness >= near.ALIKE, 1))
    by_hand = near._confirmed(np.stack([first, second], axis=1), closeness[first, second] >= near.SURE, source)
    assert len(by_hand) > 20
    np.testing.assert_array_equal(found, by_hand)


def test_where_all_resemble_each_other_near_duplicates_are_not_measured(monkeypatch):
    monkeypatch.setattr(near, "_MOST_CANDIDATES", 10)
    frames = [np.clip(smooth(1).astype(int) + seed, 0, 255).astype(np.uint8) for seed in range(12)]
    result = audited([(frame, 0, "") for frame in frames])
    assert result.near_duplicates is None
    assert result.near_leaks is None
