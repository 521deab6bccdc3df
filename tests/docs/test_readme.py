"""The README's tables and tree say what is there."""

import re
from pathlib import Path

from azeotrope.lookup import members

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())]
    assert links
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []
