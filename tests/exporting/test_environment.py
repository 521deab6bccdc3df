"""Environments of targets that need their own: named, made, remembered, and what is said where that fails.

No package is installed here: the contract suite runs with the real ones (`make test-targets`).
"""

import signal
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import azeotrope
from azeotrope.errors import InputError, MissingDependency, NotExported, StoreError
from azeotrope.exporting import environment, worker
from azeotrope.exporting.environment import Backend, prepare
from azeotrope.exporting.target import Conversion, parsed

LITERT = Backend("litert", ("litert-torch==0.10.0", "numpy==2.1"), megabytes=1)
NUMPY = Backend("litert", ("numpy==2.1",), megabytes=1)  # what every environment of these tests has


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "_torch_index", lambda: ["--extra-index-url", "https://example.org"])


@pytest.fixture
def installing(monkeypatch):
    """`subprocess.run` as uv: one step makes an environment, one installs, one asks for the packages; the last two end
    as told.
    """
    asked, ends, real = [], [], subprocess.run

    def run(words, **options):
        asked.append(words)
        if "venv" in words:
            venv.create(words[-1], with_pip=False)
            return subprocess.CompletedProcess(words, 0, "", "")
        end = ends.pop(0) if ends else ""
        if isinstance(end, BaseException):
            raise end
        return (
            real(words, **options) if end == "really" else subprocess.CompletedProcess(words, int(bool(end)), "", end)
        )

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
    assert len(asked) == 3  # make, install, ask for the packages
    assert said == [f"Making the environment of litert in {LITERT.made}.", "It takes up to 0.0 GB."]
    assert {"https://example.org", "--only-binary=litert-torch", *LITERT.requirements} <= set(asked[1])
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
    assert len(asked) == 3
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


def test_one_without_its_packages_is_not_whole(installing):
    """An installer may put them elsewhere (PYTHONPATH, PIP_TARGET) and say that all is well."""
    installing[1].extend(["", "really"])
    with pytest.raises(NotExported, match=r"cannot be made.*No package metadata was found for litert-torch"):
        prepare([LITERT], "make", print)
    assert not LITERT.made.exists()


def test_an_installer_that_does_not_run_is_named(installing):
    installing[1].append(PermissionError(13, "Permission denied"))
    with pytest.raises(NotExported, match=r"cannot be made\. Found: \S*(uv|python)\S*: Permission denied"):
        prepare([LITERT], "make", print)


def test_one_whose_python_is_gone_is_made_anew(installing):
    prepare([LITERT], "make", print)
    LITERT.python().unlink()
    with pytest.raises(MissingDependency):
        LITERT.python()
    prepare([LITERT], "make", print)
    assert LITERT.python().is_file()


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


def test_one_that_was_named_and_is_gone_is_said_and_not_replaced(installing, tmp_path):
    prepare([NUMPY], "make", print)
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    (NUMPY.made.parent / "litert.txt").write_text(str(python))
    assert NUMPY.python() == python
    python.unlink()
    with pytest.raises(MissingDependency, match=rf"Found: {python}, which was named last, is gone"):
        NUMPY.python()


def test_two_backends_may_have_an_environment_each(installing):
    other = Backend("executorch", ("executorch==1.5.1",), megabytes=1)
    with pytest.raises(InputError, match="must hold the packages of executorch"):
        prepare([NUMPY, other], sys.executable, print)
    with pytest.raises(MissingDependency):
        NUMPY.python()  # nothing was started
    prepare([other], "make", print)
    prepare([NUMPY, other], sys.executable, print)
    assert NUMPY.python() == Path(sys.executable)
    assert other.python().is_relative_to(other.made)


def test_all_else_that_may_be_wrong_is_said_before_an_environment_is_made(installing, model, tmp_path):
    with pytest.raises(InputError):
        azeotrope.export(tmp_path / "typo", to="litert", env="make")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="files that are not of an export"):
        azeotrope.export(model, to="litert", env="make", out=tmp_path)
    assert installing[0] == []


