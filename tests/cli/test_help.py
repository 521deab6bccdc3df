"""What a person reads before anything runs."""

import re

import pytest
import typer
from rich.text import Text

from azeotrope import __version__
from azeotrope.cli.__main__ import build
from azeotrope.lookup import member, members

COMMANDS = members("cli")
PANELS = ["Arguments", "Common options", "Teacher", "Training", "Images and labels", "Machine", "Curves", "Program"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_that_the_command_takes(cli, parse, name):
    example = re.search(r"^ *Example: (azeotrope .*)$", member("cli", name, "command").command.__doc__, re.MULTILINE)
    assert example, f"{name} has no example"
    assert example[1].split()[1] == name
    parse(example[1])
    done = cli(name, "--help")
    assert (done.status, done.err) == (0, "")
    assert "Example: " + example[1] in " ".join(done.out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_loses_no_words_to_markup(name):
    for parameter in typer.main.get_command(build()).commands[name].params:
        said = parameter.help or ""
        assert Text.from_markup(said).plain == said


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_the_terminal_and_says_every_default(cli, monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli(name, "--help").out.splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    headings = [line for line in lines if line and not line.startswith(" ") and line in PANELS]
    assert headings == sorted(headings, key=PANELS.index)
    for parameter in typer.main.get_command(build()).commands[name].params:
        if parameter.param_type_name == "option" and not parameter.is_flag:
            said = words.partition(f" {parameter.opts[0]} ")[2].partition("]")[0]
            assert said.endswith("[required") or "[default: " in said, parameter.name


def test_help_is_plain_without_colour_and_in_a_pipe(cli, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli("compare", "--help").out


def test_help_of_the_program_lists_every_command_with_a_sentence(cli):
    done = cli("--help")
    assert done.status == 0
    listed = re.findall(r"^  (\w+) +[A-Z]", done.out, re.MULTILINE)
    assert sorted(listed) == COMMANDS


def test_no_command_is_wrong_usage_and_shows_the_help(cli):
    done = cli()
    assert done.status == 2
    assert "compare" in done.out


def test_version(cli):
    assert cli("--version").out == __version__ + "\n"
    assert cli("--version").status == 0
