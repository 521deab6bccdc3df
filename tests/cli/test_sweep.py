"""`azeotrope sweep`: from flags or a file, dry or not, again and again on one folder; and everything it refuses."""

import json
import shutil

import pytest
import yaml

from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.store import RunStore

GRID = ("--arms", "scratch", "-n", "40,60", "--seeds", "2", "--image-size", "32", "--precision", "fp32")
QUICK = ("--epochs", "1", "--views", "1", "--learning-rates", "1e-3")


def asked(out, *more, data="digits"):
    return ("sweep", data, "-s", "test_resnet", *GRID, *QUICK, "--out", out, *more)


@pytest.fixture(scope="module")
def swept(cli, tmp_path_factory):
    """The folder of a finished sweep of four runs, and what it said as JSON."""
    out = tmp_path_factory.mktemp("sweep") / "out"
    done = cli(*asked(out, "--json"))
    assert done.status == 0, done.err
    return out, done


@pytest.fixture
def copied(swept, tmp_path):
    """A folder like it, to do harm to."""
    return shutil.copytree(swept[0], tmp_path / "out")


@pytest.fixture
def no_training(monkeypatch):
    def trained(*_, **__):
        raise AssertionError("a run was made again")

    monkeypatch.setattr("azeotrope.sweeping.runs.runner.train_once", trained)


def test_json_is_one_document_and_progress_goes_elsewhere(swept):
    out, done = swept
    said = json.loads(done.out)
    assert (said["planned"], said["made"], len(said["done"]), said["failed"]) == (4, 4, 4, {})
    assert said["stopped"] == "every run of the plan is made"
    assert 0 < said["seconds_in_runs"] < said["seconds"]
    assert {record.run_id for record in RunStore(str(out))} == set(said["done"])
    assert "4 done, 0 failed" in done.err


def test_the_plan_is_kept_with_every_default_and_gives_the_same_sweep(cli, swept, no_training):
    out, done = swept
    plan = yaml.safe_load((out / "plan.yaml").read_text())
    assert plan["resolved"][0]["recipes"]["60"]["weight_decay"] == 0.05
    assert [path.stem for path in (out / "plans").iterdir()] == [json.loads(done.out)["plan"]]
    again = json.loads(cli("sweep", out / "plan.yaml", "--out", out, "--json").out)
    assert (again["made"], again["done"]) == (0, json.loads(done.out)["done"])


def test_the_same_command_again_makes_nothing(cli, swept, no_training):
    done = cli(*asked(swept[0]))
    assert done.status == 0
    assert done.out.splitlines()[0].startswith("0 runs made in")
    assert done.out.splitlines()[-1] == f"Records: {swept[0]}"


def test_a_dry_run_lists_the_runs_with_their_seconds_and_writes_nothing(cli, swept, tmp_path):
    done = cli(*asked(tmp_path / "out", "--dry-run"))
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("test_resnet scratch, 40 images, seed 0: to do, ")
    assert len(lines) == 5
    assert lines[-1].startswith("4 runs to make, about ")
    assert not (tmp_path / "out").exists()
    said = json.loads(cli(*asked(swept[0], "--dry-run", "--json", "--seeds", "3")).out)
    assert [cell["state"] for cell in said["cells"]] == ["done", "done", "to do"] * 2
    assert said["seconds"] == pytest.approx(sum(cell["seconds"] for cell in said["cells"] if cell["seconds"]))


def test_flags_change_a_plan_of_a_file(cli, swept, tmp_path):
    (tmp_path / "plan.yaml").write_text("data: digits\nstudents: test_resnet\narms: scratch\nseeds: 2\n")
    flags = ("-n", "40,60", "--image-size", 32, "--precision", "fp32", *QUICK)
    said = json.loads(cli("sweep", tmp_path / "plan.yaml", *flags, "--out", swept[0], "--json").out)
    assert (said["made"], said["planned"]) == (0, 4)


def test_flags_change_parts_of_a_recipe_of_a_file(cli, swept, tmp_path):
    content = {"data": "digits", "students": "test_resnet", "arms": "scratch", "seeds": 2, "train_images": [40, 60]}
    recipe = {"epochs": 3, "views": 1, "learning_rates": [1e-3]}
    (tmp_path / "plan.yaml").write_text(
        yaml.safe_dump({**content, "image_size": 32, "precision": "fp32", "recipe": recipe})
    )
    said = json.loads(cli("sweep", tmp_path / "plan.yaml", "--epochs", "1", "--out", swept[0], "--json").out)
    assert (said["made"], said["planned"]) == (0, 4)


