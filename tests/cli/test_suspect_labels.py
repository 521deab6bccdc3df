"""`azeotrope check --suspect-labels`: digits of which some carry another label; what is listed, said and refused."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from azeotrope.errors import RunFailed

IMAGES, EVERY = 400, 20


def read(file):
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


@pytest.fixture(scope="module", autouse=True)
def no_rates():
    """The trial of this machine takes seconds and says nothing of labels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azeotrope.api.check.measure", lambda opened: None)
        patch.setattr("azeotrope.api.check.forecast", lambda opened, rates: None)
        yield


@pytest.fixture(scope="module")
def exchanged(tmp_path_factory):
    """400 digits, one in 20 labelled as another digit; the table, and the files that are."""
    folder, bunch = tmp_path_factory.mktemp("exchanged"), load_digits()
    lines, wrong = ["path,label"], set()
    for place in range(IMAGES):
        Image.fromarray((bunch.images[place] * 15).astype(np.uint8)).save(folder / f"{place}.png")
        label = int(bunch.target[place])
        if place % EVERY == 0:
            label, wrong = (label + 1 + place // EVERY % 9) % 10, wrong | {f"{place}.png"}
        lines.append(f"{place}.png,{label}")
    (folder / "set.csv").write_text("\n".join(lines))
    return folder / "set.csv", wrong


@pytest.fixture(scope="module")
def checked(cli, exchanged, teacher_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("listed") / "suspects.csv"
    line = ["check", exchanged[0], "-s", "test_resnet", "-t", teacher_model, "--teacher-size", 32, "--image-size", 32]
    return cli(*line, "--arms", "scratch", "--suspect-labels", out, "--json"), out, line


def test_labels_that_were_exchanged_are_listed_with_what_is_likely(checked, exchanged):
    done, out, _ = checked
    assert done.status == 0, done.err
    rows = read(out)
    files, wrong = [row["file"].rpartition("/")[2] for row in rows], exchanged[1]
    said = json.loads(done.out)["suspect_labels"]
    assert 300 < said["images"] <= 320  # nobody looks at the test split
    assert len(set(files) & wrong) >= 0.6 * len(wrong)
    assert np.mean([file in wrong for file in files]) > 0.7
    targets = load_digits().target
    right = [
        int(row["likely"]) == targets[int(file.removesuffix(".png"))] for row, file in zip(rows, files, strict=True)
    ]
    assert np.mean(right) > 0.8
    margins = [float(row["margin"]) for row in rows]
    assert margins == sorted(margins, reverse=True)
    assert {row["split"] for row in rows} <= {"train", "val"}
    assert said["suspects"][0]["file"] == rows[0]["file"]
    assert len(said["suspects"]) == len(rows)


def test_the_list_is_never_replaced(cli, checked):
    _, out, line = checked
    before = out.read_bytes()
    done = cli(*line, "--suspect-labels", out)
    assert done.status == 2
    assert f"must be a new file. Found: {out}, which exists. Allowed: a name that is free" in done.said
    assert out.read_bytes() == before


def test_images_that_were_embedded_before_count_as_judged(cli, checked, tmp_path):
    for name in ("first.csv", "again.csv"):
        done = cli(*checked[2], "--arms", "scratch", "--suspect-labels", tmp_path / name)
        assert done.status == 0, done.err
    assert re.search(r"judging labels: (\d+) of \1 images in", done.err), done.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "lists the labels that a teacher contradicts. Found: no teacher. Next: name one with --teacher"),
        (["-t", "x", "--kind", "number"], "are those of one class an image. Found: a task of the kind number."),
        (["-t", "x", "--kind", "multi"], "are those of one class an image. Found: a task of the kind multi."),
        (
            ["-t", "x", "--teacher-folds", "1"],
            "judged by a head that has not seen it. Found: a teacher that is fitted once",
        ),
        (["-t", "x", "--teacher-folds", "1"], "Allowed: --teacher-folds 2 or more. Next: add --teacher-folds 5"),
        (
            ["-t", "x", "--teacher-head", "finetune", "--teacher-folds", "5"],
            "Found: a tuned teacher, which chooses its epoch by the labels of validation. Allowed: --teacher-head",
        ),
    ],
)
def test_what_cannot_be_listed_is_refused_before_images_are_read(cli, tmp_path, monkeypatch, more, said):
    monkeypatch.chdir(tmp_path)
    done = cli("check", "digits", "-s", "test_resnet", "--suspect-labels", "new.csv", *more)
    assert done.status == 2
    assert said in done.said
    assert not list(tmp_path.iterdir())


def test_the_list_is_a_csv_file(cli):
    done = cli("check", "digits", "-s", "test_resnet", "-t", "x", "--suspect-labels", "folder")
    assert done.status == 2
    assert "is a CSV file. Found: folder. Next: name one that ends in .csv" in done.said


def test_the_list_is_a_file_of_this_machine(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("check", "digits", "-s", "test_resnet", "-t", "x", "--suspect-labels", "s3://bucket/list.csv")
    assert done.status == 2
    assert "written to a folder of this machine. Found: s3://bucket/list.csv. Allowed: a file name" in done.said
    assert not list(tmp_path.iterdir())


def test_classes_with_fewer_images_than_folds_are_not_judged_and_said(cli, exchanged, teacher_model, tmp_path):
    source = exchanged[0].parent
    rows = [line.split(",") for line in exchanged[0].read_text().splitlines()[1:]]
    few = {"9": 4}
    kept = []
    for path, label in rows:
        if few.setdefault(label, 12) > 0:
            few[label] -= 1
            kept.append(f"{source / path},{label}")
    (tmp_path / "few.csv").write_text("\n".join(["path,label", *kept]))
    line = ["check", tmp_path / "few.csv", "-s", "test_resnet", "-t", teacher_model, "--teacher-size", 32]
    line += ["--image-size", 32, "--weak-teacher"]
    done = cli(*line, "--suspect-labels", tmp_path / "list.csv")
    assert done.status == 0, done.err
    assert "of classes with too few images were not judged" in " ".join(done.out.split())
    assert not any(row["given"] == "9" for row in read(tmp_path / "list.csv"))
    done = cli(*line, "--teacher-folds", 20, "--suspect-labels", tmp_path / "other.csv")
    assert done.status == 2
    assert "judged by heads that have seen other images of its class. Found: at most" in done.said


def test_a_teacher_that_the_gate_refuses_costs_the_list_and_not_the_audit(
    cli, exchanged, teacher_model, tmp_path, monkeypatch
):
    def refuse(*_):
        raise RunFailed("The teacher knows less than the pixels")

    monkeypatch.setattr("azeotrope.session.findings.suspecting.suspect_labels", refuse)
    line = ["check", exchanged[0], "-s", "test_resnet", "--image-size", 32, "-t", teacher_model]
    done = cli(*line, "--suspect-labels", tmp_path / "list.csv")
    assert done.status == 2
    assert f"{IMAGES} images, 10 classes" in done.out
    assert "No suspect labels: The teacher knows less than the pixels" in done.said
    assert not (tmp_path / "list.csv").exists()
