"""The program in locales of another encoding, as a process of its own: names from the disk, tables, JSON, escapes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SOURCE = Path(__file__).parents[2] / "src"
NAMES = ("Schl\u00fcssel", "\u732b")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="names of files are UTF-8 there")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Too few pictures to divide: `check` leaves after its audit, before anything is trained."""
    root = tmp_path_factory.mktemp("\u00fc") / "Bilder_\u00e4"
    rows = ["path,label"]
    for place, name in enumerate(NAMES):
        (root / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (9, 9), (place * 90, number * 90, 50)).save(root / name / f"\u00e4{number}.png")
            rows.append(f"{name}/\u00e4{number}.png,{name}")
    (root / "Liste_\u8868.csv").write_text("\n".join(rows), encoding="utf-8")
    return root


def started(cache, *arguments, **locale):
    """What the program wrote in that locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    told = {**kept, **locale, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "AZEOTROPE_CACHE": str(cache)}
    command = [sys.executable, "-m", "azeotrope", *map(str, arguments)]
    return subprocess.run(command, env=told, capture_output=True, check=False, timeout=600)


def test_a_table_is_read_and_names_come_as_escapes_in_the_locale_c(few, tmp_path):
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = started(tmp_path, "check", few / "Liste_\u8868.csv", "-s", "test_resnet", **locale)
    assert done.returncode == 2, done.stderr
    said = done.stdout.decode("ascii")
    assert "Liste_\\u8868: 4 images, 2 classes" in said
    assert "Schl\\xfcssel         2" in said
    assert "unreadable" not in said
    assert "'\\u732b' has 2" in done.stderr.decode("ascii")


def test_json_and_names_in_a_locale_of_latin_1(few, tmp_path):
    made = tmp_path / "de_DE.ISO-8859-1"
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("no localedef or no sources of locales here")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", made], check=True)
    locale = {"LOCPATH": str(tmp_path), "LC_ALL": made.name}
    done = started(tmp_path, "check", few, "-s", "test_resnet", "--json", **locale)
    assert done.returncode == 2, done.stderr
    content = json.loads(done.stdout.decode("latin-1"))
    audit = content["audit"]
    assert (audit["name"], tuple(audit["classes"])) == (few.name, NAMES)
    assert audit["passed"][0]["example"] == str(few / "Liste_\u8868.csv")
    assert "'Schl\u00fcssel' has 2, '\u732b' has 2" in content["refusal"]


def test_the_names_of_a_table_lead_to_their_files_in_python_too(few):
    code = f"""
import sys
from azeotrope.data.sources.table import open_source
source = open_source(sys.argv[1])
assert sys.getfilesystemencoding() == "ascii"
assert source.classes == {NAMES!a}, ascii(source.classes)
assert len(source.read(0)) > 50
"""
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code, few / "Liste_\u8868.csv"]
    done = subprocess.run(command, env=locale, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
