"""Tables as people have them. Each test is an input of a public report, or one of its kind, with the right answer."""

import io

import polars as pl
import pytest

from azeotrope.data.task import load_task, open_source
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

from .inputs import counts, picture, plain_rows, said, table

EVEN = {"": {"bolt": 12, "nut": 12}}
SPLIT = {"train": {"bolt": 9, "nut": 9}, "test": {"bolt": 3, "nut": 3}}


def refusal(spec, **labels):
    with pytest.raises(InputError) as caught:
        open_source(str(spec), LabelSpec(**labels))
    return str(caught.value)


class TestBytes:
    @pytest.mark.parametrize(("separator", "words"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
    def test_other_separators(self, tmp_path, separator, words):
        list_ = table(tmp_path, [f"path{separator}label", *plain_rows(separator)])
        assert counts(list_) == EVEN
        assert words in said(list_)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_other_encodings(self, tmp_path, encoding):
        assert counts(table(tmp_path, ["path,label", *plain_rows()], encoding=encoding)) == EVEN

    def test_a_table_of_windows_is_read_and_said(self, tmp_path):
        rows = [row.replace(",bolt", ",Schl\u00fcssel") for row in plain_rows()]
        list_ = table(tmp_path, ["path,label", *rows], encoding="cp1252")
        assert counts(list_) == {"": {"Schl\u00fcssel": 12, "nut": 12}}
        assert "not in UTF-8 (line 2): it was read as Windows-1252" in said(list_)

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (b"PK\x03\x04xl/workbook.xml", "a zip archive or a workbook (.xlsx, .ods). Allowed: CSV, TSV or Parquet"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook (.xls)"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file itself"),
            (b"<html>Sign in</html>", "a web page"),
        ],
    )
    def test_files_that_are_no_tables_are_called_by_their_name(self, tmp_path, start, words):
        (tmp_path / "list.csv").write_bytes(start)
        with pytest.raises(InputError) as caught:
            load_task(str(tmp_path / "list.csv"))
        assert words in str(caught.value)

    def test_backslashes(self, tmp_path):
        list_ = table(tmp_path, ["path,label", *plain_rows(slash="\\")])
        assert counts(list_) == EVEN
        assert "Backslashes in the paths were read as /." in said(list_)

    def test_spaces_after_commas_and_behind_labels(self, tmp_path):
        rows = [row.replace(",", ", ") + " " * (place % 3 == 0) for place, row in enumerate(plain_rows())]
        assert counts(table(tmp_path, ["path, label", *rows])) == EVEN

    def test_a_table_without_header(self, tmp_path):
        message = refusal(table(tmp_path, plain_rows()))
        assert "its first line looks like a row, not a header" in message
        assert "path,label" in message

    def test_paths_that_lead_nowhere_say_what_they_are_relative_to(self, tmp_path):
        list_ = table(tmp_path, ["path,label", *(row.removeprefix("pics/") for row in plain_rows())])
        source = open_source(str(list_))
        assert "paths are relative to the table's folder" in " ".join(source.words)


class TestParquet:
    def stored(self, kind, number):
        file = io.BytesIO()
        picture(kind, number).save(file, "PNG")
        return file.getvalue()

    @pytest.mark.parametrize("inside", [lambda content: {"bytes": content, "path": None}, lambda content: content])
    def test_with_the_images(self, tmp_path, inside):
        rows = [(inside(self.stored(kind, number)), kind) for kind in ("bolt", "nut") for number in range(12)]
        frame = pl.DataFrame({"image": [row[0] for row in rows], "label": [row[1] for row in rows]})
        frame.write_parquet(tmp_path / "train.parquet")
        assert counts(tmp_path / "train.parquet") == EVEN

    def test_as_the_datasets_library_writes_it_with_names_of_classes(self, tmp_path):
        datasets = pytest.importorskip("datasets")
        features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=["nut", "bolt"]))
        rows = [(self.stored(kind, number), kind) for kind in ("bolt", "nut") for number in range(12)]
        images = [{"bytes": content, "path": None} for content, _ in rows]
        set_ = datasets.Dataset.from_dict({"image": images, "label": [kind for _, kind in rows]}, features=features)
        set_.to_parquet(tmp_path / "train.parquet")
        assert counts(tmp_path / "train.parquet") == EVEN


