"""An arm that does not use the axis: no pre-training, along `pretrain_images`."""

import io

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import azeotrope
from azeotrope.curves.cells import joint_cells
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.errors import NotIdentifiable
from azeotrope.reporting.texts.boundary_text import text
from azeotrope.tables.columns import Columns
from azeotrope.tables.frame import read_runs
from curves.worlds import power

SIZES = (1000, 2000, 4000, 8000, 16000)
PRETRAINED = power(0.10, 6.0, 0.5)  # 0.29 at 1,000 images, 0.147 at 16,000: meets 0.2 at 3,600
LEVEL = 0.2


def table(seeds=3, sd=0.02, seed=0, sizes=SIZES):
    """Distilled runs without pre-training at 0.2, and fine-tuned ones at each size; noise as log-normal, unpaired."""
    rng = np.random.default_rng(seed)
    rows = [("distill", 0, number, LEVEL * np.exp(sd * rng.standard_normal())) for number in range(seeds)]
    for size in sizes:
        errors = float(PRETRAINED(np.array(size))) * np.exp(sd * rng.standard_normal(seeds))
        rows += [("finetune@upstream", size, number, error) for number, error in enumerate(errors)]
    return pl.DataFrame(rows, schema=["arm", "pretrain_images", "seed", "test_error"], orient="row").with_columns(
        train_images=pl.lit(500)
    )


def shown(found):
    file = io.StringIO()
    Console(width=80, file=file).print(text(found))
    return file.getvalue()


def frames(runs):
    frame = read_runs(runs)
    return [frame.only("distill"), frame.only("finetune@upstream")]


def test_the_crossing_with_a_level_arm_is_found():
    found = azeotrope.boundary(table(), axis="pretrain_images", draws=600)
    truth = (6.0 / (LEVEL - 0.10)) ** 2
    assert (found.challenger, found.outcome) == ("distill", "crossing_bracketed")
    (crossing,) = found.crossings
    assert crossing.direction == "down"
    assert crossing.low < truth < crossing.high
    assert crossing.value == pytest.approx(truth, rel=0.15)
    assert "'distill' uses no pretrain_images: its runs stand at every size" in found.notes
    assert [check.pairs for check in found.form_free] == [3] * 5


def test_a_level_arm_is_as_uncertain_as_its_own_runs():
    """Three runs say as much of the line at five sizes as at one: its draws spread as a t mean of three does, and move
    together at all sizes.
    """
    cells = joint_cells(frames(table(sd=0.05)), "pretrain_images")
    errors = np.log(draw_curves(cells, draws=4000).errors(np.array([1000.0, 16000.0]))[0])
    assert cells.freedom == 2
    assert (errors[:, 0] == errors[:, 1]).all()
    middle_half = np.quantile(errors[:, 0], 0.75) - np.quantile(errors[:, 0], 0.25)
    assert middle_half == pytest.approx(2 * 0.8165 * np.sqrt(cells.noise[0, 0, 0] / 3), rel=0.1)  # t with 2 degrees


def test_what_paired_seeds_share_is_shared_at_every_size():
    runs = table()
    shift = dict(enumerate(np.random.default_rng(1).standard_normal(3) * 0.2))
    runs = runs.with_columns(test_error=pl.col("test_error") * pl.col("seed").replace_strict(shift).exp())
    draws = draw_curves(joint_cells(frames(runs), "pretrain_images"), draws=2000)
    level, pretrained = np.log(draws.errors(np.array([4000.0])))[:, :, 0]
    assert np.corrcoef(level, pretrained)[0, 1] > 0.6  # drawn towards what is usual, since three seeds say little


def test_two_level_arms_have_no_boundary():
    runs = table().filter(pl.col("arm") == "distill")
    both = pl.concat([runs, runs.with_columns(arm=pl.lit("scratch"))])
    with pytest.raises(NotIdentifiable, match="Two arms must share sizes of pretrain_images"):
        azeotrope.boundary(both, axis="pretrain_images")


def test_runs_that_do_not_say_are_not_level():
    """A column that is missing says nothing; only zeros say that none was used."""
    runs = table().drop("pretrain_images")
    frame = read_runs(runs.filter(pl.col("arm") == "distill"), Columns())
    from azeotrope.curves.level import is_level

    assert not is_level(frame, "pretrain_images")
    assert not is_level(frame, "nonsense")


def test_one_run_that_failed_badly_makes_the_answer_wide_and_not_absurd():
    """Runs of examples/pretrain.yaml: one seed of nine is ten points off (docs/log.md)."""
    errors = {1000: [0.235, 0.226, 0.244], 4000: [0.218, 0.348, 0.275], 16000: [0.242, 0.231, 0.236]}
    rows = [("scratch", 0, seed, error) for seed, error in enumerate([0.223, 0.265, 0.241])]
    rows += [("finetune@upstream", size, seed, error) for size, own in errors.items() for seed, error in enumerate(own)]
    runs = pl.DataFrame(rows, schema=["arm", "pretrain_images", "seed", "test_error"], orient="row")
    found = azeotrope.boundary(
        runs.with_columns(train_images=pl.lit(250)),
        axis="pretrain_images",
        challenger="finetune@upstream",
        baseline="scratch",
    )
    assert found.outcome == "undetermined"
    for win, regret in zip(found.p_win, found.regret, strict=True):
        assert win.difference.low < win.difference.value < win.difference.high
        assert max(regret.challenger, regret.baseline) < 0.1
    assert "not known" in shown(found)
