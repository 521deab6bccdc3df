"""The README's tables and tree say what is there."""

import re
from pathlib import Path

import pytest

from azeotrope.lookup import members

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCE = ROOT / "src" / "azeotrope"
TREE = re.search(r"```(?:text)?\nsrc/azeotrope/\n(.*?)```", README, re.DOTALL)[1]
LISTED = set(re.findall(r"(?<!\S)([a-z_]+(?:/|\.py))(?!\S)", TREE))


def test_every_path_of_the_tree_exists():
    assert [path for path in sorted(LISTED) if not (SOURCE / path).exists()] == []


def test_every_folder_and_file_is_in_the_tree():
    folders = {f"{path.name}/" for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py"}
    assert folders | files == LISTED


def test_the_table_of_commands_is_complete():
    rows = [line for line in README.splitlines() if line.startswith("| `azeotrope ")]
    named = {name for row in rows for name in re.findall(r"`azeotrope (\w+)", row)}
    assert named == set(members("cli"))


def links(page):
    """Relative targets, without anchors; what an HTML comment keeps for later is left out."""
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page):
    assert [link for link in links(page) if not (page.parent / link).exists()] == []