class TestColumns:
    def test_paths_in_a_column_of_another_name(self, tmp_path):
        list_ = table(tmp_path, ["dateiname,label", *plain_rows()])
        assert counts(list_) == EVEN
        assert "The column 'dateiname' holds the paths" in said(list_)
        assert counts(list_, path_column="dateiname") == EVEN

    def test_of_two_columns_that_may_be_paths_the_one_that_holds_files(self, tmp_path):
        assert counts(table(tmp_path, ["image,path,label", *(f"7,{row}" for row in plain_rows())])) == EVEN

    def test_two_columns_of_files_are_asked_about(self, tmp_path):
        list_ = table(tmp_path, ["image,path,label", *(f"{row.partition(',')[0]},{row}" for row in plain_rows())])
        assert "--path-column" in refusal(list_)
        assert counts(list_, path_column="path") == EVEN

    def test_labels_of_another_name_name_the_option(self, tmp_path):
        list_ = table(tmp_path, ["path,species", *plain_rows()])
        assert "name it with --label-column" in refusal(list_)
        assert counts(list_, column="species") == EVEN

    def test_an_index_column(self, tmp_path):
        rows = [f"{place},{row}" for place, row in enumerate(plain_rows())]
        assert counts(table(tmp_path, [",path,label", *rows])) == EVEN
        hot = [
            f"{place},{row.partition(',')[0]},{place % 2},{place % 3 // 2}" for place, row in enumerate(plain_rows())
        ]
        assert open_source(str(table(tmp_path, [",path,bolt,red", *hot])), LabelSpec(kind="multi")).classes == (
            "bolt",
            "red",
        )

    def test_a_column_that_groups_images_is_said(self, tmp_path):
        list_ = table(tmp_path, ["path,label,patient", *plain_rows(more=lambda _, number: [str(number // 3)])])
        assert "The column 'patient' may group images that belong together (4 groups)" in said(list_)

    @pytest.mark.parametrize("names", ["dog\nperson\ncat\n"])
    def test_the_list_of_classes_of_another_tool_is_named(self, tmp_path, names):
        list_ = table(tmp_path, ["path,label", *plain_rows()])
        (tmp_path / "classes.txt").write_text(names)
        message = refusal(list_)
        assert "classes.txt" in message
        assert "belongs to another tool" in message

    def test_spaces_in_the_list_of_classes_do_not_count(self, tmp_path):
        list_ = table(tmp_path, ["path,label", *plain_rows()])
        (tmp_path / "classes.txt").write_bytes(b"bolt \r\nnut\r\n")
        assert counts(list_) == EVEN


class TestSplits:
    @pytest.mark.parametrize("name", ["set", "subset", "Usage", "phase", "fold", "Data Split", "anything"])
    def test_a_column_of_splits_by_whatever_name(self, tmp_path, name):
        rows = plain_rows(more=lambda _, number: ["test" if number >= 9 else "train"])
        list_ = table(tmp_path, [f"path,label,{name}", *rows])
        assert counts(list_) == SPLIT
        assert f"The splits were read from the column {name}: 18 train, 0 val, 6 test." in said(list_)

    @pytest.mark.parametrize(
        ("name", "split"), [("is_test", "test"), ("is_valid", "val"), ("test", "test"), ("holdout", "test")]
    )
    @pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("False", "True"), ("no", "yes")])
    def test_a_column_of_yes_and_no(self, tmp_path, name, split, no, yes):
        rows = plain_rows(more=lambda _, number: [yes if number >= 9 else no])
        found = counts(table(tmp_path, [f"path,label,{name}", *rows]))
        assert found == {"train": {"bolt": 9, "nut": 9}, split: {"bolt": 3, "nut": 3}}

    def test_public_and_private_test(self, tmp_path):
        usage = lambda _, number: ["Training" if number < 6 else "PublicTest" if number < 9 else "PrivateTest"]  # noqa: E731
        found = counts(table(tmp_path, ["path,label,Usage", *plain_rows(more=usage)]))
        assert {split: each["bolt"] for split, each in found.items()} == {"train": 6, "val": 3, "test": 3}

    def test_flags_are_no_class_of_a_one_hot_table(self, tmp_path):
        rows = plain_rows(more=lambda _, number: [str(number % 2), str(int(number >= 9))])
        rows = [row.replace(",bolt,", ",1,0,").replace(",nut,", ",0,1,") for row in rows]
        source = open_source(str(table(tmp_path, ["path,bolt,nut,red,is_valid", *rows])), LabelSpec(kind="multi"))
        assert source.classes == ("bolt", "nut", "red")
        assert [item.split for item in source.items].count("val") == 6

    def test_test_in_a_one_hot_table_is_asked_about(self, tmp_path):
        rows = [row.replace(",bolt", ",1").replace(",nut", ",0") for row in plain_rows(more=lambda _, n: [str(n % 2)])]
        list_ = table(tmp_path, ["path,bolt,test", *rows])
        message = refusal(list_, kind="multi")
        assert "may be a class or may mark a split" in message
        assert open_source(str(list_), LabelSpec(kind="multi", split_column="none")).classes == ("bolt", "test")
        assert open_source(str(list_), LabelSpec(kind="multi", split_column="test")).classes == ("bolt",)

    def test_numbered_folds_are_said_and_not_used(self, tmp_path):
        list_ = table(tmp_path, ["path,label,fold", *plain_rows(more=lambda _, number: [str(number % 5)])])
        assert counts(list_) == EVEN
        assert "The column 'fold' was not used as a split: its values (0, 1, 2, 3, 4)" in said(list_)

    def test_two_columns_that_disagree_are_asked_about(self, tmp_path):
        rows = plain_rows(
            more=lambda _, number: ["test" if number >= 9 else "train", "test" if number < 3 else "train"]
        )
        list_ = table(tmp_path, ["path,label,set,phase", *rows])
        assert "--split-column" in refusal(list_)
        assert counts(list_, split_column="set") == SPLIT
        assert counts(list_, split_column="none") == EVEN


class TestSeveralLabels:
    def test_labels_separated_by_a_space_are_asked_about(self, tmp_path):
        rows = plain_rows(more=lambda kind, number: ())
        rows = [row + " red" * (place % 2) for place, row in enumerate(rows)]
        list_ = table(tmp_path, ["path,tags", *rows])
        message = refusal(list_, kind="multi")
        assert "--separator ' '" in message
        assert open_source(str(list_), LabelSpec(kind="multi", separator=" ")).classes == ("bolt", "nut", "red")
        assert len(open_source(str(list_), LabelSpec(kind="multi", separator=";")).classes) == 4

    @pytest.mark.parametrize("form", ["\"['{0}', 'red']\"", '"[""{0}"", ""red""]"'])
    def test_lists_written_as_text(self, tmp_path, form):
        rows = [f"{row.partition(',')[0]},{form.format(row.partition(',')[2])}" for row in plain_rows()]
        source = open_source(str(table(tmp_path, ["path,tags", *rows])), LabelSpec(kind="multi"))
        assert source.classes == ("bolt", "nut", "red")
        assert "lists" in " ".join(source.words)

    def test_several_labels_in_one_cell_of_one_class_an_image_are_said(self, tmp_path):
        rows = [row + ";red" * (place % 2) for place, row in enumerate(plain_rows())]
        assert "several labels an image: --kind multi" in said(table(tmp_path, ["path,label", *rows]))

    def test_two_labels_on_one_picture_settle_to_none(self, tmp_path):
        twice = [f"pics/bolt{number}.png,nut" for number in range(4)]
        list_ = table(tmp_path, ["path,label", *plain_rows(), *twice])
        task = load_task(str(list_))
        used = {
            task.manifest.keys[row] for part in (task.splits.train, task.splits.val, task.splits.test) for row in part
        }
        assert not used & {row.partition(",")[0] for row in twice}
        assert task.splits.contradictory == 8
        assert "8 images are copies that carry different labels: none of them is used" in said(list_)


class TestClassesByName:
    """Splits of a `datasets` set number their classes apart."""

    def stored(self, kinds, count, names=None):
        datasets = pytest.importorskip("datasets")
        rows = [(kind, number) for kind in kinds for number in range(count)]
        images = []
        for kind, number in rows:
            file = io.BytesIO()
            picture(kind, number + 100 * count).save(file, "PNG")
            images.append({"bytes": file.getvalue(), "path": None})
        label = datasets.ClassLabel(names=names) if names else datasets.Value("string")
        features = datasets.Features(image=datasets.Image(), label=label)
        labels = [names.index(kind) if names else kind for kind, _ in rows]
        return datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)

    def saved(self, tmp_path, **parts):
        datasets = pytest.importorskip("datasets")
        datasets.DatasetDict(**parts).save_to_disk(tmp_path / "set")
        return f"hf:{tmp_path / 'set'}"

    def test_a_split_that_lacks_a_class(self, tmp_path):
        train = self.stored(("bolt", "cog", "nut"), 8, ["bolt", "cog", "nut"])
        spec = self.saved(tmp_path, train=train, test=self.stored(("cog", "nut"), 3, ["cog", "nut"]))
        assert counts(spec)["test"] == {"bolt": 0, "cog": 3, "nut": 3}
        assert "matched by name" in said(spec)

    def test_another_order(self, tmp_path):
        train = self.stored(("bolt", "nut"), 8, ["bolt", "nut"])
        spec = self.saved(tmp_path, train=train, validation=self.stored(("bolt",), 3, ["nut", "bolt"]))
        assert counts(spec)["val"] == {"bolt": 3, "nut": 0}

    def test_labels_written_out(self, tmp_path):
        spec = self.saved(tmp_path, train=self.stored(("bolt", "nut"), 8), test=self.stored(("nut",), 3))
        assert counts(spec) == {"train": {"bolt": 8, "nut": 8}, "test": {"bolt": 0, "nut": 3}}

    def test_splits_that_are_not_used_are_counted(self, tmp_path):
        names = ["bolt", "nut"]
        parts = {name: self.stored(names, count, names) for name, count in (("train", 8), ("test", 3), ("extra", 2))}
        assert "Passed over: 4 images that serve as nothing (4 in split extra)" in said(self.saved(tmp_path, **parts))

    def test_two_splits_of_one_meaning_are_asked_about(self, tmp_path):
        names = ["bolt", "nut"]
        parts = {
            name: self.stored(names, count, names) for name, count in (("train", 8), ("dev", 3), ("validation", 2))
        }
        assert "two splits that mean the same. Found: dev, validation" in refusal(self.saved(tmp_path, **parts))
