"""What systemd is told, received on a real socket; and the unit, as systemd reads it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest

from onscope.runtime.service import Systemd

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's sockets are those of Unix")
UNIT = Path(str(files("onscope.runtime.service"))) / "units" / "onscope-serve.service"


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.bind(str(tmp_path / "notify"))
        here.settimeout(20.0)
        yield here


def environment(listening: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": listening.getsockname(), **more}


def test_ready_status_and_stopping(listening: socket.socket) -> None:
    told = environment(listening)
    systemd = Systemd(environment=told)
    assert systemd.here
    assert told == {}, "a worker that is started later must not speak for the service"
    systemd.ready("serving\nat 7431")
    assert listening.recv(4096) == b"READY=1\nSTATUS=serving at 7431"
    systemd.status("2 PCs")
    assert listening.recv(4096) == b"STATUS=2 PCs"
    systemd.stopping()
    assert listening.recv(4096) == b"STOPPING=1"
    systemd.close()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux'")
def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.bind(f"\0onscope-test-{os.getpid()}")
        here.settimeout(20.0)
        Systemd(environment={"NOTIFY_SOCKET": f"@onscope-test-{os.getpid()}"}).ready()
        assert here.recv(4096) == b"READY=1"


def test_signs_of_life_while_it_is_alive(listening: socket.socket) -> None:
    alive, asked = threading.Event(), threading.Event()
    alive.set()

    def is_alive() -> bool:
        if not alive.is_set():
            asked.set()
            raise RuntimeError("it does not turn")
        return True

    systemd = Systemd(is_alive, environment(listening, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid())))
    assert systemd.watchdog_s == 0.02
    systemd.ready()
    assert [listening.recv(4096) for _ in range(4)] == [b"READY=1", *[b"WATCHDOG=1"] * 3]
    alive.clear()
    assert asked.wait(20.0)
    asked.clear()
    listening.setblocking(False)
    with suppress(BlockingIOError):
        while True:  # what was sent before
            listening.recv(4096)
    assert asked.wait(20.0)
    with pytest.raises(BlockingIOError):
        listening.recv(4096)
    systemd.close()


@pytest.mark.parametrize("told", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative"}, {"NOTIFY_SOCKET": "/no/x"}])
def test_without_systemd_nothing_happens(told: dict[str, str]) -> None:
    systemd = Systemd(environment={**told, "WATCHDOG_USEC": "many"})
    systemd.ready("words")
    systemd.stopping()
    systemd.close()
    assert systemd.watchdog_s == 0


def test_another_process_watchdog_is_not_ours() -> None:
    assert Systemd(environment={"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_s == 0


def unit() -> ConfigParser:
    found = ConfigParser(strict=False, interpolation=None, delimiters="=")
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(UNIT.read_text())
    return found


def test_the_unit_says_what_the_service_does() -> None:
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert service["KillMode"] == "mixed", "a worker that gets SIGTERM too would die before it has drained"
    assert service["Restart"] == "on-failure"
    assert service["SuccessExitStatus"] == "143"
    assert int(service["TimeoutStopSec"]) >= 20
    assert "onscope serve" in service["ExecStart"]
    assert "--log-format json" in service["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "onscope"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/onscope/bin/onscope", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    about_it = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert about_it == []
