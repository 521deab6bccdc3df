"""Folders as people have them. Each test is an input of a public report, or one of its kind, with the right answer."""

import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.task import RefusedSet, load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

from .inputs import both, counts, folder_of, picture, read, said


def refusal(spec, **labels):
    with pytest.raises(InputError) as caught:
        load_task(str(spec), labels=LabelSpec(**labels))
    return str(caught.value)


class TestSplitFolders:
    @pytest.mark.parametrize(
        ("train", "test"),
        [("training_set", "test_set"), ("Train2017", "testing-images"), ("TRAIN DATA", "holdout"), ("trn", "tst")],
    )
    def test_other_names(self, tmp_path, train, test):
        both(tmp_path / train, 10)
        both(tmp_path / test, 4, start=500)
        assert counts(tmp_path) == {"train": {"bolt": 10, "nut": 10}, "test": {"bolt": 4, "nut": 4}}
        assert f"Folders called {test!r} are read as the split test." in said(tmp_path)

    def test_a_word_that_may_be_two_splits_is_asked_about(self, tmp_path):
        both(tmp_path / "train")
        both(tmp_path / "eval", start=500)
        assert "eval with 20 images, whose name means neither train, val nor test" in refusal(tmp_path)

    def test_a_flat_folder_of_test_pictures(self, tmp_path):
        both(tmp_path / "train")
        both(tmp_path / "val", start=100)
        (tmp_path / "test").mkdir()
        for number in range(5):
            picture("bolt", 200 + number).save(tmp_path / "test" / f"{number}.png")
        message = refusal(tmp_path)
        assert "test must hold class folders" in message
        assert "5 images and no class folders" in message
        assert "azeotrope predict takes it" in message
        assert "below train" not in message.partition("Next:")[2]

    def test_splits_inside_the_classes(self, tmp_path):
        for kind in ("bolt", "nut"):
            both_splits = tmp_path / kind
            folder_of(both_splits, kind, 8, name="train")
            folder_of(both_splits, kind, 3, start=100, name="test")
        assert counts(tmp_path) == {"train": {"bolt": 8, "nut": 8}, "test": {"bolt": 3, "nut": 3}}

    def test_splits_inside_some_classes_only(self, tmp_path):
        folder_of(tmp_path / "bolt", "bolt", 8, name="train")
        folder_of(tmp_path / "bolt", "bolt", 3, start=100, name="test")
        folder_of(tmp_path, "nut", 8)
        assert "nut holds something else" in refusal(tmp_path)

    def test_a_folder_without_images_beside_the_splits_is_passed_over(self, tmp_path):
        both(tmp_path / "train")
        (tmp_path / "annotations").mkdir()
        (tmp_path / "annotations" / "1.xml").write_text("<a/>")
        assert counts(tmp_path) == {"train": {"bolt": 10, "nut": 10}}
        assert [(row.where, row.what, row.count) for row in read(tmp_path).source.passed] == [
            ("annotations", ".xml", 1)
        ]


