"""The server's life and the run's: no server that is dead or hangs, and no viewer that does not read costs the run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil

from .rigs import PATIENT_S, picture, rig, until

RAW = {"id": 1, "image": "raw", "bits": 16}


def test_a_server_that_is_killed(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, credit=1)
        run.submit(1000)
        eyes.update()
        results = run.runtime.subscribe()
        os.kill(run.view.pid, signal.SIGKILL)
        until(lambda: any("live view has ended" in event.message for event in run.events))
        last = run.submit(2000)
        result = results.take(PATIENT_S)
        assert result is not None
        assert result.frame.id.seq == last
        assert run.runtime.ledger.adds_up()


def test_a_server_that_hangs(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, credit=2)
        run.submit(1000)
        eyes.update()
        pid = run.view.pid
        os.kill(pid, signal.SIGSTOP)
        for _ in range(500):
            run.submit(2000)
        assert run.runtime.ledger.counts["done"] == 501
    assert not psutil.pid_exists(pid)


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
    with rig(tmp_path) as run:
        pid = run.view.pid
        with run.eyes() as eyes:
            eyes.show(RAW, credit=1)
            run.submit(1000)
            eyes.update()
    assert not psutil.pid_exists(pid)
    assert not list(Path("/dev/shm").glob(f"onscope-{os.getpid()}-*"))
