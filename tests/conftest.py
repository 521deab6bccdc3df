"""What all tests share: checked shapes, few threads, no user cache, and small things that are costly to make twice."""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tests run side by side, on few cores

import pytest
from jaxtyping import install_import_hook

from documents import check_document

SHAPES_CHECKED = (
    "azeotrope.losses",
    "azeotrope.data.augmentation.render",
    "azeotrope.data.augmentation.resample",
    "azeotrope.train",
    "azeotrope.teacher",
    "azeotrope.models.network",
)
install_import_hook(SHAPES_CHECKED, "beartype.beartype")  # before these are imported


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Nothing is read from, or left in, the cache of the person who runs the tests."""
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def digits():
    """1,797 grey images of 8x8 pixels in ten classes."""
    from azeotrope.data.task import load_task

    return load_task("digits")


@pytest.fixture(scope="session")
def digit_tables(tmp_path_factory):
    """500 digits as files, and tables of them: `several.csv` says of each whether it is even, has a closed loop, is
    above 4; `answers.csv` the same in columns of 0 and 1; `number.csv` how much ink it has, in per cent.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("digits")
    bunch = load_digits()
    rows = {"several": ["path,labels"], "answers": ["path,even,loop,above 4"], "number": ["path,ink"]}
    for place, (pixels, digit) in enumerate(zip(bunch.images[:500], bunch.target, strict=False)):
        Image.fromarray((pixels * 15).astype("uint8")).save(folder / f"{place}.png")
        shows = {"even": digit % 2 == 0, "loop": digit in (0, 6, 8, 9), "above 4": digit > 4}
        rows["several"].append(f"{place}.png,{';'.join(name for name, yes in shows.items() if yes)}")
        rows["answers"].append(",".join([f"{place}.png", *(str(int(yes)) for yes in shows.values())]))
        rows["number"].append(f"{place}.png,{100 * pixels.mean() / 16:.3f}")
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="session")
def teacher_model(tmp_path_factory):
    """A teacher that needs no hub: a network that was taught digits here, briefly. It knows more than their pixels."""
    from safetensors.torch import save_file

    from networks import trained_on_digits

    weights = trained_on_digits(lambda digits: digits, 10, steps=25)
    file = tmp_path_factory.mktemp("weights") / "teacher.safetensors"
    save_file(weights, file)
    return f"timm:test_resnet@{file}"


@pytest.fixture(scope="session")
def embed():
    """What a teacher says of one view of packed images [n, S, S, K]."""
    from azeotrope.data.augmentation.views import draw
    from azeotrope.data.host_batch import Inputs

    def said(teacher, images, policy, identities, view):
        return teacher.embedder(teacher.device.send(Inputs(images.numpy(), draw(policy, identities, view))))

    return said


@dataclass(frozen=True)
class Done:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def said(self):
        """Standard error as words, an error as its own text: without frames, line breaks and the labels that begin
        the lines (`tests/cli/test_errors.py` reads those).
        """
        joined = re.sub("^error: ", "", self.err, flags=re.MULTILINE)
        joined = re.sub("^(found|allowed|next): ", lambda label: label[0].capitalize(), joined, flags=re.MULTILINE)
        return " ".join(re.sub("[╭╮╰╯│─]", " ", joined).split())


@pytest.fixture(scope="session")
def cli():
    """Runs `azeotrope ARGUMENTS` in this process, as the installed command does. What it prints with `--json` must be
    what `azeotrope schema` says, to the last key.
    """
    from azeotrope.cli.__main__ import main

    def run(*arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([str(argument) for argument in arguments])
                status = 0
            except SystemExit as left:
                status = left.code or 0
        done = Done(status, out.getvalue(), err.getvalue())
        if "--json" in arguments and done.out:
            check_document(arguments, json.loads(done.out))
        return done

    return run


@pytest.fixture(scope="module")
def chromium():
    """The system's own browser, or the one that $CHROMIUM names; for tests marked `browser`."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def parse():
    """Reads a command line as the program would, without running it; raises what the parser raises."""
    import typer

    from azeotrope.cli.__main__ import build

    commands = typer.main.get_command(build())

    def read(line):
        program, *arguments = shlex.split(line, comments=True)
        assert program == "azeotrope"
        context = commands.make_context(program, list(arguments))
        name, command, rest = commands.resolve_command(context, arguments)
        return command.make_context(name, rest, parent=context).params

    return read
