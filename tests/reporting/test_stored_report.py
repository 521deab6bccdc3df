"""The report made again from a stored folder, through the public function and the files it reads."""

import json

import pytest

import azeotrope
from azeotrope.analysis.comparisons import compared
from azeotrope.cli._options.columns import Columns
from azeotrope.cli.report import command
from azeotrope.errors import InputError, StoreError
from azeotrope.record.facts import TeacherFacts
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.document import Disagreement, Document
from azeotrope.reporting.drawing import render
from azeotrope.reporting.numbers import NotTested
from azeotrope.reporting.page import files
from azeotrope.reporting.summary import summarise

from .factories import MACHINE, STUDENT, run, three_seeds

RUNS = [*three_seeds("scratch", [220, 221, 225]), *three_seeds("distill", [200, 202, 204], val_error=0.19)]
PICTURE = Disagreement(image="data:image/png;base64,iVBORw0KGgo=", label="cat", predictions={"scratch": "dog"})


def stored(folder, runs=RUNS):
    for record in runs:
        RunStore(str(folder)).put(record)
    return folder


def test_records_alone_make_a_report(tmp_path):
    path = azeotrope.report(stored(tmp_path))
    assert path == tmp_path / "report.html"
    assert "distill beats scratch by 2.0 points" in path.read_text()


def test_what_only_compare_knew_is_kept(tmp_path):
    original = summarise(RUNS, not_tested=[NotTested(arm="finetune", reason="no weights")], plan={"data": "photos/"})
    first = files.write(stored(tmp_path), Document(comparisons=(original,), disagreements=(PICTURE,))).read_text()
    again = azeotrope.report(tmp_path, tmp_path / "again.html").read_text()
    assert again == first
    assert "no weights" in again
    assert PICTURE.image in again


def test_a_damaged_curve_costs_its_figures_and_not_the_report(tmp_path):
    stored(tmp_path)
    RunStore(str(tmp_path)).write(f"curves/{RUNS[0].run_id}.csv", b"nonsense")
    text = azeotrope.report(tmp_path).read_text()
    assert "distill beats scratch by 2.0 points" in text
    assert "Training by epoch" in text
    assert "Not shown. The training curve" in text
    assert f"curves/{RUNS[0].run_id}.csv cannot be read" in text


def test_a_sweep_draws_costs_at_its_largest_size_and_every_figure_meets_the_schema(tmp_path, monkeypatch):
    """Drawing does not hold a chart against the schema, for that is slow; the table of costs stands at every size."""
    drawn, real = [], render.svg
    monkeypatch.setattr(render, "svg", lambda chart: drawn.append(chart) or real(chart))
    runs = [
        one
        for size, wrong in ((100, 300), (400, 200), (1600, 130))
        for arm, gain in (("scratch", 0), ("distill", 20))
        for one in three_seeds(arm, [wrong - gain + seed for seed in (0, 4, 7)], train_images=size)
    ]
    text = azeotrope.report(stored(tmp_path, runs)).read_text()
    assert text.count("Where the seconds of a run go.") == 1
    assert text.count("What each arm costs") == 3
    assert len(drawn) == text.count("<svg")
    for chart in drawn:
        chart.to_dict()  # validates


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 stored run is"), (3, "3 stored runs are")])
def test_runs_that_the_last_comparison_does_not_name_are_counted(tmp_path, seeds, said):
    original = summarise(RUNS)
    files.write(stored(tmp_path), Document(comparisons=(original,)))
    assert compared(tmp_path) == (original,)
    stored(tmp_path, three_seeds("distill:kl", [100] * 3, val_error=0.1)[:seeds])
    stored(tmp_path, [run("scratch", seed, train_images=100) for seed in range(3)])  # not of this size: not counted
    small, again = compared(tmp_path)
    assert again == original.model_copy(update={"warnings": (f"{said} not part of this comparison.",)})
    assert small.warnings == ()
    assert f"{said} not part of this comparison." in azeotrope.report(tmp_path).read_text()


def test_an_arm_pre_trained_on_several_numbers_of_images_is_an_arm_for_each(tmp_path):
    runs = [run("scratch", seed, errors=220) for seed in range(3)]
    for images, wrong in ((1000, 210), (4000, 200)):
        seconds = {"train": 10.0, "pretrain": images / 100}
        upstream = {"pretrain_images": images, "init": "upstream", "strategy": "finetune", "seconds": seconds}
        made = [run("finetune@upstream", seed, errors=wrong, **upstream) for seed in range(3)]
        runs += [one.model_copy(update={"run_id": f"{one.run_id}-{images}"}) for one in made]
    (found,) = compared(stored(tmp_path, runs))
    names = [f"finetune@upstream, pre-trained on {images}" for images in ("1,000", "4,000")]
    assert [arm.name for arm in found.arms] == ["scratch", *names]
    assert [found.arm(name).seconds_amortised["pretrain"] for name in names] == [10.0, 40.0]