class TestLevels:
    def test_an_archive_unpacked_with_its_outer_folder(self, tmp_path):
        both(tmp_path / "set" / "dataset")
        (tmp_path / "set" / "__MACOSX").mkdir()
        assert counts(tmp_path / "set") == {"": {"bolt": 10, "nut": 10}}
        assert "dataset is read as the data" in said(tmp_path / "set")

    def test_two_outer_folders_with_splits_inside(self, tmp_path):
        both(tmp_path / "a" / "b" / "train")
        both(tmp_path / "a" / "b" / "test", 4, start=100)
        assert counts(tmp_path)["test"] == {"bolt": 4, "nut": 4}

    def test_years_above_the_classes_are_asked_about(self, tmp_path):
        for place, year in enumerate(("2021", "2022")):
            both(tmp_path / year, 6, start=100 * place)
        message = refusal(tmp_path)
        assert "2021, 2022, each with bolt, nut" in message
        assert "--layout group/class" in message
        assert counts(tmp_path, layout="group/class") == {"": {"bolt": 12, "nut": 12}}
        assert counts(tmp_path, layout="class") == {"": {"2021": 12, "2022": 12}}

    @pytest.mark.parametrize(
        ("first", "second", "names"),
        [("2021-05", "2021-06", "bolt, nut, screw"), ("Halle A", "Halle B", "bolt, nut")],
    )
    def test_upper_folders_that_share_some_classes_or_are_dates_are_asked_about(self, tmp_path, first, second, names):
        for place, upper in enumerate((first, second)):
            both(tmp_path / upper, 4, start=100 * place)
        if "screw" in names:
            (tmp_path / second / "nut").rename(tmp_path / second / "screw")
        else:
            folder_of(tmp_path / second, "screw", 4)
        message = refusal(tmp_path)
        held = "which hold" if "screw" in names else "each with"
        assert f"{first}, {second}, {held} {names}" in message

    def test_subfolders_of_one_class_only_are_parts_of_it(self, tmp_path):
        for kind in ("bolt", "nut"):
            folder_of(tmp_path / kind, kind, 4, name=f"{kind} M8")
            folder_of(tmp_path / kind, kind, 4, name=f"{kind} M10", start=50)
        assert counts(tmp_path) == {"": {"bolt": 8, "nut": 8}}

    def test_a_table_beside_a_folder_of_pictures_is_named(self, tmp_path):
        folder_of(tmp_path, "bolt", 3, name="images")
        (tmp_path / "images" / "labels.csv").write_text("path,label\n")
        (tmp_path / "images2").mkdir()
        message = refusal(folder_of(tmp_path / "flat", "bolt", 3, name="."))
        assert "put each image into a folder named after its class" in message

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("photos.zip", "is an archive"),
            ("photos.tar", "unpack it"),
            ("train.txt", "write a CSV with the columns path and label"),
            ("metadata.jsonl", "write a CSV"),
            ("labels.xlsx", "save it as CSV"),
            ("nut.png", "is one image"),
        ],
    )
    def test_files_that_are_no_folder(self, tmp_path, name, words):
        (tmp_path / name).write_bytes(b"PK\3\4")
        message = refusal(tmp_path / name)
        assert words in message
        assert "There is no folder" not in message


