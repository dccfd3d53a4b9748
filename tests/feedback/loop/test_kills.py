"""kill -9 of the worker, the rules, a view or the acquisition: the microscope is safe, the journal can be read.

Moments are seeded, in results; what has to come is waited for, however long it takes on a busy machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.journal import read_journal
from onscope.runtime.feedback.loop import Feedback

from .microscopes import Bench, bench, until

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
ALL = ["rules", "view", "worker"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("victim", ALL)
def test_whatever_is_killed_the_microscope_is_safe(tmp_path: Path, victim: str, seed: int) -> None:
    with bench(tmp_path) as made:
        _killed(made, victim, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("victim", ALL)
def test_hundreds_of_kills(tmp_path: Path, victim: str) -> None:
    for seed in range(100):
        (tmp_path / str(seed)).mkdir()
        with bench(tmp_path / str(seed)) as made:
            _killed(made, victim, 1000 + seed)


def _killed(made: Bench, victim: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    results, between_s = int(random.integers(1, 12)), float(random.uniform(0, 0.02))
    with made.feedback() as feedback, subprocess.Popen(SLEEPS) as view:
        feedback.watch("the view", pid=view.pid)
        with made.running():
            until(lambda: sum(feedback.counts.values()) >= results)
            until(_after(between_s))
            _kill(made, feedback, view, victim)
            until(lambda: feedback.held)
            until(lambda: made.safe)
            assert {"rules": "rules", "view": "the view died", "worker": "the worker"}[victim] in feedback.held
            dark(made)
        view.kill()
        assert feedback.settle()  # an action that was under way is made safe after it once more
        done = feedback.counts["done"]
        if victim != "worker":
            made.run(3)
        assert feedback.settle()
        assert feedback.counts["done"] == done  # nothing more, whoever takes frames again
    story = read_journal(feedback.journal)
    assert story.torn is None
    safe = next(each for each in story if each.kind == "safe state")
    assert safe.commands
    later = [each for each in story if each.number > safe.number and each.frame is not None]
    assert all(each.outcome == "refused" for each in later)


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _kill(made: Bench, feedback: Feedback, view: subprocess.Popen[bytes], victim: str) -> None:
    if victim != "worker":
        os.kill(feedback.rules_pid if victim == "rules" else view.pid, signal.SIGKILL)
        return
    killed: set[int] = set()  # one that comes back in time is no reason for anything

    def again() -> bool:
        pid = made.runtime.worker_pid
        if pid not in killed and psutil.pid_exists(pid):
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return bool(feedback.held)

    until(again)


def dark(made: Bench) -> None:
    """No light reaches the sample."""
    mmc = made.scope.mmc
    assert not mmc.getShutterOpen()
    assert all(int(mmc.getProperty(one.label, "State")) == 0 for one in made.scope.bench.hardware.lights)


ACQUISITION = """
import sys
import time
from pathlib import Path
from tests.feedback.loop.microscopes import bench

with bench(Path(sys.argv[1])) as made, made.feedback(doses=Path(sys.argv[1]) / "doses.jsonl") as feedback:
    print(feedback.rules_pid, made.runtime.worker_pid, flush=True)
    with made.running():
        sys.stdin.read()
"""


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_a_killed_acquisition_leaves_a_journal_and_doses_that_can_be_read(tmp_path: Path, seed: int) -> None:
    results = int(np.random.default_rng(seed).integers(1, 12))
    command = [sys.executable, "-c", ACQUISITION, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[3]) as acquisition:
        assert acquisition.stdin is not None
        assert acquisition.stdout is not None
        others = [int(word) for word in acquisition.stdout.readline().split()]
        assert len(others) == 2
        until(lambda: _judged(tmp_path / "feedback.jsonl") >= results)
        until(lambda: b'"lit"' in (tmp_path / "doses.jsonl").read_bytes())
        acquisition.kill()
        acquisition.wait()
    story = read_journal(tmp_path / "feedback.jsonl")
    assert story.ended_ns is None  # it does not say that it ended in order
    assert sum(each.outcome in ("done", "refused") for each in story) >= results
    assert [each.number for each in story] == list(range(1, len(story) + 1))
    with DoseBook(tmp_path / "doses.jsonl") as doses:
        assert doses.joules > 0
    until(lambda: not any(psutil.pid_exists(pid) for pid in others))  # nobody is left behind


def _judged(journal: Path) -> int:
    return sum(each.outcome in ("done", "refused") for each in read_journal(journal))
