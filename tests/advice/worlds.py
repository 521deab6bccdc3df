"""Short cuts from a world's runs to the estimator's input."""

from __future__ import annotations

import polars as pl

from azeotrope.advice.cells import JointCells, joint_cells
from azeotrope.record.frame import read_runs
from azeotrope.testing.worlds import CROSSING, CROSSING_AT, NONE, SEVEN, WINDOW, power, runs

__all__ = ["CROSSING", "CROSSING_AT", "NONE", "SEVEN", "WINDOW", "cells", "power", "runs"]


def cells(table: pl.DataFrame, *arms: str) -> JointCells:
    """The cells of "distill" and "scratch", or of the arms named."""
    frame = read_runs(table)
    return joint_cells([frame.only(arm) for arm in arms or ("distill", "scratch")], "train_images")
