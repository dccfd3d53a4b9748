"""Servers for tests, each a process that can be killed and started again on the same port."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from onscope.runtime.kserve import model_name, sha256_of

CHECKOUT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class OnLoopback:
    """A server's process, and how it is named."""

    port: int
    _process: subprocess.Popen[bytes]

    @property
    def provider(self) -> str:
        return f"kserve:127.0.0.1:{self.port}"

    @property
    def worker(self) -> str:
        return f"kserve://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid


class StandIn(OnLoopback):
    """`tests.serving.standin`, over a repository in `folder`."""

    def __init__(self, folder: Path, delay_ms: float = 0.0, shares: bool = True, port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._more = [str(delay_ms), *([] if shares else ["--no-sharing"])]
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.serving.standin", str(self.folder), str(self.port), *self._more]
        self._process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def pause(self, paused: bool) -> None:
        """Answer nothing, with the connections left open."""
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)
        process = psutil.Process(self.pid)
        while (process.status() == psutil.STATUS_STOPPED) != paused:
            time.sleep(0.01)

    def serve(self, graph: Path) -> str:
        """Have it know a graph; the model's name."""
        name = model_name(sha256_of(graph))
        place = self.folder / name / "1" / "model.onnx"
        if not place.exists():
            place.parent.mkdir(parents=True)
            shutil.copyfile(graph, place)
        return name
