"""Labels in a table: several an image, or a number; and every contradiction by its message."""

import numpy as np
import pytest

from azeotrope.data.auditing.audit import audit
from azeotrope.data.division.subset import subset
from azeotrope.data.task import load_task, open_source
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

from .pictures import encoded, noise

MULTI, NUMBER = LabelSpec(kind="multi"), LabelSpec(kind="number")


def write(folder, text):
    (folder / "set.csv").write_text(text, encoding="utf-8")
    return str(folder / "set.csv")


def labels(folder, text, spec):
    source = open_source(write(folder, text), spec)
    return source.classes, [item.label for item in source.items]


def message(folder, text, spec):
    with pytest.raises(InputError) as caught:
        open_source(write(folder, text), spec)
    return str(caught.value).replace(f"{folder}/", "")


def test_several_labels_in_one_column(tmp_path):
    text = "path,labels,note\na.png,cat;dog,x\nb.png,,y\nc.png, dog ; ,z\n"
    assert labels(tmp_path, text, MULTI) == (("cat", "dog"), [(0, 1), (), (1,)])


def test_another_separator_and_another_column(tmp_path):
    spec = LabelSpec(kind="multi", column="things", separator="|")
    assert labels(tmp_path, "path,label,things\na.png,q,cat|dog\n", spec) == (("cat", "dog"), [(0, 1)])


def test_a_column_of_0_and_1_for_each_class(tmp_path):
    text = "path,split,cat,dog\na.png,train,1,0\nb.png,test,0.0,TRUE\n"
    assert labels(tmp_path, text, MULTI) == (("cat", "dog"), [(0,), (1,)])


def test_classes_that_are_listed(tmp_path):
    (tmp_path / "classes.txt").write_text("zebra\ncat\n")
    assert labels(tmp_path, "path,labels\na.png,cat;zebra\n", MULTI) == (("zebra", "cat"), [(1, 0)])
    assert "'dog' at row 2 of set.csv" in message(tmp_path, "path,labels\na.png,cat;dog\n", MULTI)


def test_a_number(tmp_path):
    assert labels(tmp_path, "path,value\na.png,3\nb.png,-1.5e2\n", NUMBER) == (("value",), [3.0, -150.0])
    spec = LabelSpec(kind="number", column="age", unit="years")
    source = open_source(write(tmp_path, "path,label,age\na.png,x,3\n"), spec)
    assert (source.classes, source.kind, source.unit) == (("age",), "number", "years")


def test_numbers_stay_classes_unless_a_number_is_asked_for(tmp_path):
    assert labels(tmp_path, "path,label\na.png,3\nb.png,10\n", LabelSpec()) == (("3", "10"), [0, 1])


@pytest.mark.parametrize(
    ("text", "spec", "said"),
    [
        (
            "path,age\na.png,3\nb.png,old\n",
            LabelSpec(kind="number", column="age"),
            "With kind number every value of column 'age' must be a number. Found: 'old', row 3 of set.csv. Allowed: "
            "finite numbers, with a point for the decimals. Next: correct or remove these rows, name another column "
            "with --label-column, or leave --kind out: values are then classes.",
        ),
        ("path,value\na.png,nan\n", NUMBER, "must be a number. Found: 'nan', row 2"),
        ("path,value\na.png,-inf\n", NUMBER, "must be a number. Found: '-inf', row 2"),
        ("path,value\na.png,\n", NUMBER, "Every row of set.csv needs a value. Found: 1 of 1 rows without one: row 2"),
        (
            "path,age\na.png,3\n",
            NUMBER,
            "must have exactly one column of values. Found: columns path, age. Allowed: one named value, number",
        ),
        (
            "path,ages\na.png,3\n",
            LabelSpec(kind="number", column="age"),
            "The table set.csv has no column 'age'. Found: columns path, ages. Allowed: nearest: ages. Next: correct "
            "--label-column.",
        ),
        (
            "path,labels\na.png,cat|dog\nb.png,cat\n",
            MULTI,
            "Labels of one image are separated by ';', and no row of set.csv has two. Found: 'cat|dog' in column "
            "'labels', row 2 of set.csv. Next: say --separator '|' if that is what separates labels",
        ),
        ("path,labels\na.png,\n", MULTI, "No row of set.csv has a label. Found: nothing but empty cells"),
        (
            "path,cat,weight\na.png,1,2.5\n",
            MULTI,
            "every column but path and split is a class, of 0 and 1. Found: '2.5' in column 'weight', row 2",
        ),
        ("path,split\na.png,train\n", MULTI, "must have exactly one column of labels. Found: columns path, split."),
        (
            "path,cat\na.png,1\n",
            LabelSpec(kind="multi", separator="|"),
            "must have exactly one column of labels. Found: columns path, cat.",
        ),
    ],
)
def test_what_contradicts_the_kind_is_refused(tmp_path, text, spec, said):
    assert said in message(tmp_path, text, spec)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("path,labels\na.png,cat\nb.png,cat;dog\na.png,dog\n", MULTI),
        ("path,cat,dog\na.png,1,0\nb.png,1,1\na.png,0,1\n", MULTI),
        ("path,value\na.png,3\nb.png,4\na.png,3.5\n", NUMBER),
    ],
)
def test_a_table_of_one_row_a_label_or_a_rater_is_refused(tmp_path, text, spec):
    assert message(tmp_path, text, spec) == (
        "An image stands in one row, with all that is said of it. Found: 'a.png' with other labels in row 2 of set.csv "
        "and row 4 of set.csv. Next: join its labels in one cell (cat;dog), or keep one value an image."
    )