@pytest.mark.parametrize("budget", ["5 EUR", {"money": 5}])
def test_a_flag_gives_the_price_of_a_budget_of_money_in_a_file(cli, swept, tmp_path, budget):
    content = {"data": "digits", "students": "test_resnet", "arms": "scratch", "seeds": 2, "budget": budget}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(content))
    flags = ("-n", "40,60", "--image-size", 32, "--precision", "fp32", *QUICK, "--out", swept[0])
    assert "money buys hours only at a known hourly_price" in cli("sweep", tmp_path / "plan.yaml", *flags).said
    assert cli("sweep", tmp_path / "plan.yaml", *flags, "--hourly-price", 2).status == 0
    assert yaml.safe_load((swept[0] / "plan.yaml").read_text())["budget"]["hourly_price"] == 2


def test_another_plan_may_share_the_folder(cli, copied):
    said = json.loads(cli(*asked(copied, "-n", "60,80", "--json")).out)
    assert (said["planned"], said["made"]) == (4, 2)
    assert len(list((copied / "plans").iterdir())) == 2
    assert len(list(RunStore(str(copied)))) == 6


def test_a_comparison_in_the_folder_of_a_sweep_takes_its_runs(cli, copied):
    before = {path: path.read_bytes() for path in (copied / "runs").iterdir()}
    grid = ("-s", "test_resnet", "--image-size", 32, "--precision", "fp32", *QUICK, "--arms", "scratch", "--seeds", 2)
    done = cli("compare", "digits", *grid, "-n", 60, "--out", copied)
    assert done.status == 0, done.err
    assert {path: path.read_bytes() for path in (copied / "runs").iterdir()} == before


def test_a_budget_of_runs_leaves_the_rest_out_and_says_so(cli, tmp_path):
    done = cli(*asked(tmp_path / "out", "--budget", "1 run"))
    assert done.status == 0, done.err
    assert "1 run made" in done.out
    assert "Stopped: the budget is spent." in done.out
    assert done.out.count("does not fit in the budget") == 3


def test_a_failed_run_is_made_again_on_request_only(cli, tmp_path):
    broken = asked(tmp_path / "out", "--learning-rates", "1e30", "-n", "40", "--seeds", "1")
    first = cli(*broken)
    assert first.status == 1
    assert "failed: test_resnet scratch, 40 images, seed 0: The loss is not finite" in first.out
    assert json.loads(cli(*broken, "--json").out)["made"] == 0
    assert json.loads(cli(*broken, "--json", "--retry-failed").out)["made"] == 1


