import pytest

from azeotrope.data.class_names import look_like_shards, shard_warning


@pytest.mark.parametrize(
    "classes",
    [("data_0", "data_1"), ("part-00000", "part-00001", "part-00002"), ("Shard 1", "shard 2"), ("train0", "train1")],
)
def test_parts_of_an_archive_are_told_from_classes(classes):
    assert look_like_shards(classes)


@pytest.mark.parametrize(
    "classes",
    [
        ("cat", "dog"),
        ("0", "1", "2"),  # digits are classes
        ("class_0", "class_1"),  # anonymous, yet classes
        ("data_0", "cat"),
        ("data_0", "part_1"),
        ("data_0",),
        ("001.Black_footed_Albatross", "002.Laysan_Albatross"),
        ("707-320", "727-200"),  # aeroplanes
    ],
)
def test_classes_are_left_alone(classes):
    assert not look_like_shards(classes)
    assert shard_warning(classes) is None


def test_the_warning_shows_the_first_and_says_what_to_do():
    assert shard_warning([f"data_{number}" for number in range(5)]) == (
        "The names of the classes (data_0, data_1, data_2, ...) look like the parts of an archive, not like classes: "
        "the images may be sorted by where they were stored. If so, list them with their labels in a table, or move "
        "them into folders of classes."
    )
