"""kill -9 of the worker in the middle of the demo: the acquisition goes on, the user is told, the account adds up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from onscope.runtime.record import open_recording

FRAMES = 150


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")
def test_the_demo_survives_a_killed_worker(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["demo", "--frames", str(FRAMES), "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "onscope.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        lines: list[str] = []
        for line in demo.stdout:
            lines.append(line)
            started = re.search(r"ready: .* process (\d+)", line)
            if started:
                worker = int(started[1])
            taken = re.match(r"frames (\d+)/", line)
            if taken and 30 < int(taken[1]) < FRAMES and not any("killed" in each for each in lines):
                os.kill(worker, signal.SIGKILL)
                lines.append("killed\n")
        assert demo.wait(60) == 0, "".join(lines)
    said = "".join(lines)
    assert "worker died: killed by signal 9" in said
    assert "worker back" in said
    assert "the ledger adds up and the raw frames are complete" in said
    assert len(open_recording(out)) == FRAMES
    ledger = (out / "ledger.csv").read_text()
    assert len(re.findall(r",failed,the worker died \(killed by signal 9\)", ledger)) == 1