class TestBadInput:
    def refused(self, cli, out, *more, data="digits"):
        done = cli(*asked(out, *more, data=data))
        assert (done.status, done.out) == (2, ""), done.out
        assert "Traceback" not in done.err
        return done.said

    def test_unknown_keys_are_told_together_with_the_nearest(self, cli, tmp_path):
        (tmp_path / "plan.yaml").write_text("dat: digits\nstudent: test_resnet\nbudget: {hour: 1}\n")
        done = cli("sweep", tmp_path / "plan.yaml", "--out", tmp_path / "out")
        assert done.status == 2
        for part in ("data: Field required", "dat: Extra", "(nearest: data", "(nearest: students", "(nearest: hours"):
            assert part in done.said
        assert not (tmp_path / "out").exists()

    def test_models_are_looked_for_before_the_images_are_read_and_told_together(self, cli, tmp_path, monkeypatch):
        def scanned(*_):
            raise AssertionError("the images were read")

        monkeypatch.setattr("azeotrope.session.opening.read_task", scanned)
        said = self.refused(
            cli, tmp_path / "out", "-s", "test_resnet,tset_resnet", "-t", "efficientnet_light0", "--arms", "distill"
        )
        assert "Some models of the plan cannot be used." in said
        assert "There is no timm model named 'tset_resnet'" in said
        assert "There is no timm model named 'efficientnet_light0'" in said
        assert "There is no timm model named 'no_such'" in self.refused(cli, tmp_path / "out", "-s", "no_such")

    def test_a_plan_that_is_not_there(self, cli, tmp_path):
        done = cli("sweep", tmp_path / "none.yaml")
        assert (done.status, "cannot be read as YAML" in done.said) == (2, True)

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (("--budget", "1 hour ago"), "A budget is an amount with its unit. Found: '1 hour ago'"),
            (("--budget", "5 EUR"), "money buys hours only at a known hourly_price"),
            (("--budget", "1s"), "The budget is too small for one run. Found: 1.0 s, of which reading the images and"),
            (("-n", "40,5000"), "A subset cannot be larger than the training images"),
            (("-n", "many"), "Numbers of images are whole numbers, 1 or more. Found: many"),
            (("--engine", "rai"), "engine.name: there is no engine named 'rai'; there are local, ray"),
            (("--address", "head:6379"), "engine: address and gpus are for an engine on many machines, such as ray"),
            (("--arms", "distill:kl"), "The arm distill:kl needs a teacher"),
            (("--ladder", "lcnet"), "students are named or come from a ladder: one of the two is needed"),
            (("--workers", "0"), "Invalid value for '--workers'"),
        ],
    )
    def test_what_cannot_be(self, cli, tmp_path, monkeypatch, more, words):
        monkeypatch.setattr("azeotrope.sweeping.forecast.training_rate", lambda *_, **__: 10.0)
        monkeypatch.setattr("azeotrope.sweeping.forecast.inference_rate", lambda *_, **__: 10.0)
        assert words in self.refused(cli, tmp_path / "out", *more)
        assert not (tmp_path / "out" / "runs").exists()

    def test_a_budget_that_is_over_before_the_first_run(self, cli, tmp_path, monkeypatch):
        monkeypatch.setattr("azeotrope.sweeping.forecast.training_rate", lambda *_, **__: 1e12)
        monkeypatch.setattr("azeotrope.sweeping.forecast.inference_rate", lambda *_, **__: 1e12)
        said = self.refused(cli, tmp_path / "out", "--budget", "0.001s")
        assert (
            "The budget is too small for one run. Found: 0.0 s, of which reading the images and the trial took" in said
        )

    def test_a_ladder_without_a_student_that_fits(self, cli, tmp_path):
        done = cli("sweep", "digits", "--ladder", "test_byobnet", "--max-parameters", 100, "--out", tmp_path / "out")
        assert done.status == 2
        assert "No student of test_byobnet fits the limits on parameters. Found: 1 to 100 asked" in done.said

    def test_a_store_of_another_task(self, cli, copied):
        for path in (copied / "runs").iterdir():
            content = json.loads(path.read_text())
            content["task"]["fingerprint"] = "f" * 64
            path.write_text(json.dumps(content))
        said = self.refused(cli, copied)
        assert f"The images have changed since the runs in {copied} were made. Found: fingerprint" in said

    def test_a_plan_of_another_task(self, cli, copied):
        shutil.rmtree(copied / "runs")
        plan = copied / "plan.yaml"
        text = plan.read_text().replace(yaml.safe_load(plan.read_text())["fingerprint"], "f" * 64)
        plan.write_text(text)
        assert "The images have changed since the runs in" in self.refused(cli, copied)
        assert plan.read_text() == text

    def test_a_store_that_a_newer_version_writes(self, cli, copied):
        path = next((copied / "runs").iterdir())
        path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
        said = self.refused(cli, copied)
        assert f"The store {copied} holds records that cannot be read" in said
        assert "was written by a newer version of azeotrope. Found: schema 99" in said

    def test_a_folder_in_which_a_comparison_works(self, cli, tmp_path):
        with claimed(tmp_path / "out"):
            assert "is in use by another process" in self.refused(cli, tmp_path / "out")

    def test_a_folder_of_something_else(self, cli, tmp_path):
        (tmp_path / "thesis.tex").write_text("precious")
        assert "holds files that are not azeotrope's" in self.refused(cli, tmp_path)

    def test_a_plan_file_of_something_else(self, cli, tmp_path):
        (tmp_path / "plan.yaml").write_text("- milk\n- eggs\n")
        assert "is not a plan that azeotrope wrote" in self.refused(cli, tmp_path)
