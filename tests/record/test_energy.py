"""Counters of energy: on a copy of Linux's powercap tree, and a library in the place of NVML."""

import sys
from types import SimpleNamespace

import pytest

from azeotrope.record.machine import energy
from azeotrope.record.machine.energy import Counter, Meter, open_meter

RANGE = 262_143_328_850  # microjoules, as Intel's processors say it


@pytest.fixture
def powercap(tmp_path):
    """Two packages, one with a part of its own (which is in it already), and the platform's zone of another kind."""
    for zone, used in (("intel-rapl:0", 1_000_000), ("intel-rapl:1", 5_000_000), ("intel-rapl:0:0", 700_000)):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "energy_uj").write_text(f"{used}\n")
        (tmp_path / zone / "max_energy_range_uj").write_text(f"{RANGE}\n")
    (tmp_path / "dtpm").mkdir()
    return tmp_path


def use(powercap, zone, microjoules):
    (powercap / zone / "energy_uj").write_text(f"{microjoules}\n")


def test_packages_are_added_up_and_their_parts_are_not(powercap, tmp_path):
    meter = open_meter(powercap, tmp_path / "no driver")
    assert meter.source == "RAPL of 2 packages"
    before = meter.joules()
    assert before == 0.0
    use(powercap, "intel-rapl:0", 3_500_000)
    use(powercap, "intel-rapl:1", 5_250_000)
    use(powercap, "intel-rapl:0:0", 9_000_000)
    assert meter.since(before) == pytest.approx(2.5 + 0.25)


def test_a_counter_that_began_again_at_zero_goes_on(powercap, tmp_path):
    use(powercap, "intel-rapl:0", RANGE - 999_999)
    meter = open_meter(powercap, tmp_path / "no driver")
    before = meter.joules()
    use(powercap, "intel-rapl:0", 500_000)
    assert meter.since(before) == pytest.approx(1.5)


def test_a_machine_without_counters_has_no_energy(tmp_path):
    meter = open_meter(tmp_path / "nothing", tmp_path / "no driver")
    assert (meter.joules(), meter.source, meter.since(None)) == (None, "", None)


def test_counters_that_this_user_may_not_read_are_none(powercap, tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(energy, "_number", refused)
    assert open_meter(powercap, tmp_path / "no driver").joules() is None


def test_a_counter_that_is_taken_away_ends_the_reading(powercap, tmp_path):
    meter = open_meter(powercap, tmp_path / "no driver")
    before = meter.joules()
    (powercap / "intel-rapl:1" / "energy_uj").unlink()
    assert meter.since(before) is None
    assert meter.joules() is None


@pytest.fixture
def driver(tmp_path):
    """What is there where a GPU's driver is."""
    (tmp_path / "version").write_text("NVRM version")
    return tmp_path / "version"


def library(read):
    return SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetHandleByUUID=lambda name: name,
        nvmlDeviceGetTotalEnergyConsumption=read,
    )


def test_the_gpu_that_the_process_sees_is_added(powercap, driver, monkeypatch):
    used = {"GPU-1": 10_000, 0: 0}
    monkeypatch.setitem(sys.modules, "pynvml", library(lambda handle: used[handle]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1,GPU-0")
    meter = open_meter(powercap, driver)
    assert meter.source == "RAPL of 2 packages + NVML of the GPU"
    before = meter.joules()
    used["GPU-1"] += 4_000  # millijoules
    use(powercap, "intel-rapl:0", 2_000_000)
    assert meter.since(before) == pytest.approx(4.0 + 1.0)


def test_a_gpu_that_cannot_be_read_leaves_no_meter_at_all(powercap, driver, monkeypatch):
    def unsupported(handle):
        raise RuntimeError("Not Supported")

    monkeypatch.setitem(sys.modules, "pynvml", library(unsupported))
    assert open_meter(powercap, driver).joules() is None
    monkeypatch.setitem(sys.modules, "pynvml", None)  # not installed
    assert open_meter(powercap, driver).source == ""


def test_a_process_that_shares_the_machine_reads_none(monkeypatch):
    monkeypatch.setattr(energy, "_here", Meter([Counter(lambda: 7, 1.0)], "a counter"))
    assert energy.here().joules() == 0.0
    energy.share()
    assert energy.here().joules() is None