def test_an_arm_whose_pre_training_an_earlier_version_judged_stands_beside_this_versions(tmp_path):
    upstream = {"pretrain_images": 1000, "init": "upstream", "strategy": "finetune", "upstream": "large"}
    runs = [run("finetune@upstream", seed, errors=200, **upstream) for seed in range(3)]
    before = [one.model_copy(update={"run_id": f"{one.run_id}-before"}) for one in runs]
    now = [one.model_copy(update={"upstream_resize": "once"}) for one in runs]
    (found,) = compared(stored(tmp_path, [*before, *now]))
    assert {arm.name for arm in found.arms} == {"finetune@upstream", "finetune@upstream, of an earlier version"}
    assert set(found.arm("finetune@upstream").run_ids) == {one.run_id for one in now}


def test_runs_of_another_measure_lend_no_variance(tmp_path):
    """Two sizes of each: what a page's pairs have in common is of one measure."""
    one = [run for size in (100, 500) for arm, wrong in (("scratch", 220), ("distill", 200))
           for run in three_seeds(arm, [wrong, wrong + 3, wrong + 9], train_images=size)]  # fmt: skip
    other = [
        made.model_copy(update={"run_id": f"other-{made.run_id}", "recipe": {"metric": "balanced_error"}})
        for size in (100, 500) for arm in ("scratch", "distill")
        for made in three_seeds(arm, [100, 350, 220], train_images=size)
    ]  # fmt: skip
    alone = compared(stored(tmp_path / "alone", one))
    beside = compared(stored(tmp_path / "beside", [*one, *other]))
    assert [found for found in beside if found.metric == "error"] == list(alone)


OTHER = {
    "recipe": {"recipe": {"epochs": 9, "batch_images": 32}},
    "image size": {"student": STUDENT.model_copy(update={"image_size": 64})},
    "precision": {"environment": MACHINE.model_copy(update={"precision": "bf16"})},
    "resize of what is judged": {"resize": "once"},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
@pytest.mark.parametrize("last", [0, 1])
def test_runs_made_otherwise_stand_in_a_comparison_of_their_own(tmp_path, changes, last):
    others = [run("scratch", seed, errors=300, run_id=f"other-{seed}", **changes) for seed in range(3)]
    stored(tmp_path, [*RUNS, *others])
    comparisons = {len(item.arms): item for item in compared(tmp_path)}
    assert comparisons == {2: summarise(RUNS), 1: summarise(others)}
    latest = (summarise(RUNS), summarise(others))[last]
    files.write(tmp_path, Document(comparisons=(latest,)))
    assert compared(tmp_path)[-1] == latest
    assert azeotrope.report(tmp_path).read_text().count("What each arm costs") == 2


def test_compare_json_has_the_agreed_keys(tmp_path):
    files.write(tmp_path, Document(comparisons=(summarise(RUNS),)))
    content = json.loads((tmp_path / "compare.json").read_text())
    arm = content["arms"][0]
    assert {"name", "strategy", "init", "losses", "test_error", "seconds", "run_ids"} <= set(arm)
    assert set(arm["test_error"]) == {"value", "low", "high"}
    verdict = content["verdicts"][0]
    assert {"a", "b", "verdict", "difference", "seeds"} <= set(verdict)
    assert set(verdict["difference"]) == {"value", "low", "high"}


def test_several_sizes_are_read_back_with_the_largest_on_top(tmp_path):
    sizes = tuple(summarise(three_seeds("scratch", [200] * 3, train_images=images)) for images in (100, 1000))
    files.write(tmp_path, Document(comparisons=sizes))
    assert json.loads((tmp_path / "compare.json").read_text())["train_images"] == 1000
    assert files.read_comparisons(tmp_path) == sizes


def test_each_teacher_stands_beside_the_arms_without_one(tmp_path):
    other = TeacherFacts(name="small", weights_hash="y", image_size=32)
    second = [run("distill", seed, teacher=other, run_id=f"small-{seed}") for seed in range(3)]
    text = azeotrope.report(stored(tmp_path, [*RUNS, *second])).read_text()
    assert text.count("What each arm costs") == 2
    assert text.count('class="line"') == 2


def test_a_torn_record_is_named_on_the_page(tmp_path):
    stored(tmp_path)
    (tmp_path / "runs" / "torn.json").write_text('{"schema": 1')
    assert "torn.json" in azeotrope.report(tmp_path).read_text()


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"made from records\. Found: none .*runs\. Allowed: .*Next: give the folder"):
        azeotrope.report(tmp_path)


@pytest.mark.parametrize("name", ["compare.json", "examples.json"])
@pytest.mark.parametrize("content", ["{", "[1]", '{"arms": 3}'])
def test_a_torn_companion_is_named(tmp_path, name, content):
    (stored(tmp_path) / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name} cannot be read\. Found: .*Next: move it away"):
        azeotrope.report(tmp_path)


def test_a_page_that_cannot_be_written_is_said(tmp_path):
    (stored(tmp_path) / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        azeotrope.report(tmp_path, tmp_path / "file" / "report.html")


def test_the_command_prints_one_json_document_and_nothing_else(tmp_path, capsys):
    command(str(stored(tmp_path)), columns=Columns(), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["page"] == str(tmp_path / "report.html")
    assert [comparison["winner"] for comparison in said["comparisons"]] == ["distill"]
    assert (tmp_path / "report.html").exists()


def test_the_command_names_the_page_it_wrote(tmp_path, capsys):
    command(str(stored(tmp_path)), out=str(tmp_path / "page.html"), columns=Columns())
    assert capsys.readouterr().out == f"{tmp_path / 'page.html'}\n"
