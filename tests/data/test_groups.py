"""A group is on one side of every division, and shares are as even as groups allow."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from azeotrope.data.auditing.told import group_words
from azeotrope.data.division.groups import divided, in_turn, joined, units_showing
from azeotrope.data.division.split import split_task
from azeotrope.data.division.subset import subset
from azeotrope.data.task import load_task
from azeotrope.errors import InputError, RunFailed
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.labels import LabelSpec
from azeotrope.spec import validated
from azeotrope.teacher.heads.folds import folds_of

from .made import manifest


def grouped(groups, classes=("a", "b")):
    """A manifest of `groups`: (name, label, how many images, split) each."""
    rows = [
        ((name, label, split, place), label, split) for name, label, count, split in groups for place in range(count)
    ]
    made = manifest(rows, classes)
    object.__setattr__(made, "groups", tuple(name for name, _, count, _ in groups for _ in range(count)))
    return made


def patients(count=24, images=10, split=""):
    return grouped([(f"p{number}", number % 2, images, split) for number in range(count)])


def sides(made, splits):
    return [{made.groups[row] for row in part.tolist()} for part in (splits.train, splits.val, splits.test)]


def test_images_and_near_copies_are_joined_by_chains():
    pairs = np.array([[1, 4], [4, 6]])
    assert joined(7, ("x", "y", "x", "z", "z", "u", "v"), pairs).tolist() == [0, 1, 0, 1, 1, 5, 1]
    assert joined(3).tolist() == [0, 1, 2]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12)), min_size=12, max_size=40))
def test_no_group_is_torn_and_every_image_is_somewhere(drawn):
    groups = [(f"g{place}", label, count, "") for place, (label, count) in enumerate(drawn)]
    groups += [(f"of{label}{more}", label, 2, "") for label in range(3) for more in range(3)]
    made = grouped(groups, ("a", "b", "c"))
    splits = split_task(made)
    train, val, test = sides(made, splits)
    assert len(train | val | test) == len(train) + len(val) + len(test)
    assert len(splits.train) + len(splits.val) + len(splits.test) == len(made.labels)
    for part in (splits.train, splits.val, splits.test):
        assert set(made.labels[part].tolist()) == {0, 1, 2}


def test_equal_groups_are_divided_as_images_would_be():
    made = patients(60)
    splits = split_task(made)
    assert [len(part) // 10 for part in (splits.train, splits.val, splits.test)] == [38, 10, 12]
    assert np.bincount(made.labels[splits.test]).tolist() == [60, 60]


def test_unequal_groups_give_shares_within_their_smallest():
    """20 % of each class, where groups hold 1 to 30 images: off by less than the smallest groups add up to."""
    random = np.random.default_rng(0)
    made = grouped([(f"g{n}", int(random.integers(2)), int(random.integers(1, 31)), "") for n in range(200)])
    splits = split_task(made)
    shares = np.bincount(made.labels[splits.test]) / np.bincount(made.labels)
    np.testing.assert_allclose(shares, 0.2, atol=0.02)


def test_a_large_group_trains():
    made = grouped(
        [("huge", 0, 100, ""), *((f"a{n}", 0, 3, "") for n in range(8)), *((f"b{n}", 1, 3, "") for n in range(8))]
    )
    assert "huge" in sides(made, split_task(made))[0]


def test_where_groups_are_single_images_the_splits_are_those_without():
    plain = manifest([(number, number % 2, "") for number in range(100)])
    named = manifest([(number, number % 2, "") for number in range(100)])
    object.__setattr__(named, "groups", tuple(map(str, range(100))))
    assert split_task(plain).test.tolist() == split_task(named).test.tolist()
    assert plain.fingerprint != named.fingerprint


def test_the_fingerprint_knows_groups_and_not_their_names():
    first, renamed, other = patients(), patients(), patients()
    object.__setattr__(renamed, "groups", tuple(f"person {name}" for name in first.groups))
    object.__setattr__(other, "groups", (*first.groups[1:], first.groups[0]))
    assert first.fingerprint == renamed.fingerprint
    assert len({first.fingerprint, other.fingerprint, manifest([(1, 0, "")]).fingerprint}) == 3


def test_the_order_of_listing_does_not_matter():
    made = patients(12)
    shuffled = np.random.default_rng(0).permutation(len(made.labels))
    other = manifest([(made.checksums[row], int(made.labels[row]), "") for row in shuffled])
    object.__setattr__(other, "checksums", tuple(made.checksums[row] for row in shuffled))
    object.__setattr__(other, "groups", tuple(made.groups[row] for row in shuffled))
    assert sides(made, split_task(made)) == sides(other, split_task(other))


def refusal(made, **options):
    with pytest.raises(InputError) as caught:
        split_task(made, **options)
    return str(caught.value)


def test_one_group_is_refused():
    assert refusal(grouped([("all", 0, 10, ""), ("all", 1, 10, "")])) == (
        "A group is in one split only, so there must be several. Found: 1 for 20 images: 'all'. "
        "Allowed: at least 3 groups: 1 each for train, val, test. "
        "Next: name what tells more groups apart, or leave --group and --group-by out."
    )


def test_a_class_that_lives_in_one_group_is_refused():
    made = grouped([*((f"p{n}", 0, 5, "") for n in range(6)), ("lone", 1, 9, "")])
    assert refusal(made) == (
        "A class lives in too few groups: a group is in one split only. Found: 'b' in 1 ('lone'). "
        "Allowed: at least 3 groups a class: 1 each for train, val, test. "
        "Next: add images of other groups, leave these classes out, or give the splits in the data."
    )


def test_a_group_in_both_given_splits_is_refused_unless_insisted():
    made = grouped([*((f"p{n}", n % 2, 5, "train") for n in range(8)), ("p3", 1, 4, "test"), ("new", 0, 4, "test")])
    assert refusal(made) == (
        "A group must be in one of the given splits only, and 1 of 9 groups of made are in several. "
        "Found: 'p3' in train and test. "
        "Allowed: splits that hold whole groups: an error on test images whose group was trained on flatters. "
        "Next: give splits that keep groups apart or none at all, or insist with --keep-leaks."
    )
    task = split_task(made, keep_leaks=True)
    assert task.torn == 1
    (said,) = group_words(made, task)
    assert said.startswith(
        "1 groups stand in several of the given splits, as --keep-leaks insists: the error may flatter. Of 9 groups "
    )


def test_near_copies_join_groups_in_the_splits_made_here():
    made = patients(12)
    pairs = np.array([[0, 10], [10, 20], [20, 30]])
    together = next(side for side in sides(made, split_task(made, near=pairs)) if "p0" in side)
    assert {"p0", "p1", "p2", "p3"} <= together


def test_near_copies_between_all_groups_are_given_up_and_groups_are_not():
    made = patients(12)
    pairs = np.column_stack([np.zeros(11, int), np.arange(10, 120, 10)])
    splits = split_task(made, near=pairs)
    assert splits.together is None
    train, val, test = sides(made, splits)
    assert len(train | val | test) == len(train) + len(val) + len(test)


def test_subsets_are_nested_whole_groups_but_for_the_last():
    made = patients(30)
    splits = split_task(made)
    units = splits.units

    def drawn(count, seed=0):
        return subset(splits.train, made.labels, count, seed, made.checksums, SINGLE, units)

    big = drawn(95)
    assert drawn(40).tolist() == big[:40].tolist()
    assert drawn(40, seed=1).tolist() != big[:40].tolist()
    _, counts = np.unique(units[big], return_counts=True)
    assert sorted(counts.tolist()) == [5, *[10] * 9]
    assert np.abs(np.diff(np.bincount(made.labels[big]))) <= 10


@pytest.mark.parametrize("kind", ["single", "multi", "number"])
def test_every_kind_can_be_divided_and_drawn_by_groups(kind):
    random, one = np.random.default_rng(1), kind_named(kind)
    labels = {
        "single": random.integers(0, 3, 200),
        "multi": random.random((200, 3)) < 0.4,
        "number": random.normal(size=200),
    }[kind]
    units, rank = np.arange(200) // 5, random.permutation(200).astype(np.uint64)
    strata = one.strata_of(labels)
    assert set(strata[0].tolist()) == set(range(200))
    taken = divided(units, strata, rank, 0.25, lambda places: places[:0], needed=one.needed_strata(3), keep=1)
    assert abs(taken.mean() - 0.25) < 0.06
    assert all(len(set(taken[units == unit].tolist())) == 1 for unit in range(40))
    order = in_turn(units, strata, rank, 200)
    assert sorted(order.tolist()) == list(range(200))
    assert (units_showing(units, strata, 1) > 0).all()


def test_folds_hold_whole_groups():
    labels, units = np.arange(100) % 2, np.repeat(np.arange(10), 10)
    folds = folds_of(labels, SINGLE, 5, units)
    assert set(folds.tolist()) == set(range(5))
    assert all(len(set(folds[units == unit].tolist())) == 1 for unit in range(10))
    assert set(folds_of(labels[:30], SINGLE, 5, units[:30]).tolist()) == {0, 1, 2}
    with pytest.raises(RunFailed, match="needs two groups"):
        folds_of(labels[:10], SINGLE, 5, units[:10])


def pictures(folder, names):
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(place).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name)


def test_a_column_of_groups(tmp_path):
    names = [f"{patient}_{shot}.png" for patient in range(8) for shot in range(3)]
    pictures(tmp_path, names)
    table = pl.DataFrame({"path": names, "label": [("a", "b")[n // 3 % 2] for n in range(24)]})
    table = table.with_columns(patient=pl.Series([str(n // 3) for n in range(24)]))
    table.write_csv(tmp_path / "list.csv")
    task = load_task(str(tmp_path / "list.csv"), labels=LabelSpec(group="patient"))
    by_name = load_task(str(tmp_path / "list.csv"), labels=LabelSpec(group_by=r"^(\d)_"))
    assert task.fingerprint == by_name.fingerprint
    assert len(np.unique(task.units)) == 8
    (said,) = [word for word in task.words if word.startswith("Images of one group")]
    assert said.startswith("Images of one group stay together: of 8 groups 4 train (12 images), 2 validate (6 images)")
    plain = load_task(str(tmp_path / "list.csv"))
    assert plain.units is None
    assert any("--group patient keeps each group on one side" in word for word in plain.words)
    table.with_columns(patient=pl.lit("")).write_csv(tmp_path / "empty.csv")
    with pytest.raises(InputError, match=r"Every image of .*empty\.csv needs a group\. Found: 24 of 24 without one"):
        load_task(str(tmp_path / "empty.csv"), labels=LabelSpec(group="patient"))
    table.with_columns(patient=pl.Series([float("nan")] + [1.0] * 23)).write_parquet(tmp_path / "no.parquet")
    with pytest.raises(InputError, match=r"Every image of .*no\.parquet needs a group\. Found: 1 of 24 without one"):
        load_task(str(tmp_path / "no.parquet"), labels=LabelSpec(group="patient"))


def test_a_column_that_tears_its_groups_is_said(tmp_path):
    names = [f"{place}.png" for place in range(20)]
    pictures(tmp_path, names)
    split = ["train"] * 14 + ["test"] * 6
    patient = [f"p{place % 5}" for place in range(20)]
    pl.DataFrame({"path": names, "label": ["a", "b"] * 10, "split": split, "patient": patient}).write_csv(
        tmp_path / "list.csv"
    )
    said = load_task(str(tmp_path / "list.csv")).words
    assert any("5 of its 5 groups stand in more than one of the given splits" in word for word in said)


def test_folders_inside_class_folders_are_groups(tmp_path):
    pictures(
        tmp_path, [f"{label}/{person}{label}/{shot}.png" for label in "ab" for person in range(5) for shot in range(4)]
    )
    task = load_task(str(tmp_path), labels=LabelSpec(group_by="parent"))
    assert len(np.unique(task.units)) == 10
    with pytest.raises(InputError, match=r"nothing for --group-by \(shot\\d\) in 40 of 40, such as a/0a/0\.png"):
        load_task(str(tmp_path), labels=LabelSpec(group_by=r"(shot\d)"))


def test_as_many_groups_as_images_is_said(tmp_path):
    pictures(tmp_path, [f"{label}/{place}{label}.png" for label in "ab" for place in range(6)])
    words = load_task(str(tmp_path), labels=LabelSpec(group_by=r"\w+\.png")).words
    assert "Each image is a group of its own: these groups keep nothing together." in words


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"group_by": "(("}, "a regular expression, or parent, is needed: '((' is none"),
        ({"group": "p", "group_by": "parent"}, "both say which images belong together"),
        ({"keep_leaks": True}, "keep_leaks is about groups"),
    ],
)
def test_groups_that_are_asked_for_wrongly(asked, said):
    with pytest.raises(InputError) as caught:
        validated(LabelSpec, asked)
    assert said in str(caught.value)


def test_what_was_asked_without_groups_is_written_as_before():
    assert set(LabelSpec().model_dump()) == {"kind", "column", "separator", "unit"}