class TestPassedOver:
    def test_raw_files_of_a_camera_are_counted_by_class(self, tmp_path):
        both(tmp_path)
        for number in range(7):
            (tmp_path / "bolt" / f"IMG_{number}.DNG").write_bytes(b"II*\0")
        words = said(tmp_path)
        assert "Passed over: 7 files called .dng (7 in bolt)" in words
        assert "develop them to JPEG or PNG" in words

    def test_a_class_of_nothing_else_says_so_in_its_refusal(self, tmp_path):
        both(tmp_path)
        (tmp_path / "cog").mkdir()
        for number in range(7):
            (tmp_path / "cog" / f"IMG_{number}.DNG").write_bytes(b"II*\0")
        message = refusal(tmp_path)
        assert "'cog' has 0" in message
        assert "7 files called .dng (7 in cog)" in message

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_a_pipe_called_a_picture_does_not_hold_the_command_up(self, tmp_path):
        both(tmp_path)
        os.mkfifo(tmp_path / "nut" / "camera.png")
        (row,) = read(tmp_path).source.passed
        assert (row.where, row.what, row.count, row.picture) == ("nut", "pipes and devices", 1, True)

    @pytest.mark.parametrize("name", ["a.jxl", "a.dng", "a.jpg_large", "a", "a.jpg.part", ".hidden.png"])
    def test_whatever_may_be_a_picture(self, tmp_path, name):
        both(tmp_path)
        (tmp_path / "nut" / name).write_bytes(b"x")
        (row,) = read(tmp_path).source.passed
        assert (row.where, row.count, row.picture) == ("nut", 1, True)

    @pytest.mark.parametrize("name", ["notes.txt", "Thumbs.db", ".DS_Store", "._000.png", "desktop.ini", "a.xmp"])
    def test_what_is_none_is_counted_and_no_warning(self, tmp_path, name):
        both(tmp_path)
        (tmp_path / "nut" / name).write_bytes(b"x")
        (row,) = read(tmp_path).source.passed
        assert (row.where, row.count, row.picture) == ("nut", 1, False)
        assert said(tmp_path) == ""

    def test_a_link_to_a_folder_inside_a_class(self, tmp_path):
        both(tmp_path / "photos")
        more = folder_of(tmp_path, "bolt", 5, start=500, name="more")
        (tmp_path / "photos" / "bolt" / "more").symlink_to(more)
        assert counts(tmp_path / "photos") == {"": {"bolt": 10, "nut": 10}}
        assert "links to folders (1 in bolt)" in said(tmp_path / "photos")

    def test_a_link_that_leads_round_in_a_circle(self, tmp_path):
        both(tmp_path)
        (tmp_path / "bolt" / "up").symlink_to(tmp_path)
        assert counts(tmp_path) == {"": {"bolt": 10, "nut": 10}}

    def test_a_class_folder_may_itself_be_a_link(self, tmp_path):
        folder_of(tmp_path / "photos", "bolt", 10)
        (tmp_path / "photos" / "nut").symlink_to(folder_of(tmp_path, "nut", 10, name="elsewhere"))
        assert counts(tmp_path / "photos") == {"": {"bolt": 10, "nut": 10}}

    def test_pictures_beside_the_class_folders(self, tmp_path):
        both(tmp_path)
        picture("bolt", 99).save(tmp_path / "99.png")
        assert "1 files beside the class folders (1 in the folder itself)" in said(tmp_path)

    @pytest.mark.parametrize(
        "name", ["$RECYCLE.BIN", "lost+found", "@eaDir", "System Volume Information", ".Trash-1000"]
    )
    @pytest.mark.parametrize("place", [".", "bolt"])
    def test_what_systems_leave_is_no_class_and_no_picture(self, tmp_path, name, place):
        both(tmp_path)
        folder_of(tmp_path / place / name, "bolt", 5, start=900, name="S-1-5-21")
        assert counts(tmp_path) == {"": {"bolt": 10, "nut": 10}}
        assert [row.count for row in read(tmp_path).source.passed] == [5]
        assert said(tmp_path) == ""

    def test_thumbnails_of_a_network_drive(self, tmp_path):
        for kind in ("clean", "rusty"):
            for number in range(8):
                photo, name = picture(kind, number), f"DSC_{number}.JPG"
                beside = tmp_path / kind / "@eaDir" / name
                beside.mkdir(parents=True)
                photo.save(tmp_path / kind / name)
                photo.resize((20, 20)).save(beside / "SYNOPHOTO_THUMB_M.jpg")
        assert counts(tmp_path) == {"": {"clean": 8, "rusty": 8}}

    def test_own_output_is_no_class(self, tmp_path):
        both(tmp_path)
        out = tmp_path / "azeotrope-compare"
        (out / "runs").mkdir(parents=True)
        (out / "plan.yaml").write_text("data: .\n")
        (out / "page.png").write_bytes(b"x")
        assert counts(tmp_path) == {"": {"bolt": 10, "nut": 10}}


class TestNames:
    def test_composed_and_decomposed_letters_are_one_class(self, tmp_path):
        for form, first in (("NFC", 0), ("NFD", 100)):
            folder_of(tmp_path, "bolt", 6, start=first, name=unicodedata.normalize(form, "B\u00fcgel"))
        folder_of(tmp_path, "nut", 12, name="Mutter")
        assert counts(tmp_path) == {"": {"B\u00fcgel": 12, "Mutter": 12}}
        assert "one class" in said(tmp_path)

    @pytest.mark.parametrize(
        ("one", "other", "how"),
        [("Bolt", "bolt", "upper and lower case"), ("1", "1.0", "a number"), ("01", "1", "a number")],
    )
    def test_names_that_may_be_two_are_kept_apart_and_said(self, tmp_path, one, other, how):
        folder_of(tmp_path, "bolt", 6, name=one)
        folder_of(tmp_path, "nut", 6, name=other)
        assert counts(tmp_path) == {"": {one: 6, other: 6}}
        assert how in said(tmp_path)
        assert "kept apart" in said(tmp_path)

    def test_spaces_around_a_name(self, tmp_path):
        folder_of(tmp_path, "bolt", 6)
        folder_of(tmp_path, "bolt", 6, start=50, name="bolt ")
        folder_of(tmp_path, "nut", 6)
        assert counts(tmp_path) == {"": {"bolt": 12, "nut": 6}}


