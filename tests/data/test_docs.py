"""What the page on data shows is run."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
def test_the_example_runs(block, capsys):
    exec(compile(block, str(PAGE), "exec"), {})
    assert "('0', '1', '2'" in capsys.readouterr().out
