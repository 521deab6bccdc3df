"""Every command in README.md and docs/ is one that the program takes; what can be run in seconds is run.

Each line of a shell block that starts with `azeotrope` is read by the program's own parser. A block after the comment
`<!-- run by tests/docs -->` is run, line by line, in an empty folder, and then its page's Python. The examples of
data.md and models.md are run by the tests of these folders.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = "<!-- run by tests/docs -->\n"
BLOCK = re.compile(rf"({re.escape(RUN)})?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, *languages):
    """(is it to be run, its text) of the page's blocks in these languages."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(bool(mark), text) for mark, language, text in found if language in languages]


def commands(text):
    """Lines of a shell block that call the program; in a console they follow a prompt."""
    lines = (line.removeprefix("$ ") for line in text.replace("\\\n", " ").splitlines())
    return [line for line in lines if line.startswith("azeotrope ")]


SHELL = [(page.name, run, commands(text)) for page in PAGES for run, text in blocks(page, "sh", "console")]
LINES = sorted({(name, line) for name, _, lines in SHELL for line in lines})
PYTHON = {page.name: text for page in PAGES for _, text in blocks(page, "python")}


def test_there_is_something_to_test():
    assert len(LINES) > 20
    assert any(run for _, run, _ in SHELL)


@pytest.mark.parametrize(("page", "line"), LINES)
def test_the_command_is_one_that_the_program_takes(parse, page, line):
    parse(line)


@pytest.mark.parametrize("line", ["azeotrope distill photos/", "azeotrope wobble", "azeotrope check . --wobble"])
def test_a_command_that_is_wrong_would_be_found(parse, line):
    with pytest.raises(Exception, match=r"Missing|No such"):
        parse(line)


@pytest.mark.parametrize(("page", "lines"), [(page, lines) for page, run, lines in SHELL if run])
def test_the_marked_block_runs_and_then_the_python_of_its_page(cli, tmp_path, monkeypatch, page, lines):
    monkeypatch.chdir(tmp_path)
    for line in lines:
        done = cli(*line.split()[1:])
        assert done.status == 0, f"{line}\n{done.err}"
    exec(compile(PYTHON[page], page, "exec"), {})


@pytest.mark.parametrize("page", ["strategies.md"])
def test_the_python_example_runs(page):
    exec(compile(PYTHON[page], page, "exec"), {})


def test_the_example_of_a_loss_keeps_the_contract():
    from azeotrope.testing import losses

    names = {"__name__": "example"}
    exec(compile(PYTHON["losses.md"], "losses.md", "exec"), names)
    for check in losses.CHECKS:
        check(names["Loss"])


def test_every_loss_has_a_row():
    from azeotrope.lookup import members

    page = (ROOT / "docs" / "losses.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == members("losses")
