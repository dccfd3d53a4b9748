"""SIGTERM and Ctrl-C to real runs on the demo camera: they drain, account, and say how they ended."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO, Any

import pytest

from onscope.runtime.record import open_recording
from tests.cli.conftest import Call
from tests.processes import heed_ctrl_c

pytestmark = pytest.mark.skipif(os.name != "posix", reason="these are POSIX signals")
READY_S = 90.0
METRICS = importlib.util.find_spec("prometheus_client") is not None


class Started:
    """`onscope run` on the demo camera, in a process of its own; its stderr is JSON lines."""

    def __init__(self, pipeline: Path, out: Path, *words: str) -> None:
        self.out = out
        self._said = (out.parent / "said").open("w+")
        self._log = (out.parent / "log").open("w+")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "onscope.cli", "run", str(pipeline), "--source", "micromanager:demo"),
                *("--exposure-ms", "10", "--out", str(out), "--log-format", "json", *words),
            ],
            stdout=self._said,
            stderr=self._log,
            preexec_fn=heed_ctrl_c,
        )

    @property
    def said(self) -> str:
        return Path(self._said.name).read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in Path(self._log.name).read_text().splitlines()]

    def await_frames(self, pattern: str = r"frames (\d\d+)") -> re.Match[str]:
        until = time.monotonic() + READY_S
        while (found := re.search(pattern, self.said)) is None:
            assert self.process.poll() is None, self.said + Path(self._log.name).read_text()
            assert time.monotonic() < until, self.said
            time.sleep(0.05)
        return found

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        files: list[IO[str]] = [self._said, self._log]
        for file in files:
            file.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")]
)
def test_a_signal_ends_a_run_in_order(
    pipeline_file: Path, tmp_path: Path, number: signal.Signals, code: int, words: str
) -> None:
    with Started(pipeline_file, tmp_path / "out", *(("--metrics", "0") if METRICS else ())) as run:
        run.await_frames()
        if METRICS:
            with urllib.request.urlopen(run.await_frames(r"metrics: (\S+)")[1], timeout=20) as answer:
                told = re.search(r"^onscope_frames_submitted_total (\S+)$", answer.read().decode(), re.MULTILINE)
            assert told is not None
            assert float(told[1]) >= 10
        run.process.send_signal(number)
        assert run.process.wait(60) == code, run.said
        assert f"stopped by {words}; everything until then is recorded" in run.said
        assert "the ledger adds up and the raw frames are complete" in run.said
        log = run.log
    ended = log[-1]
    assert ended["event"] == "ended"
    assert ended["message"].startswith(f"stopped by {words}: ")
    counts = ended["numbers"]
    recorded = open_recording(tmp_path / "out")
    assert len(recorded) == counts["submitted"] > 0
    assert counts["open"] == 0
    assert counts["done"] + counts["late"] + counts["skipped"] + counts["failed"] == counts["submitted"]
    assert "skipped,closed" not in (tmp_path / "out" / "ledger.csv").read_text(), "it did not drain"
    assert {"begun", "ready", "ended"} <= {line.get("event") for line in log}
    assert all(line["run"] for line in log if line.get("event") == "ended")


@pytest.mark.long
def test_a_second_sigterm_ends_it_at_once(pipeline_file: Path, tmp_path: Path) -> None:
    """The first one waits for a worker that stands still; the second does not."""
    with Started(pipeline_file, tmp_path / "out", "--provider", "null:4000") as run:
        worker = int(run.await_frames(r"ready: .* process (\d+)")[1])
        until = time.monotonic() + 20
        while not any(line.get("event") == "begun" for line in run.log):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1.0)  # frames are with the worker
        os.kill(worker, signal.SIGSTOP)
        run.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            run.process.wait(1.5)
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(20) == -signal.SIGTERM
        os.kill(worker, signal.SIGCONT)


@pytest.mark.long
def test_a_signal_before_the_first_frame_leaves_nothing_behind(pipeline_file: Path, tmp_path: Path) -> None:
    with Started(pipeline_file, tmp_path / "out") as run:
        run.await_frames("preparing: ")
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(60) == 143
        assert [line["message"] for line in run.log if line.get("event") == "stopped"] == ["stopped by SIGTERM"]
    assert not (tmp_path / "out").exists()


def test_an_error_is_a_line_of_json(pipeline_file: Path, stack: Path, tmp_path: Path, call: Call) -> None:
    words = "--source", f"replay:{stack}", "--out", tmp_path / "out", "--log-format", "json"
    said = call("run", pipeline_file, *words, "--provider", "no-such-engine")
    assert said.code == 1
    line = json.loads(said.err.splitlines()[-1])
    assert (line["level"], line["event"]) == ("error", "error")
    assert "no-such-engine" in line["message"]
