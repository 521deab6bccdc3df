"""What CI says of skipped tests, and the versions it takes for the lowest."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = "== not run here, by marker: slow, gpu, network, browser, trackers"
TARGETS = "coreml, executorch, executorch-int8, litert, litert-int8, onnx, onnx-int8, openvino, openvino-int8, pt2"
NO_TARGET = f"== export targets not run here: {TARGETS}"
pytestmark = pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="needs the repository")


def results(folder, *reasons, failures=0):
    """A file as pytest's --junitxml writes it: one passed test, and these skips and failures."""
    skipped = "".join(f'<testcase name="s"><skipped message="{reason}"/></testcase>' for reason in reasons)
    failing = '<testcase name="f"><failure message="no"/></testcase>' * failures
    file = folder / "suite.xml"
    file.write_text(f'<testsuites><testsuite><testcase name="a"/>{skipped}{failing}</testsuite></testsuites>')
    return file


def skips(*arguments):
    command = [sys.executable, ROOT / ".ci" / "skips", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_skips_are_counted_by_reason(tmp_path):
    absent, root = "published data a.csv not found: set X", "root may write anywhere"
    status, lines = skips(0, results(tmp_path, absent, root, absent))
    assert (status, lines) == (
        0,
        [
            "== skipped, suite: 3",
            "  2 x published data a.csv not found: set X",
            "  1 x root may write anywhere",
            LEFT_OUT,
            NO_TARGET,
            "1 passed, 0 failed, 3 skipped",
        ],
    )


@pytest.mark.parametrize("reason", ["could not import 'ray.util': No module named 'ray'", "ray is not installed"])
def test_a_package_that_the_environment_should_hold_may_not_be_missing(tmp_path, reason):
    status, lines = skips(0, results(tmp_path, reason))
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 1 skipped")
    assert lines[-4] == "FAILED: tests were skipped for want of what the environment should hold: ray"


def test_a_package_of_another_extra_may_be_missing(tmp_path):
    assert skips(0, results(tmp_path, "torchdistill is not installed: pip install --no-deps torchdistill"))[0] == 0


def test_failures_of_tests_and_of_other_checks_are_counted(tmp_path):
    assert skips(1, results(tmp_path, failures=2)) == (
        1,
        ["== skipped, suite: 0", LEFT_OUT, NO_TARGET, "1 passed, 3 failed, 0 skipped"],
    )
    assert skips(1) == (1, [LEFT_OUT, NO_TARGET, "0 passed, 1 failed, 0 skipped"])


def test_an_export_target_whose_contract_no_test_ran_is_named(tmp_path):
    names = [f"test_every_target_keeps_the_contract[{key}-is_timed_on_one_image]" for key in ("onnx", "litert-int8")]
    names.append("test_core_ml_is_converted_and_not_run[coreml]")
    file = tmp_path / "suite.xml"
    file.write_text("".join(["<testsuite>", *(f'<testcase name="{name}"/>' for name in names), "</testsuite>"]))
    missing = "executorch, executorch-int8, litert, onnx-int8, openvino, openvino-int8, pt2"
    assert skips(0, file)[1][-2:] == [f"== export targets not run here: {missing}", "3 passed, 0 failed, 0 skipped"]


def test_every_dependency_has_a_lowest_version():
    pins = subprocess.run([sys.executable, ROOT / ".ci" / "lowest"], capture_output=True, text=True, check=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    pinned = {line.split("==")[0] for line in pins.splitlines()}
    assert {re.split(r"[\[>]", each)[0] for each in listed} - {"azeotrope"} == pinned
