"""After folds, `compare` ends with a command that asks the same of the winner alone; it is given here as printed."""

import shlex
from types import SimpleNamespace

import pytest

from azeotrope.api.suggest import Suggestion
from azeotrope.plan import TeacherSpec

ASKED = (
    *("a b.csv", "--folds", "3", "--group", "patient", "--sampling", "balanced", "--metric", "balanced_error"),
    *(
        "--no-mirror",
        "--kind",
        "single",
        "--learning-rates",
        "5e-4,2e-3",
        "--epochs",
        "2",
        "--cache",
        "kept",
        "-n",
        "90",
    ),
    *("--out", "folded"),
)
MODELS = ("-s", "small@none", "-t", "big", "--weak-teacher", "--teacher-size", "64")
ARMS = ("--arms", "scratch,distill", "--losses", "kl,info_nce", "--unlabelled", "more")


@pytest.fixture
def after(cli, monkeypatch):
    """`compare` with these options, won by an arm: what was asked for, and the lines that were printed."""

    def run(winner, *options, folds=3):
        asked = {}

        def compare(data, **given):
            asked.update(given, data=data)
            return SimpleNamespace(winner=winner, folds=folds, arm=lambda name: SimpleNamespace(run_ids=["x"]))

        monkeypatch.setattr("azeotrope.api.compare.compare", compare)
        done = cli("compare", *options)
        assert done.status == 0, done.err
        return asked, done.out.splitlines()

    monkeypatch.setattr("azeotrope.reporting.texts.table.table", lambda comparison: "")
    monkeypatch.setattr("pathlib.Path.exists", lambda path: True)
    return run


@pytest.mark.parametrize(
    ("winner", "teacher", "pictures"),
    [
        ("distill+unlabelled:kl", TeacherSpec(model="big", image_size=64, weak=True), "more"),
        ("distill:kl", TeacherSpec(model="big", image_size=64, weak=True), None),
        ("scratch", None, None),
    ],
)
def test_the_command_asks_the_same_of_the_winner_alone(after, winner, teacher, pictures):
    before, lines = after(winner, *ASKED, *MODELS, *ARMS)
    program, command, *again = shlex.split(lines[-1])
    assert (program, command) == ("azeotrope", "compare")
    now, _ = after(winner, *again, folds=None)
    assert (now["arms"], now["teacher"], now["folds"], now["seeds"]) == ([winner], teacher, None, 1)
    assert (now["held_out"], now["train_images"], str(now["out"])) == (0.05, None, "folded-final")
    assert (now["pictures"].unlabelled if now["pictures"] else None) == pictures
    same = ("data", "student", "labels", "recipe", "cache")
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    assert before["labels"].group == "patient"


def test_models_that_were_chosen_are_named(after, monkeypatch):
    found = Suggestion("small", TeacherSpec(model="big", image_size=128), ("student", "teacher"))
    monkeypatch.setattr("azeotrope.api.suggest.suggest", lambda *given, **options: found)
    before, lines = after(
        "distill:kl", "digits", "--device-budget", "5MB", "--folds", "3", "--teacher-head", "finetune"
    )
    now, _ = after("distill:kl", *shlex.split(lines[-1])[2:], folds=None)
    assert (now["student"], now["teacher"]) == (before["student"], before["teacher"])
    assert now["teacher"].head == "finetune"
