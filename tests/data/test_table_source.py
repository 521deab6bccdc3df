import polars as pl
import pytest

from azeotrope.data.listing.scan import scan
from azeotrope.data.sources.table import open_source
from azeotrope.errors import InputError

from .pictures import encoded, noise


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(4):
        (tmp_path / "images" / f"{number}.png").write_bytes(encoded(noise(number)))
    return tmp_path


def write(folder, text, name="set.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def message(path):
    with pytest.raises(InputError) as caught:
        open_source(path)
    return str(caught.value)


def test_paths_are_relative_to_the_table(folder):
    source = open_source(write(folder, "path,label\nimages/0.png,dog\nimages/1.png,cat\n"))
    assert (source.name, source.classes) == ("set", ("cat", "dog"))
    assert [(item.key, item.label, item.split) for item in source.items] == [
        ("images/0.png", 1, ""),
        ("images/1.png", 0, ""),
    ]
    assert source.read(0) == encoded(noise(0))


def test_splits_and_tabs(folder):
    source = open_source(
        write(folder, "filename\tclass\tsplit\nimages/0.png\ta\tvalid\nimages/1.png\tb\t\n", "set.tsv")
    )
    assert [item.split for item in source.items] == ["val", ""]


@pytest.mark.parametrize("header", ["Split", " split", "SPLIT "])
def test_the_column_of_splits_is_known_as_the_others_are(folder, header):
    source = open_source(write(folder, f"Path,Label,{header}\nimages/0.png,a,test\nimages/1.png,b,\n"))
    assert [item.split for item in source.items] == ["test", ""]


def test_two_columns_of_splits_are_refused(folder):
    assert "exactly one column of splits. Found: columns path, label, split, Split" in message(
        write(folder, "path,label,split,Split\nimages/0.png,a,test,train\n")
    )


def test_parquet_and_labels_that_are_numbers(folder):
    frame = pl.DataFrame({"image": [f"images/{n}.png" for n in range(3)], "label": [10, 2, 2]})
    frame.write_parquet(folder / "set.parquet")
    source = open_source(str(folder / "set.parquet"))
    assert source.classes == ("2", "10")
    assert [item.label for item in source.items] == [1, 0, 0]


def test_a_label_is_text_as_it_stands(folder):
    assert open_source(write(folder, "path,label\na.png,007\nb.png,True\n")).classes == ("007", "True")


def test_urls_are_opened_by_fsspec(folder):
    import fsspec

    with fsspec.open("memory://pictures/9.png", "wb") as file:
        file.write(encoded(noise(9)))
    source = open_source(write(folder, f"url,label\nmemory://pictures/9.png,a\nfile://{folder}/images/1.png,b\n"))
    assert (source.read(0), source.read(1)) == (encoded(noise(9)), encoded(noise(1)))


def test_the_table_itself_may_be_at_a_url():
    import fsspec

    for name, content in (("list.csv", b"path,label\n1.png,a\n"), ("1.png", encoded(noise(1)))):
        with fsspec.open(f"memory://set/{name}", "wb") as file:
            file.write(content)
    assert open_source("memory://set/list.csv").read(0) == encoded(noise(1))


def test_a_double_colon_in_a_file_name_is_part_of_the_name(folder):
    (folder / "images" / "a::b.png").write_bytes(encoded(noise(5)))
    source = open_source(write(folder, "path,label\nimages/a::b.png,a\nimages/1.png,b\n", "my::set.csv"))
    assert (source.name, source.read(0)) == ("my::set", encoded(noise(5)))


def test_a_url_that_cannot_be_opened_is_an_unreadable_image(folder):
    manifest = scan(open_source(write(folder, "path,label\nnowhere://x.png,a\nimages/7.png,b\n")))
    assert manifest.reasons[0].startswith("cannot be opened: ValueError: Protocol not known: nowhere")
    assert manifest.reasons[1] == "cannot be opened: No such file or directory"


@pytest.mark.parametrize("name", ["../../etc", "'quoted\"", "<b>bold</b>", "🐈", "x" * 300])
def test_odd_class_names_are_kept_as_they_are(folder, name):
    pl.DataFrame({"path": ["images/0.png", "images/1.png"], "label": [name, "plain"]}).write_csv(folder / "set.csv")
    assert name in open_source(str(folder / "set.csv")).classes


def test_a_list_of_classes_fixes_their_order(folder):
    (folder / "classes.txt").write_text("zebra\nant\nbear\n")
    source = open_source(write(folder, "path,label\nimages/0.png,ant\nimages/1.png,zebra\n"))
    assert source.classes == ("zebra", "ant", "bear")
    assert [item.label for item in source.items] == [1, 0]


def test_a_byte_order_mark_is_no_part_of_a_class(folder):
    (folder / "classes.txt").write_text("zebra\nant\n", encoding="utf-8-sig")
    assert open_source(write(folder, "path,label\nimages/0.png,ant\n")).classes == ("zebra", "ant")


def test_a_list_of_classes_that_is_not_utf8_is_refused(folder):
    (folder / "classes.txt").write_bytes("âne\nzèbre\n".encode("latin-1"))
    assert message(write(folder, "path,label\nimages/0.png,ant\n")) == (
        f"The list of classes {folder}/classes.txt cannot be read. Found: byte 1 is not UTF-8. "
        "Allowed: text in UTF-8, one class a line. Next: save it as UTF-8 in a text editor."
    )


def test_a_label_that_is_not_in_the_list_is_refused(folder):
    (folder / "classes.txt").write_text("zebra\nant\n")
    path = write(folder, "path,label\nimages/0.png,ant\nimages/1.png,zebre\n")
    assert message(path) == (
        f"Every label must be in the list of classes {folder}/classes.txt. Found: 'zebre' at row 3 of {path}. "
        "Allowed: nearest: zebra. "
        f"Next: correct the label, or add the class to the list; move {folder}/classes.txt away if it belongs to "
        "another tool."
    )


def test_missing_labels_are_refused(folder):
    path = write(folder, "path,label\nimages/0.png,a\nimages/1.png,\nimages/2.png,  \n")
    assert message(path) == (
        f"Every row of {path} needs a label. Found: 2 of 3 rows without one: row 3, 4. "
        "Next: fill them in or remove these rows."
    )


def test_missing_columns_are_refused(folder):
    path = write(folder, "thing,label\n17,a\n")
    assert message(path) == (
        f"The table {path} must have exactly one column of paths. Found: columns thing, label. "
        "Allowed: one named path, file, filename, file_name, filepath, file_path, image, image_path, img, img_path, "
        "image_name, image_file, image_filename, img_name, imagepath, url, image_url. "
        "Next: name it with --path-column, or rename or remove columns."
    )


def test_two_columns_of_labels_are_refused(folder):
    assert "exactly one column of labels. Found: columns path, label, class" in message(
        write(folder, "path,label,class\nimages/0.png,a,b\n")
    )


def test_an_unknown_split_is_refused(folder):
    path = write(folder, "path,label,split\nimages/0.png,a,extra\n")
    assert message(path) == (
        f"Row 2 of {path} names an unknown split. Found: 'extra'. "
        "Allowed: train, val or test (or empty: azeotrope then makes the splits). "
        "Next: rename it, or say --split-column none if the column means something else."
    )


def test_a_table_without_rows_is_refused(folder):
    assert "Found: no rows." in message(write(folder, "path,label\n"))


@pytest.mark.parametrize(
    ("values", "what"), [([["a", "b"], []], "lists"), ([{"a": 1}, {"a": 2}], "records of several fields")]
)
def test_a_column_of_lists_is_named(folder, values, what):
    path = folder / "set.parquet"
    pl.DataFrame({"path": ["images/0.png", "images/1.png"], "tags": values}).write_parquet(path)
    assert message(str(path)) == (
        f"Every column of the table {path} must hold one value a row. Found: column 'tags' holds {what}. "
        "Next: join its labels into one text (cat;dog), or remove the column."
    )


@pytest.mark.parametrize(
    ("name", "content"), [("set.csv", b""), ("set.csv", b'path,label\n"a'), ("set.parquet", b"PAR1")]
)
def test_a_broken_table_is_refused(folder, name, content):
    (folder / name).write_bytes(content)
    assert message(str(folder / name)).startswith(f"The table {folder / name} cannot be read. Found: ")


def test_a_missing_table_is_refused(folder):
    assert message(f"{folder}/none.csv") == f"There is no table {folder}/none.csv. Next: check the path."
