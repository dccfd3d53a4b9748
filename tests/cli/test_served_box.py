"""`onscope serve` as a service: systemd is told, logs are JSON without the key, metrics are given, SIGTERM ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("zmq")
pytest.importorskip("prometheus_client")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's sockets are those of Unix")
def test_a_box_tells_systemd_its_log_and_prometheus(tmp_path: Path) -> None:
    key, log, said = tmp_path / "key", tmp_path / "log", tmp_path / "said"
    line = [sys.executable, "-m", "onscope.cli", "serve", "--port", "0", "--token-file", str(key)]
    line += ["--log-format", "json", "--metrics", "0", "--store", str(tmp_path / "store")]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, log.open("w") as errors, said.open("w") as out:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(90.0)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with subprocess.Popen(line, stdout=out, stderr=errors, env=os.environ | told) as box:
            try:
                assert systemd.recv(4096).startswith(b"READY=1\nSTATUS=serving on tcp://127.0.0.1:")
                assert systemd.recv(4096) == b"WATCHDOG=1"
                until = time.monotonic() + 20
                while (url := re.search(r"metrics: (\S+)", said.read_text())) is None:
                    assert time.monotonic() < until
                with urllib.request.urlopen(url[1], timeout=20) as answer:
                    assert "\nonscope_box_sessions 0.0\n" in answer.read().decode()
                box.send_signal(signal.SIGTERM)
                while (words := systemd.recv(4096)) == b"WATCHDOG=1":
                    pass
                assert words == b"STOPPING=1"
                assert box.wait(60) == 0
            finally:
                box.kill()
    secret = key.read_text().split()[-1]
    lines = [json.loads(each) for each in log.read_text().splitlines()]
    assert any(each["message"].startswith("serving on tcp://127.0.0.1:") for each in lines)
    assert secret not in log.read_text() + said.read_text()
