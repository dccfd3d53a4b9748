"""The scripted engine: each fault at its run, and only there."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from onscope.runtime import Event, ProviderError, Runtime, block
from onscope.runtime.engines import WARM_UPS, Session, open_session
from tests import models

from .engine_tests import EngineTests

Make = Callable[..., Runtime]
FRAME = np.full((1, 1, 8, 8), 7, np.uint16)


class TestScripted(EngineTests):
    provider = "scripted"


class TestScriptedFaults(EngineTests):
    provider = "scripted:slow=1@*,leak=0.1@every2,raise@100-200"


def opened(folder: Path, faults: str, package: str = "plus", warm: bool = True) -> Session:
    made = {"plus": models.plus_one, "root": models.root}[package](folder / package)
    session = open_session(made.weights, f"scripted:{faults}", threads=1)
    for _ in range(WARM_UPS if warm else 0):
        session.run([np.zeros((1, 1, 8, 8), session.inputs[0].dtype)])
    return session


def outcomes(session: Session, runs: int) -> list[str]:
    """What came of each run: "ok", or the name of the error."""
    came = []
    for _ in range(runs):
        try:
            (answer,) = session.run([FRAME])
        except (ProviderError, RuntimeError, SystemExit) as error:
            came.append(type(error).__name__)
        else:
            assert np.array_equal(answer, FRAME + 1)
            came.append("ok")
    return came


@pytest.mark.parametrize(("kind", "error"), [("raise", "ProviderError"), ("crash", "RuntimeError")])
@pytest.mark.parametrize(
    ("runs", "faulty"), [("0", {0}), ("2", {2}), ("1-3", {1, 2, 3}), ("every3", {0, 3, 6}), ("*", set(range(7)))]
)
def test_a_fault_befalls_the_runs_it_names(folder: Path, kind: str, error: str, runs: str, faulty: set[int]) -> None:
    came = outcomes(opened(folder, f"{kind}@{runs}"), 7)
    assert came == [error if run in faulty else "ok" for run in range(7)]


def test_warm_ups_have_numbers_of_their_own(folder: Path) -> None:
    assert outcomes(opened(folder, "raise@-2,crash@1", warm=False), 5) == [
        "ok", "ProviderError", "ok", "ok", "RuntimeError",
    ]  # fmt: skip


def test_a_fault_can_be_meant_for_one_stage(folder: Path) -> None:
    assert outcomes(opened(folder, "raise@1/plus,raise@2/other"), 4) == ["ok", "ProviderError", "ok", "ok"]


def test_slow_and_busy_take_their_time(folder: Path) -> None:
    session = opened(folder, "slow=60@0,busy=60@1")
    for cpu_share in (0.0, 0.2):  # sleeping uses no processor, spinning does
        began, used = time.perf_counter(), time.thread_time()
        session.run([FRAME])
        assert time.perf_counter() - began >= 0.06
        assert time.thread_time() - used >= 0.06 * cpu_share


def test_what_leaks_is_kept(folder: Path) -> None:
    session = opened(folder, "leak=50@every2")
    before = psutil.Process().memory_info().rss
    outcomes(session, 4)
    assert psutil.Process().memory_info().rss - before > 80 << 20


def test_nan_and_wrong_shapes_are_answered_once(folder: Path) -> None:
    session = opened(folder, "nan@1,wrong@2", "root")
    frame = np.full((1, 1, 8, 8), 4, np.float32)
    answers = [session.run([frame])[0] for _ in range(4)]
    assert np.isnan(answers[1]).all()
    assert answers[2].shape == (1, 1, 8, 9)
    for answer in (answers[0], answers[3]):
        assert np.array_equal(answer, np.full_like(frame, 2))


def test_hang_does_not_come_back(folder: Path) -> None:
    session = opened(folder, "hang@1")
    session.run([FRAME])
    thread = threading.Thread(target=session.run, args=([FRAME],), daemon=True)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()


def test_die_spares_a_process_that_is_no_worker(folder: Path) -> None:
    assert outcomes(opened(folder, "die@1"), 3) == ["ok", "SystemExit", "ok"]


def test_runs_are_counted_across_restarts_where_asked_for(folder: Path, tmp_path: Path) -> None:
    faults = f"raise@3,crash@-1,state={tmp_path}"
    with pytest.raises(RuntimeError, match="scripted"):
        opened(folder, faults)  # the first session does not outlive its warm-up
    assert outcomes(opened(folder, faults), 2) == ["ok", "ok"]  # runs 0 and 1: the other warm-ups have no numbers
    assert outcomes(opened(folder, faults), 3) == ["ok", "ProviderError", "ok"]
    assert outcomes(opened(folder, faults), 3) == ["ok", "ok", "ok"]


def test_a_count_survives_the_death_of_its_process(folder: Path, tmp_path: Path) -> None:
    graph = models.plus_one(folder / "plus").weights
    code = f"""
import os, signal
from pathlib import Path
import numpy as np
from onscope.runtime.engines import open_session
session = open_session(Path({str(graph)!r}), "scripted:crash@-3,state={tmp_path}", threads=1)
try:
    session.run([np.zeros((1, 1, 8, 8), np.uint16)])
except RuntimeError:
    os._exit(3)
"""
    died = [subprocess.run([sys.executable, "-c", code], check=False).returncode for _ in range(2)]
    assert died == [3, 0]


@pytest.mark.parametrize("worker", ["process", "thread"])
@pytest.mark.parametrize("fault", ["die", "crash"])
def test_the_worker_dies_of_it_and_is_brought_back(
    folder: Path, tmp_path: Path, runtime: Make, events: list[Event], worker: str, fault: str
) -> None:
    provider = f"scripted:{fault}@2/plus,state={tmp_path}"
    it = runtime(worker=worker, admission=block(2), provider=provider)
    for seq in range(6):
        it.submit(models.frame(seq))
    assert it.drain(20)
    assert it.ledger.counts["failed"] == 1
    assert it.ledger.counts["done"] == 5
    died = [event.message for event in events if event.kind == "worker died"]
    assert len(died) == 1
    if (fault, worker) == ("die", "process") and hasattr(signal, "SIGKILL"):
        assert f"killed by signal {signal.SIGKILL.value}" in died[0]


def test_the_warm_up_of_a_null_engine_takes_no_time(folder: Path) -> None:
    session = open_session(models.plus_one(folder / "plus").weights, "null:60")
    began = time.perf_counter()
    took: list[Any] = []
    for _ in range(WARM_UPS + 1):
        began = time.perf_counter()
        session.run([FRAME])
        took.append(time.perf_counter() - began)
    assert took[-1] >= 0.06
    assert min(took[:-1]) < 0.06


@pytest.mark.parametrize(
    "faults",
    ["explode@3", "slow@3", "raise=2@3", "raise", "raise@", "raise@a", "raise@5-3", "raise@-4", "raise@every0",
     "raise@3/a/b", "slow=9999999@1", "slow=nan@1", "state=/no/such/folder"],
)  # fmt: skip
def test_a_wrong_schedule_is_a_sentence(folder: Path, faults: str) -> None:
    with pytest.raises(ProviderError, match=r"found .*expected "):
        opened(folder, faults, warm=False)


def test_nan_needs_an_output_that_can_be_nan(folder: Path) -> None:
    with pytest.raises(ProviderError, match=r"whose outputs are no floats.*nan@RUNS/STAGE"):
        opened(folder, "nan@1")
    assert outcomes(opened(folder, "nan@1/root"), 3) == ["ok", "ok", "ok"]