def test_a_row_that_says_the_same_again_is_a_copy(tmp_path):
    assert labels(tmp_path, "path,labels\na.png,cat;dog\na.png,dog;cat\n", MULTI)[1] == [(0, 1), (1, 0)]
    assert labels(tmp_path, "path,value\na.png,3\na.png,3.0\n", NUMBER)[1] == [3.0, 3.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"kind": "number", "separator": ";"},
            "a separator stands between several labels: with kind multi, not number",
        ),
        ({"kind": "multi", "unit": "kg"}, "a unit is that of a number: with kind number, not multi"),
        ({"kind": "several"}, "Input should be 'single', 'multi' or 'number'"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(content, said):
    with pytest.raises(ValueError, match=said):
        LabelSpec(**content)


@pytest.mark.parametrize("spec", [MULTI, NUMBER, LabelSpec(column="age")])
def test_a_source_of_one_class_an_image_takes_no_other_kind(tmp_path, spec):
    with pytest.raises(InputError) as refusal:
        load_task("digits", labels=spec)
    asked = "--label-column age" if spec.column else f"--kind {spec.kind}"
    assert str(refusal.value) == (
        "digits gives each image one class, and leaves open neither where it stands nor of what kind it is. Found: "
        f"{asked} for the source digits. Allowed: these options for a .csv, .tsv or .parquet table, or hf:NAME "
        "(--layout and --group-by for a folder). Next: list the images and their labels in a table, or leave these "
        "options out."
    )
    (tmp_path / "cat").mkdir()
    with pytest.raises(InputError, match="for the source folder"):
        open_source(str(tmp_path), spec)


class TestTask:
    def test_several_labels(self, digit_tables):
        """Both forms of the table hold the same labels; splits and subsets show every class."""
        task = load_task(str(digit_tables / "several.csv"), labels=MULTI)
        other = load_task(str(digit_tables / "answers.csv"), labels=MULTI)
        assert task.classes == ("above 4", "even", "loop")
        order = [other.classes.index(name) for name in task.classes]
        np.testing.assert_array_equal(task.labels, other.labels[:, order])
        for rows in (task.splits.train, task.splits.val, task.splits.test):
            np.testing.assert_allclose(task.labels[rows].mean(0), task.labels.mean(0), atol=0.03)
        few, more = (
            subset(task.splits.train, task.labels, count, 0, task.manifest.checksums, task.kind) for count in (30, 90)
        )
        np.testing.assert_array_equal(few, more[:30])

    def test_a_number(self, digit_tables):
        task = load_task(str(digit_tables / "number.csv"), labels=LabelSpec(kind="number", column="ink", unit="%"))
        low, middle, high = audit(task.manifest, task.source).values
        assert low < middle < high
        for rows in (task.splits.train, task.splits.val, task.splits.test):
            assert task.labels[rows].mean() == pytest.approx(task.labels.mean(), rel=0.02)

    def test_another_kind_is_another_set_and_a_moved_one_is_the_same(self, digit_tables, tmp_path):
        table = "path,labels\n" + "".join(f"{digit_tables}/{row}.png,{'ab'[row % 2]}\n" for row in range(60))
        single = LabelSpec(column="labels")
        paths = [tmp_path / name / "set.csv" for name in ("one", "two")]
        for path in paths:
            path.parent.mkdir()
            path.write_text(table)
        one, other = (load_task(str(path), labels=MULTI).fingerprint for path in paths)
        assert one == other
        assert load_task(str(paths[0]), labels=single).fingerprint != one

    def test_copies_with_other_labels_are_found(self, tmp_path):
        for name, seed in (("a", 0), ("b", 0), ("c", 1), ("d", 2), *((str(n), n) for n in range(10, 30))):
            (tmp_path / f"{name}.png").write_bytes(encoded(noise(seed)))
        rows = ["a.png,x;y", "b.png,x", "c.png,y", "d.png,"]
        rows += [f"{n}.png,{('x', 'y', 'x;y', '')[n % 4]}" for n in range(10, 30)]
        task = load_task(write(tmp_path, "\n".join(["path,labels", *rows])), labels=MULTI)
        found = audit(task.manifest, task.source).conflicting_labels
        assert found.examples == (("a.png", "x;y", "b.png", "x"),)
        assert (task.splits.dropped, task.splits.contradictory) == (0, 2)

    def test_a_class_without_a_positive_is_refused(self, digit_tables):
        (digit_tables / "classes.txt").write_text("even\nloop\nabove 4\nunicorn\n")
        try:
            with pytest.raises(InputError, match=r"one shows it, for train, val, test. Found: 'unicorn': 0"):
                load_task(str(digit_tables / "several.csv"), labels=MULTI)
        finally:
            (digit_tables / "classes.txt").unlink()

    def test_a_constant_target_is_refused(self, digit_tables, tmp_path):
        rows = "".join(f"{digit_tables}/{row}.png,7\n" for row in range(30))
        with pytest.raises(InputError, match=r"values of 'value' must differ .* Found: 7 for each of the 1\d images"):
            load_task(write(tmp_path, "path,value\n" + rows), labels=NUMBER)
