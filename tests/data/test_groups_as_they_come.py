"""Ten pictures of each of 24 patients; the label belongs to the patient and cannot be seen in a new one."""

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """A folder with `list.csv` (no splits) and `torn.csv` (patients in both splits)."""
    root = tmp_path_factory.mktemp("patients")
    (root / "img").mkdir()
    rows = []
    for patient in range(24):
        room = np.kron(np.random.default_rng(patient).integers(30, 226, (6, 6, 3)), np.ones((16, 16, 1)))
        for shot in range(10):
            random = np.random.default_rng([patient, shot])
            down, across = random.integers(0, 32, 2)
            pixels = room[down : down + 64, across : across + 64] + random.normal(0, 14, (64, 64, 3))
            name = f"img/{patient:02d}_{shot}.jpg"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name)
            rows.append(f"{name},{('ill', 'well')[patient % 2]},{patient:02d}")
    (root / "list.csv").write_text("\n".join(["path,label,patient", *rows]) + "\n")
    torn = [f"{row},{'test' if row.split('_')[1][0] in '01' else 'train'}" for row in rows]
    (root / "torn.csv").write_text("\n".join(["path,label,patient,split", *torn]) + "\n")
    return root


def error_by_likeness(root, task):
    """Of naming the label of the training picture with the most alike colours: it knows patients again, no illness."""
    colours = np.array(
        [
            np.histogramdd(np.asarray(Image.open(root / key)).reshape(-1, 3), 4, [(0, 256)] * 3)[0].ravel()
            for key in task.manifest.keys
        ]
    )
    train, test = task.splits.train, task.splits.test
    nearest = KNeighborsClassifier(1).fit(colours[train], task.labels[train])
    return 1 - nearest.score(colours[test], task.labels[test])


def test_whole_patients_are_held_out_and_the_error_is_that_of_chance(patients):
    plain = load_task(str(patients / "list.csv"))
    whole = load_task(str(patients / "list.csv"), labels=LabelSpec(group="patient"))
    assert error_by_likeness(patients, plain) < 0.1
    assert error_by_likeness(patients, whole) > 0.3
    names = [{whole.manifest.groups[row] for row in part.tolist()} for part in (
        whole.splits.train, whole.splits.val, whole.splits.test
    )]  # fmt: skip
    assert sum(map(len, names)) == len(set().union(*names)) == 24


def test_the_column_that_was_not_named_is_told_of(patients):
    said = " ".join(load_task(str(patients / "list.csv")).words)
    assert "'patient'" in said
    assert "--group patient" in said


def test_patients_in_both_given_splits_are_refused(patients):
    named = LabelSpec(group="patient")
    with pytest.raises(InputError, match="--keep-leaks") as refusal:
        load_task(str(patients / "torn.csv"), labels=named)
    assert "'00'" in str(refusal.value)
