"""Clocks, heat and power of GPUs: read from stand-ins and recorded lines, kept, and told of when they slow down."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Event, Runtime
from onscope.runtime.clocks import Clocks, Reading, gpu_memory_mb, parse_tegrastats
from onscope.runtime.clocks._nvml import nvml, reading
from onscope.runtime.clocks._record import MOST
from onscope.runtime.clocks._tegrastats import over_currents, readings
from tests.models import frame

Make = Callable[..., Runtime]
LINES = Path(__file__).with_name("tegrastats.txt").read_text().splitlines()
SECOND = 1_000_000_000


def test_lines_of_tegrastats() -> None:
    assert [parse_tegrastats(line, 7) for line in LINES] == [
        Reading(7, 305.0, 2133.0, 41.1, 2.48),
        Reading(7, 1300.0, 3199.0, 80.25, 31.48),
        Reading(7, 1020.0, None, 45.0, None),
        None,
    ]


@given(st.text(max_size=300))
def test_any_line_is_read_or_left(line: str) -> None:
    found = parse_tegrastats(line)
    assert found is None or Reading.read(found.message()) == found


NUMBERS = st.integers(0, 99999)


@given(NUMBERS, NUMBERS, st.integers(-40, 120), st.integers(0, 10**6))
def test_what_is_written_in_a_line_is_what_is_read(clock: int, memory: int, heat: int, power: int) -> None:
    line = f"RAM 1/2MB EMC_FREQ 3%@{memory} GR3D_FREQ 44%@[{clock},0] gpu@{heat}.5C VDD_GPU_SOC {power}mW/1mW"
    sign = "-" if heat < 0 else ""
    assert parse_tegrastats(line) == Reading(0, clock, memory, float(f"{sign}{abs(heat)}.5"), power / 1e3)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in of the tool is a shell script")
def test_the_tool_is_read_line_by_line_and_over_currents_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, counter = tmp_path / "tegrastats", tmp_path / "hwmon" / "hwmon1" / "oc3_event_cnt"
    counter.parent.mkdir(parents=True)
    counter.write_text("4\n")
    (counter.parent / "oc1_event_cnt").write_text("not a number\n")
    tool.write_text(f"#!/bin/sh\nprintf '%s\\n' '{LINES[0]}' '{LINES[3]}' '{LINES[1]}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert over_currents(tmp_path / "hwmon") == 4
    stream = readings(1000, counters=tmp_path / "hwmon")
    first = next(stream)
    assert (first.clock_mhz, first.throttled) == (305.0, False)
    counter.write_text("5\n")
    second = next(stream)
    assert (second.clock_mhz, second.reasons) == (1300.0, ("over-current",))
    assert list(stream) == []
    assert list(readings(tool="no-such-tool")) == []


def pynvml() -> ModuleType:
    """nvidia-ml-py as far as it is used; its GPU 2 is slowed down by heat, and tells no power."""
    made = ModuleType("pynvml")
    made.__dict__.update(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetClockInfo=lambda gpu, kind: 1000 * kind + gpu,
        nvmlDeviceGetTemperature=lambda gpu, sensor: 83,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda gpu: 0x21,
        nvmlDeviceGetMemoryInfo=lambda gpu: SimpleNamespace(free=3e9, total=8e9),
    )
    return made


def test_one_binding_stands_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings.nvml", None)
    monkeypatch.setitem(sys.modules, "pynvml", pynvml())
    library = nvml()
    assert library is not None
    found = reading(library, 2)
    assert (found.clock_mhz, found.memory_clock_mhz, found.temperature_c, found.power_w) == (1002, 2002, 83, None)
    assert found.reasons == ("heat",), "that it is idle too slows nothing down"
    assert gpu_memory_mb("cuda:1") == (3000.0, 8000.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932f937")
    assert gpu_memory_mb("cuda") is None, "which of them that is NVML is not asked"


def test_without_a_library_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cuda.bindings.nvml", "pynvml"):
        monkeypatch.setitem(sys.modules, name, None)
    assert nvml() is None
    assert gpu_memory_mb("tensorrt") is None


def test_a_gpu_that_is_slowed_down_for_long_is_told_of_once() -> None:
    told: list[Event] = []
    noted: list[object] = []
    clocks = Clocks(told.append, lambda name, value: noted.append(value))
    for second in range(60):
        slow = ("heat",) if 10 <= second < 30 and second != 12 else ()
        clocks.add(Reading(second * SECOND, 1200.0 if slow else 1980.0, reasons=slow))
    assert [event.kind for event in told] == ["warning", "preparing"]
    assert "slowed down (heat; 1200 MHz)" in told[0].message
    described = clocks.described
    assert described["reasons"] == ["heat"]
    assert described["throttled_s"] == 19.0
    assert len(described["rows"]) == 60
    assert len(noted) == 3, "at first, and when it was told"


@given(st.lists(st.tuples(st.integers(0, 3 * SECOND), st.booleans()), max_size=60), st.integers(1, 60))
def test_a_record_stays_small_and_in_order(steps: list[tuple[int, bool]], times: int) -> None:
    told: list[Event] = []
    clocks, now, slow = Clocks(told.append), 0, 0.0
    for step, throttled in steps * times:
        now += step
        slow += step / 1e9 if throttled and clocks.latest else 0
        clocks.add(Reading(now, 1.0, reasons=("heat",) if throttled else ()))
    rows = clocks.described["rows"]
    assert len(rows) <= MOST
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert bool(rows) == bool(steps)
    assert clocks.described["throttled_s"] == pytest.approx(slow, abs=0.06)
    kinds = [event.kind for event in told]
    assert kinds == (["warning", "preparing"] * len(kinds))[: len(kinds)], "never twice the same"


def test_nothing_of_it_runs_where_no_gpu_computes(runtime: Make) -> None:
    it = runtime(worker="thread", provider="cpu")
    it.submit(frame(0))
    assert it.drain(10)
    assert "onscope-clocks" not in [thread.name for thread in threading.enumerate()]
    assert it._path.supervisor.clocks.latest is None
