"""Several tasks in one sweep: folders, one table, one report; and what is refused before anything is made."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from azeotrope.record.storage.store import RunStore

QUICK = ("--epochs", "1", "--views", "1", "--learning-rates", "1e-3", "--image-size", "32", "--precision", "fp32")
GRID = ("-s", "test_resnet", "--arms", "scratch", "-n", "8,12", "--seeds", "1", *QUICK)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Two small sets of class folders, the second with one class far larger than the other."""
    root, rng = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for name, counts in (("pets", (15, 15)), ("birds", (40, 10))):
        for label, count in zip("ab", counts, strict=True):
            (root / name / label).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / name / label / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def swept(cli, sets, tmp_path_factory):
    """The folder of both sweeps, and what was said as JSON."""
    out = tmp_path_factory.mktemp("swept") / "out"
    done = cli("sweep", sets / "pets", sets / "birds", *GRID, "--out", out, "--json")
    assert done.status == 0, done.err
    return out, json.loads(done.out)


def test_each_task_has_a_store_of_its_own_and_all_share_a_table(swept):
    out, said = swept
    assert list(said["tasks"]) == ["pets", "birds"]
    for folder, task in said["tasks"].items():
        assert (task["planned"], task["made"]) == (2, 2)
        assert {record.run_id for record in RunStore(str(out / folder))} == set(task["done"])
    rows = said["table"]["rows"]
    assert [(row["task"], row["train_images"]) for row in rows] == [(n, s) for n in ("pets", "birds") for s in (8, 12)]
    record = next(run for run in RunStore(str(out / "birds")) if run.train_images == 12)
    assert rows[3]["errors"]["scratch"]["value"] == record.test_error
    assert rows[3]["per_class"]["scratch"] == record.metrics["per_class_error"]


def test_the_report_of_the_folder_is_one_page_with_the_table(cli, swept):
    out, _ = swept
    done = cli("report", out)
    assert done.status == 0, done.err
    page = (out / "report.html").read_text()
    assert "for 2 tasks be trained?" in page
    assert page.count("<bdi>pets</bdi>") == page.count("<bdi>birds</bdi>") >= 2


def test_the_same_command_makes_nothing_and_a_task_may_be_given_alone(cli, sets, swept):
    out, _ = swept
    done = cli("sweep", sets / "pets", sets / "birds", *GRID, "--out", out)
    assert done.status == 0, done.err
    assert done.out.count("0 runs made in") == 2
    assert f"Report: azeotrope report {out}" in done.out
    alone = cli("sweep", sets / "pets", *GRID, "--out", out / "pets", "--json")
    assert json.loads(alone.out)["made"] == 0


def test_a_single_task_does_not_go_into_the_folder_of_several(cli, sets, swept):
    out, _ = swept
    said = cli("sweep", sets / "pets", *GRID, "--out", out).said
    assert "holds a sweep over several tasks. Found: pets, birds." in said


def test_several_tasks_do_not_go_into_the_folder_of_one(cli, sets, swept):
    out, _ = swept
    done = cli("sweep", sets / "pets", sets / "birds", *GRID, "--out", out / "pets")
    assert done.status == 2
    assert "holds the runs of one task, so several cannot go into it" in done.said


def test_a_task_that_cannot_be_carried_out_stops_all_before_the_first_run(cli, sets, tmp_path):
    plan = {"data": [str(sets / "pets"), {"data": str(sets / "birds"), "train_images": [8, 5000]}]}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(plan | {"students": "test_resnet", "train_images": [8]}))
    flags = ("--arms", "scratch", "--seeds", "1", *QUICK)
    done = cli("sweep", tmp_path / "both.yaml", *flags, "--out", tmp_path / "out")
    assert done.status == 2
    assert "Task both-birds: " in done.said
    assert not list(RunStore(str(tmp_path / "out" / "both-pets")))


def test_two_tasks_of_one_name_are_refused(cli, sets, tmp_path):
    (tmp_path / "pets").mkdir()
    said = cli("sweep", sets / "pets", tmp_path / "pets", *GRID, "--out", tmp_path / "out").said
    assert "a folder of its own, named after its plan and its images. Found: more than one task for pets." in said


def test_a_budget_of_runs_is_shared_out(cli, sets, tmp_path):
    done = cli("sweep", sets / "pets", sets / "birds", *GRID, "--budget", "2 runs", "--out", tmp_path / "out", "--json")
    assert done.status == 0, done.err
    assert {name: task["made"] for name, task in json.loads(done.out)["tasks"].items()} == {"pets": 1, "birds": 1}
