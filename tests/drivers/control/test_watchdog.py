"""Signs of life: a shutter that is no longer this process' closes when the process is killed, hangs, or is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onscope.drivers.micromanager.control import CoreController, Heartbeat, HeartbeatLine, calibration_of
from onscope.drivers.micromanager.control.watchdog import SimulatedWatchdog, read_shutter
from onscope.runtime import ControlError

from .rigs import PAUSE, controlled

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys, threading
from onscope.drivers.micromanager.control import CoreController, Heartbeat, HeartbeatLine, calibration_of
from onscope.drivers.micromanager.control.watchdog import SimulatedWatchdog
from tests.drivers.control.rigs import controlled, taken
with controlled(real=True) as (scope, controller), SimulatedWatchdog(sys.argv[1], 2.0) as watchdog:
    scope.mmc.loadPyDevice("Watchdog", watchdog.device())
    scope.mmc.initializeDevice("Watchdog")
    with Heartbeat(scope.core, "Watchdog", "Line", 0.05, patience_s=1.0) as heart, taken(controller.live(5.0)):
        heart.beat()
        while watchdog.states[-1] != "open":
            heart.beat()
        print("open", flush=True)
        for line in sys.stdin:  # each is a sign of life of what would notice
            heart.beat()
        threading.Event().wait()
"""


@pytest.fixture
def acquisition(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "watchdog.jsonl")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "open"
    yield process
    process.kill()
    process.wait()


def closed(log: Path) -> list[dict[str, object]]:
    """Wait until the shutter has closed again."""
    for _ in range(60_000):
        states = read_shutter(log)
        if [one["shutter"] for one in states] == ["closed", "open", "closed"]:
            return states
        PAUSE.wait(0.001)
    raise AssertionError(read_shutter(log))


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
@pytest.mark.parametrize("how", ["killed", "stopped", "hangs"])
def test_the_shutter_closes_without_its_process(acquisition: subprocess.Popen[str], tmp_path: Path, how: str) -> None:
    if how == "killed":
        acquisition.send_signal(signal.SIGKILL)
    elif how == "stopped":  # frozen, as by a debugger or a full machine
        acquisition.send_signal(signal.SIGSTOP)
    # otherwise its loop has ceased to beat already, while the process and the heartbeat's thread live on
    states = closed(tmp_path / "watchdog.jsonl")
    if how == "killed":
        assert states[-1]["why"] in ("the line is gone", "the line did not change for 2 s")
    else:
        assert states[-1]["why"] == "the line did not change for 2 s"
        assert acquisition.poll() is None


@pytest.mark.long
def test_it_stays_open_for_as_long_as_it_hears_beats(tmp_path: Path) -> None:
    with SimulatedWatchdog(tmp_path / "log", 30.0) as watchdog:
        assert watchdog.states == ["closed"]
        for number in range(20):
            watchdog.drive(number % 2)
            PAUSE.wait(0.005)
        while len(watchdog.states) < 2:
            PAUSE.wait(0.001)
        assert watchdog.states == ["closed", "open"]
    assert watchdog.states == ["closed", "open", "closed"]


@pytest.mark.long
def test_a_line_that_stands_still_is_no_sign_of_life(tmp_path: Path) -> None:
    with SimulatedWatchdog(tmp_path / "log", 0.2) as watchdog:
        watchdog.drive(1)
        while watchdog.states != ["closed", "open", "closed"]:
            try:
                watchdog.drive(1)
            except OSError:
                break
            PAUSE.wait(0.01)
        assert watchdog.wait() == ["closed", "open", "closed"]


def test_a_heartbeat_tells_what_its_device_said() -> None:
    with controlled() as (scope, _), Heartbeat(scope.core, "Watchdog", "Line", 0.001, patience_s=60.0) as heart:
        heart.beat()
        for _ in range(60_000):
            if heart.failure is not None:
                break
            PAUSE.wait(0.001)
        assert heart.failure is not None
        assert not heart.beating
        with pytest.raises(ControlError, match="expected a patience that is longer than the period"):
            Heartbeat(scope.core, "Watchdog", "Line", 1.0, patience_s=0.5)


def test_the_heartbeat_that_a_calibration_names(tmp_path: Path) -> None:
    line = HeartbeatLine("Watchdog", "Line", period_s=0.01, patience_s=60.0)
    with controlled() as (scope, controller), SimulatedWatchdog(tmp_path / "log", 60.0) as watchdog:
        assert controller.heartbeat() is None
        named = CoreController(scope, replace(calibration_of(scope), heartbeat=line))
        with pytest.raises(ControlError, match=r"line Watchdog-Line does not answer .* correct the calibration"):
            named.heartbeat()
        scope.mmc.loadPyDevice("Watchdog", watchdog.device())
        scope.mmc.initializeDevice("Watchdog")
        heart = named.heartbeat()
        assert heart is not None
        with heart:
            heart.beat()
            while watchdog.states[-1] != "open":
                PAUSE.wait(0.001)
        assert heart.failure is None