def test_a_file_that_was_left_half_written_is_not_quantised(tmp_path, monkeypatch):
    asked = []

    def ask(backend, action, **request):
        asked.append(action)
        Path(request["file"]).write_bytes(b"half")
        raise NotExported("its process ended with -9")

    monkeypatch.setattr(Backend, "ask", ask)
    (tmp_path / "model.pt2").write_bytes(b"")
    conversion = Conversion(None, 32, np.zeros((1, 3, 32, 32), np.uint8), tmp_path)
    for key in ("litert", "litert-int8"):
        with pytest.raises(NotExported, match="ended with -9"):
            conversion.file_of(key)
    assert asked == ["convert"]
    assert not list(tmp_path.glob("*.tflite"))


def test_an_environment_that_fails_costs_its_own_files_only(model, tmp_path, monkeypatch):
    def ask(backend, action, **request):
        raise NotExported("litert cannot be started")

    monkeypatch.setattr(Backend, "python", lambda backend: Path(sys.executable))
    monkeypatch.setattr(Backend, "ask", ask)
    made = azeotrope.export(model, to="litert,pt2", out=tmp_path / "x").verification
    assert [each.target for each in made.refused] == ["litert"]
    assert [each.target for each in made.files] == ["pt2"]
    assert made.packages == {}


def test_one_that_is_named_is_remembered_until_one_is_made(installing):
    prepare([NUMPY], sys.executable, print)
    assert NUMPY.python() == Path(sys.executable)
    prepare([NUMPY], "make", print)
    assert NUMPY.python() != Path(sys.executable)


def test_env_without_a_use_is_refused(model, tmp_path):
    with pytest.raises(InputError, match=r"--env is for targets .* own\. Found: --env with --to onnx"):
        azeotrope.export(model, to="onnx", env="make", out=tmp_path / "x")


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """A worker of a backend of a few lines, served by the real program in a process of its own."""
    programs = tmp_path / "elsewhere"
    programs.mkdir()
    real = Path(worker.__file__).with_name("elsewhere") / "serve.py"
    (programs / "serve.py").write_text(real.read_text())
    (programs / "bad.py").write_text(
        "import os, time\n"
        "def in_8_bits(file):\n"
        "    print('chatter', flush=True)\n"
        "    if file == 'end': os._exit(7)\n"
        "    if file == 'slow': time.sleep(2)\n"
        "    if file == 'none': return [False]\n"
        "    if file == 'bad': raise RuntimeError('Lowering failed\\nNo lowering for aten.fft_rfft.default')\n"
        "    return [True, False]\n"
    )
    monkeypatch.setattr(worker, "_PROGRAMS", programs)
    return worker.Worker(Path(sys.executable), "bad")


def test_what_a_backend_raises_names_the_operator_and_does_not_end_it(backend):
    failed = r"asked to int8 share\. Found: RuntimeError: Lowering failed \(operator aten\.fft_rfft\.default\)"
    with pytest.raises(NotExported, match=failed):
        backend.ask("int8_share", file="bad")
    first = backend._process.pid
    assert backend.ask("int8_share", file="whole") == 0.5
    assert backend._process.pid == first


def test_a_backend_that_ends_is_started_again_and_ends_with_its_input(backend):
    with pytest.raises(NotExported, match="its process ended with 7"):
        backend.ask("int8_share", file="end")
    assert backend.ask("int8_share", file="whole") == 0.5
    backend._process.stdin.close()
    assert backend._process.wait(20) == 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that interrupts")
def test_the_answer_to_an_interrupted_question_is_not_that_of_the_next(backend):
    def interrupt(*_):
        raise KeyboardInterrupt

    assert backend.ask("int8_share", file="whole") == 0.5
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            backend.ask("int8_share", file="slow")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert backend.ask("int8_share", file="none") == 0
