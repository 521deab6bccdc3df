"""`azeotrope fit` from the terminal: one JSON document and nothing else, a table that fits, a figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azeotrope.cli.__main__ import main
from fitting.worlds import runs


@pytest.fixture
def table(tmp_path: Path) -> str:
    renamed = runs().rename({"train_images": "n_train", "test_error": "top1_err", "arm": "method"})
    renamed.write_csv(tmp_path / "runs.csv")
    return str(tmp_path / "runs.csv")


MAPPING = ["--x", "images=n_train", "--error", "top1_err", "--by", "method", "--draws", "100"]


def run(*arguments: str) -> int:
    try:
        main(["fit", *arguments])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_json_is_the_only_thing_on_standard_output(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(table, *MAPPING, "--at", "1000,5000", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [step["at"] for step in document["groups"]["scratch"]["predictions"]] == [1000, 5000]


def test_text_fits_a_hundred_columns(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(table, *MAPPING, "--forecast", "0.09") == 0
    out = capsys.readouterr().out
    assert "power_floor" in out
    assert "never with probability" in " ".join(out.split())
    assert "Next run: one more seed at" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 100


def test_plot_is_written(table: str, tmp_path: Path) -> None:
    assert run(table, *MAPPING, "--plot", str(tmp_path / "curves.svg")) == 0
    assert "<svg" in (tmp_path / "curves.svg").read_text()


def test_a_missing_column_is_exit_status_two_with_near_names(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(table, "--x", "images=n_trian", "--error", "top1_err") == 2
    assert "n_train" in capsys.readouterr().err
