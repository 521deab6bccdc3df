"""Environments of targets that need their own: named, made, remembered, and what is said where that fails.

No package is installed here: the contract suite runs with the real ones (`make test-targets`).
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import azeotrope
from azeotrope.errors import InputError, MissingDependency, NotExported, StoreError
from azeotrope.exporting import environment
from azeotrope.exporting.environment import Backend, prepare
from azeotrope.exporting.target import parsed

LITERT = Backend("litert", ("litert-torch==0.10.0", "numpy==2.1"), megabytes=1)
NUMPY = Backend("litert", ("numpy==2.1",), megabytes=1)  # what every environment of these tests has


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "_torch_index", lambda: ["--extra-index-url", "https://example.org"])


@pytest.fixture
def installing(monkeypatch):
    """`subprocess.run` as uv: the first step makes an environment, the second ends as told."""
    asked, ends = [], []

    def run(words, **_):
        asked.append(words)
        if "venv" in words:
            venv.create(words[-1], with_pip=False)
            return subprocess.CompletedProcess(words, 0, "", "")
        end = ends.pop(0) if ends else ""
        if isinstance(end, BaseException):
            raise end
        return subprocess.CompletedProcess(words, int(bool(end)), "", end)

    monkeypatch.setattr(environment.subprocess, "run", run)
    return asked, ends


def test_nothing_is_made_unasked(model, tmp_path):
    with pytest.raises(
        MissingDependency, match=r"litert runs in an environment of its own.*--env make.*2\.0 GB.*--env F"
    ):
        azeotrope.export(model, to="onnx,litert", out=tmp_path / "x")
    with pytest.raises(MissingDependency, match="executorch runs in an environment of its own"):
        parsed("executorch-int8")  # what `compare --deploy` and `sweep` ask
    assert not (tmp_path / "x").exists()


def test_an_environment_is_made_once_and_known_afterwards(installing):
    asked, said = installing[0], []
    prepare([LITERT], "make", said.append)
    prepare([LITERT], "make", said.append)
    assert len(asked) == 2
    assert said == [f"Making the environment of litert, up to 0.0 GB, in {LITERT.made}."]
    assert {"https://example.org", *LITERT.requirements} <= set(asked[1])
    assert LITERT.python().parts[: len(LITERT.made.parts)] == LITERT.made.parts
    other = Backend("litert", ("litert-torch==0.11.0",), megabytes=1)
    with pytest.raises(MissingDependency):
        other.python()  # the pins are its key


def test_one_that_was_left_half_made_is_made_anew(installing):
    asked, _ = installing
    left = LITERT.made / "lib" / "half.py"
    left.parent.mkdir(parents=True)
    left.write_text("")
    with pytest.raises(MissingDependency):
        LITERT.python()
    prepare([LITERT], "make", print)
    assert len(asked) == 2
    assert not left.exists()


@pytest.mark.parametrize(
    "end", [KeyboardInterrupt(), "error: Failed to fetch: `https://pypi.org/simple/`\n  cause: dns"]
)
def test_one_that_cannot_be_finished_is_not_there(installing, end):
    installing[1].append(end)
    with pytest.raises((KeyboardInterrupt, NotExported)) as raised:
        prepare([LITERT], "make", print)
    if isinstance(end, str):
        assert str(raised.value) == (
            "The environment of litert cannot be made. Found: error: Failed to fetch: `https://pypi.org/simple/`; "
            "cause: dns. Next: give the same command again with a network (pip's and uv's settings name another "
            "index), or name an environment that has the packages: --env FOLDER."
        )
    assert not LITERT.made.exists()


def test_a_small_disk_is_told_before_anything_is_made(installing):
    large = Backend("litert", LITERT.requirements, megabytes=10**12)
    with pytest.raises(StoreError, match=r"no room for an environment.*MB free.*1,000,000,000,000 MB"):
        prepare([large], "make", print)
    assert installing[0] == []


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(StoreError, match="AZEOTROPE_CACHE"):
        prepare([LITERT], "make", print)


def test_env_must_name_an_environment(tmp_path):
    with pytest.raises(InputError, match=rf"--env names an environment of Python.*no {tmp_path}.*make, a folder"):
        prepare([LITERT], str(tmp_path), print)
    (tmp_path / "python").write_text("")
    with pytest.raises(InputError, match="cannot be run"):
        prepare([LITERT], str(tmp_path / "python"), print)


def test_env_without_the_packages_is_refused_and_not_remembered():
    with pytest.raises(InputError, match=r"must hold the packages of litert.*PackageNotFoundError.*litert-torch.*make"):
        prepare([LITERT], sys.executable, print)
    with pytest.raises(MissingDependency):
        LITERT.python()


def test_an_interpreter_that_is_none_is_refused(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'ModuleNotFoundError: numpy' >&2; exit 3\n")
    python.chmod(0o755)
    with pytest.raises(InputError, match=r"its process ended with 3: ModuleNotFoundError: numpy"):
        prepare([LITERT], str(python), print)


def test_one_that_is_named_is_remembered_until_one_is_made(installing):
    prepare([NUMPY], sys.executable, print)
    assert NUMPY.python() == Path(sys.executable)
    prepare([NUMPY], "make", print)
    assert NUMPY.python() != Path(sys.executable)


def test_env_without_a_use_is_refused(model, tmp_path):
    with pytest.raises(InputError, match=r"--env is for targets .* own\. Found: --env with --to onnx"):
        azeotrope.export(model, to="onnx", env="make", out=tmp_path / "x")


def test_what_a_backend_raises_names_the_operator_and_does_not_end_it(tmp_path, monkeypatch):
    """A backend of three lines, served by the real program in a process of its own."""
    from azeotrope.exporting import worker

    programs = tmp_path / "elsewhere"
    programs.mkdir()
    real = Path(worker.__file__).with_name("elsewhere") / "serve.py"
    (programs / "serve.py").write_text(real.read_text())
    (programs / "bad.py").write_text(
        "import os\n"
        "def in_8_bits(file):\n"
        "    print('chatter', flush=True)\n"
        "    if file == 'end': os._exit(7)\n"
        "    if file != 'whole': raise RuntimeError('Lowering failed\\nNo lowering for aten.fft_rfft.default')\n"
        "    return [True, False]\n"
    )
    monkeypatch.setattr(worker, "_PROGRAMS", programs)
    bad = worker.Worker(Path(sys.executable), "bad")
    failed = (
        r"bad failed while it was asked to int8 share\. Found: RuntimeError: Lowering failed \(operator aten\.fft_rfft"
    )
    with pytest.raises(NotExported, match=failed):
        bad.ask("int8_share", file="x")
    first = bad._process.pid
    assert bad.ask("int8_share", file="whole") == 0.5
    assert bad._process.pid == first
    with pytest.raises(NotExported, match="its process ended with 7"):
        bad.ask("int8_share", file="end")
    assert bad.ask("int8_share", file="whole") == 0.5
    os.kill(bad._process.pid, 0)  # it is there until its input ends
    bad._process.stdin.close()
    assert bad._process.wait(20) == 0