class TestNearCopies:
    def test_those_of_one_picture_stay_on_one_side(self, tmp_path):
        """40 pictures, each three times: whole, smaller, and compressed harder."""
        for kind, red in (("clean", 0), ("rusty", 60)):
            (tmp_path / kind).mkdir()
            for number in range(20):
                random = np.random.default_rng([red, number])
                small = Image.fromarray(random.integers(0, 190, (7, 7, 3)).astype(np.uint8))
                photo = Image.fromarray(np.asarray(small.resize((160, 120))) + np.array([red, 0, 0], np.uint8))
                for version, (size, quality) in enumerate((((160, 120), 95), ((120, 90), 90), ((80, 60), 80))):
                    photo.resize(size).save(tmp_path / kind / f"{number}-{version}.jpg", quality=quality)
        task = load_task(str(tmp_path))
        parts = [
            {task.manifest.keys[row].rpartition("-")[0] for row in part}
            for part in (task.splits.train, task.splits.val, task.splits.test)
        ]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 40
        assert "120 images are near copies of others" in said(tmp_path)

    def test_a_class_of_one_picture_only_is_said(self, tmp_path):
        both(tmp_path, 8)
        photo = Image.fromarray(np.random.default_rng(1).integers(0, 200, (6, 6, 3)).astype(np.uint8)).resize((90, 90))
        (tmp_path / "cog").mkdir()
        for quality in range(80, 96, 2):
            photo.save(tmp_path / "cog" / f"{quality}.jpg", quality=quality)
        assert "Near copies could not be kept in one split" in said(tmp_path)

    @pytest.fixture
    def given(self, tmp_path):
        """Three splits of 12 pictures a class; other pictures in each."""
        for place, split in enumerate(("train", "val", "test")):
            both(tmp_path / split, 12, start=20 * place)
        return tmp_path

    def test_without_any_between_given_splits_nothing_is_said(self, given):
        assert "near copies" not in said(given)

    def test_those_between_given_splits_are_counted_by_the_later_one(self, given):
        """Three bolts that train stand brighter in test, and one as validation image."""
        for number in range(3):
            picture("bolt", number).point(lambda value: value * 0.9).save(
                given / "test" / "bolt" / f"again{number}.png"
            )
        picture("nut", 5).point(lambda value: value * 0.9).save(given / "val" / "nut" / "again.png")
        assert "1 of 25 validation images are near copies of training images" in said(given)
        assert "3 of 27 test images are near copies of training or validation images" in said(given)

    def test_those_of_a_given_test_split_are_counted_where_validation_is_made(self, tmp_path):
        for split, start in (("train", 0), ("test", 20)):
            both(tmp_path / split, 12, start=start)
        picture("bolt", 0).point(lambda value: value * 0.9).save(tmp_path / "test" / "bolt" / "again.png")
        assert "1 of 25 test images are near copies of training or validation images" in said(tmp_path)


def test_a_set_that_is_refused_keeps_what_was_read_of_it(tmp_path):
    both(tmp_path)
    for file in (tmp_path / "bolt").iterdir():
        file.write_bytes(b"")
    with pytest.raises(RefusedSet) as caught:
        load_task(str(tmp_path))
    assert "10 of 10 of bolt: the file is empty" in str(caught.value)
    assert len(caught.value.manifest.reasons) == 10
