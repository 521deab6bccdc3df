"""Class weights from a file: what is read, and in which words anything else is refused."""

import math
import re

import pytest

from azeotrope.errors import InputError
from azeotrope.sweeping.plans.class_weights import read_class_weights

CLASSES = ("cat", "dog", "owl")
READ = {"cat": 1.0, "dog": 2.5, "owl": 10.0}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.csv", "class,weight\nowl,10\ncat,1\ndog,2.5\n"),
        ("w.csv", "\ufeffclass;weight\r\nowl;10\r\ncat;1\r\ndog;2.5\r\n"),
        ("w.tsv", "class\tweight\ncat\t1\ndog\t2.5\nowl\t1e1\n"),
        ("w.yaml", "dog: 2.5\ncat: 1\nowl: 10\n"),
        ("w.YML", "{dog: 2.5, cat: 1, owl: 10}"),
    ],
)
def test_a_file_is_read_in_the_order_of_the_classes(tmp_path, name, text):
    (tmp_path / name).write_text(text, "utf-8")
    read = read_class_weights(str(tmp_path / name), CLASSES)
    assert read == READ
    assert tuple(read) == CLASSES


def test_numbers_name_classes_too(tmp_path):
    (tmp_path / "w.yaml").write_text("0: 1\n1: 3\n")
    assert read_class_weights(str(tmp_path / "w.yaml"), ("0", "1")) == {"0": 1.0, "1": 3.0}


def test_a_name_that_yaml_takes_for_something_else_is_the_class_as_it_is_written(tmp_path):
    (tmp_path / "w.yaml").write_text("no: 1\n01: 3\n1.0: 2\nnull: 4\n")
    read = read_class_weights(str(tmp_path / "w.yaml"), ("01", "1.0", "no", "null"))
    assert read == {"01": 3.0, "1.0": 2.0, "no": 1.0, "null": 4.0}


@pytest.mark.parametrize("word", ["off", "auto"])
def test_words_stay_words(word):
    assert read_class_weights(word, CLASSES) == word


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("w.csv", "", r"must hold a weight for every class\. Found: an empty file\. Next: write a line"),
        ("w.yaml", " \n", r"must hold a weight for every class\. Found: an empty file"),
        ("w.yaml", "- cat\n", "must hold a mapping. Found: list"),
        ("w.csv", "cat,1\ndog,2\nowl,3\n", r"must have two columns, class and weight\. Found: cat, 1\. Allowed"),
        ("w.csv", "class,weight\n", r"must name every class\. Found: none for 'cat', 'dog', 'owl'"),
        ("w.csv", "class,weight\ncat,1\ndgo,2\nowl,1\n", r"Found: 'dgo', which is none\. Allowed: nearest: 'dog'"),
        ("w.csv", "class,weight\ncat,1\nowl,1\n", r"must name every class\. Found: none for 'dog'\. Next: add"),
        ("w.csv", "class,weight\ncat,1\ndog,2\ncat,3\nowl,1\n", "must name every class once. Found: 'cat' twice"),
        ("w.yaml", "cat: 1\ndog: 2\ncat: 3\nowl: 1\n", "must name every class once. Found: 'cat' twice"),
        ("w.yaml", "cat: [1]\ndog: 2\nowl: 1\n", "must hold one value a line. Found: .*line 1"),
        ("w.yaml", "cat: 1: 2\n", "cannot be read as YAML. Found: mapping values"),
        ("w.yaml", "{}", "must name every class. Found: none for 'cat', 'dog', 'owl'"),
        *(
            (
                "w.csv",
                f"class,weight\ncat,1\ndog,{value}\nowl,1\n",
                f"must be positive numbers. Found: .*{value}.* 'dog'",
            )
            for value in ("0", "-1", "nan", "inf", "heavy")
        ),
        ("w.yaml", "cat: yes\ndog: 1\nowl: 1\n", "must be positive numbers. Found: 'yes' for 'cat'"),
        ("w.yaml", "cat:\ndog: 1\nowl: 1\n", "must be positive numbers. Found: '' for 'cat'"),
    ],
)
def test_anything_else_is_refused_in_our_words(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        read_class_weights(str(tmp_path / name), CLASSES)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(InputError, match=re.escape("The file of class weights must exist. Found: nowhere.csv.")):
        read_class_weights("nowhere.csv", CLASSES)


@pytest.mark.parametrize("weights", [(1, 1e300, 1e308), (1e-308, 1, 1), (1, 2, 1e6 + 1), (5e-324, 1e308, 1)])
def test_weights_too_far_apart_for_single_precision_are_refused(tmp_path, weights):
    lines = [f"{name},{weight}" for name, weight in zip(CLASSES, weights, strict=True)]
    (tmp_path / "w.csv").write_text("\n".join(["class,weight", *lines]) + "\n")
    said = rf"within a factor of 1,000,000 of each other\. Found: {min(weights):g} for '.*' and "
    with pytest.raises(InputError, match=said + re.escape(f"{max(weights):g}")) as caught:
        read_class_weights(str(tmp_path / "w.csv"), CLASSES)
    assert "only ratios matter" in caught.value.allowed


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_weights_of_any_unit_are_read(unit):
    read = read_class_weights({"cat": unit, "dog": unit * 1e6, "owl": unit}, CLASSES)
    assert read["dog"] == unit * 1e6
    assert read_class_weights({"cat": unit}, ("cat",)) == {"cat": unit}


def test_a_mapping_of_python_is_held_against_the_classes_too():
    assert read_class_weights({"owl": 10, "dog": 2.5, "cat": 1}, CLASSES) == READ
    with pytest.raises(InputError, match=r"in class_weights must be positive numbers\. Found: nan for 'dog'"):
        read_class_weights({"cat": 1, "dog": math.nan, "owl": 1}, CLASSES)
