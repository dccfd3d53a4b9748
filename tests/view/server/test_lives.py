"""The server's life and the run's: no server that is dead or hangs, and no viewer that does not read costs the run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from functools import partial
from pathlib import Path

import psutil
import pytest

from onscope.runtime import Event
from onscope.view.feed import _server

from .rigs import PATIENT_S, Rig, picture, rig, until

RAW = {"id": 1, "image": "raw", "bits": 16}


@pytest.mark.long
def test_a_server_that_is_killed_is_there_again(tmp_path: Path) -> None:
    with rig(tmp_path) as run:
        run.view.tell(Event("view", "the lamp is warm"))
        results = run.runtime.subscribe()
        for number in range(2):
            with run.eyes() as eyes:
                eyes.show(RAW, credit=1)
                last = run.submit(1000 + number)
                while int(picture(eyes.update())[0, 0]) != 1000 + number:
                    eyes.say(type="credit", n=1)
                pid, port = run.view.pid, run.view.port
                os.kill(pid, signal.SIGKILL)
                assert eyes.closed()[0] == 1006
            run.submit(2000)  # nobody serves now, and the run goes on
            until(partial(has_come_again, run, number + 1))
            assert run.view.pid not in (0, pid)
            assert run.view.port == port
            with run.eyes() as eyes:
                assert eyes.text("told", lambda told: told["words"] == "the lamp is warm")
                eyes.show(RAW, credit=1)
                assert (picture(eyes.update()) == 2000).all()  # what came meanwhile
        assert results.take(PATIENT_S)
        assert run.runtime.ledger.counts["done"] == last + 2
        assert run.runtime.ledger.adds_up()


def has_come_again(run: Rig, times: int) -> bool:
    """Whether the server was started again so often."""
    return sum("there again" in event.message for event in run.events) == times


@pytest.mark.long
def test_a_server_that_dies_again_and_again_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "PAUSES_S", (0.1, 0.1, 0.1))
    with rig(tmp_path) as run:
        for number in range(4):
            until(partial(has_come_again, run, number))
            os.kill(run.view.pid, signal.SIGKILL)
        until(lambda: any("the live view has ended" in event.message for event in run.events))
        run.submit(1000)
        assert run.runtime.ledger.counts["done"] == 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", run.view.port))


@pytest.mark.long
def test_a_port_that_somebody_took_is_tried_again_and_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "PAUSES_S", (2.0, 0.1))
    with rig(tmp_path) as run:
        os.kill(run.view.pid, signal.SIGKILL)
        until(lambda: any("is started again" in event.message for event in run.events))
        with socket.create_server(("127.0.0.1", run.view.port)):
            until(lambda: any("the live view has ended" in event.message for event in run.events))
        assert any("cannot listen on" in event.message for event in run.events)


@pytest.mark.long
def test_a_server_that_hangs_costs_the_run_nothing(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, credit=2)
        run.submit(1000)
        eyes.update()
        pid = run.view.pid
        os.kill(pid, signal.SIGSTOP)
        for number in range(500):
            run.view.tell(Event("view", f"{number} " + "x" * 1900))  # more than a pipe holds
            run.submit(2000)
        assert run.runtime.ledger.counts["done"] == 501
    assert not psutil.pid_exists(pid)


@pytest.mark.long
def test_a_server_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "HANG_S", 3.0)
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, credit=2)
        run.submit(1000)
        eyes.update()
        pid = run.view.pid
        os.kill(pid, signal.SIGSTOP)
        for _ in range(100):
            run.view.tell(Event("view", "x" * 1900))
        until(partial(has_come_again, run, 1))
        assert any("said nothing for 3 s" in event.message for event in run.events)
        assert not psutil.pid_exists(pid)
        run.submit(3000)
        with run.eyes() as other:
            other.show(RAW, credit=1)
            assert (picture(other.update()) == 3000).all()


@pytest.mark.long
def test_a_server_that_has_nothing_to_do_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "HANG_S", 3.0)
    with rig(tmp_path) as run:
        pid = run.view.pid
        threading.Event().wait(6.0)
        assert run.view.pid == pid


def test_a_run_that_ends_while_the_server_is_started_again(tmp_path: Path) -> None:
    with rig(tmp_path) as run:
        os.kill(run.view.pid, signal.SIGKILL)
        until(lambda: any("is started again" in event.message for event in run.events))
    assert not [each for each in psutil.Process().children(recursive=True) if "onscope.view.server" in each.cmdline()]


@pytest.mark.long
def test_a_viewer_that_does_not_read(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as deaf, run.eyes() as eyes:
        deaf.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.show(RAW, credit=2)
        for _ in range(40):
            deaf.say(type="credit", n=2)  # and it never takes an update
        for value in range(1000, 1200):
            eyes.show(RAW, credit=1)
            run.submit(value)
            while int(picture(eyes.update())[0, 0]) != value:
                eyes.say(type="credit", n=1)
        assert run.runtime.ledger.counts["done"] == 200


def test_many_who_come_and_go(tmp_path: Path) -> None:
    with rig(tmp_path) as run:
        for _ in range(20):
            with run.eyes() as eyes:
                eyes.show(RAW, credit=2)
                run.submit(1000)
            gone = socket.create_connection(("127.0.0.1", run.view.port))
            gone.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n")
            gone.close()
        with run.eyes() as eyes:
            eyes.show(RAW, credit=1)
            assert (picture(eyes.update()) == 1000).all()


@pytest.mark.long
def test_it_ends_with_the_acquisition(tmp_path: Path) -> None:
    script = f"""
    import sys, time
    from pathlib import Path
    from onscope.runtime import Runtime
    from onscope.view import View
    from tests import models
    with Runtime(models.pipeline(Path({str(tmp_path)!r})), worker="thread") as runtime, View(runtime) as view:
        print(view.pid, flush=True)
        time.sleep(600)
    """
    program = [sys.executable, "-c", textwrap.dedent(script)]
    parent = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    server.wait(PATIENT_S)


def test_all_is_gone_at_the_end(tmp_path: Path) -> None:
    slots = Path("/dev/shm")
    before = set(slots.glob(f"onscope-{os.getpid()}-*"))  # of other tests, whose models hang for good
    with rig(tmp_path) as run:
        pid = run.view.pid
        with run.eyes() as eyes:
            eyes.show(RAW, credit=1)
            run.submit(1000)
            eyes.update()
    assert not psutil.pid_exists(pid)
    assert set(slots.glob(f"onscope-{os.getpid()}-*")) <= before
