"""The figure of a fit: its numbers are the fit's, and it draws."""

from __future__ import annotations

import pytest

from azeotrope.api.fit import fit
from azeotrope.reporting.drawing import curves, render
from fitting.worlds import runs


@pytest.fixture(scope="module")
def drawn() -> curves.CurveNumbers:
    return curves.numbers(fit(runs(), at=[40000], draws=100))


def test_lines_span_the_data_and_the_asked_size(drawn: curves.CurveNumbers) -> None:
    sizes = [row["size"] for row in drawn.lines]
    assert sizes[0] == pytest.approx(250)
    assert sizes[-1] == pytest.approx(40000)
    assert all(row["low"] <= row["error"] <= row["high"] for row in drawn.lines)  # type: ignore[operator]


def test_points_are_the_cells_with_their_residuals(drawn: curves.CurveNumbers) -> None:
    assert [row["size"] for row in drawn.points] == [250, 500, 1000, 2000, 4000, 8000, 16000]
    assert all(abs(float(row["residual"] or 0)) < 0.1 for row in drawn.points)


def test_it_draws_on_log_axes(drawn: curves.CurveNumbers) -> None:
    picture = render.svg(curves.figure(drawn))
    assert "training images" in picture
    assert "log residual" in picture


def test_without_intervals_it_draws_no_band() -> None:
    bare = curves.numbers(fit(runs(), draws=0))
    assert all(row["low"] is None for row in bare.lines)
    assert render.svg(curves.figure(bare)).startswith("<svg")
