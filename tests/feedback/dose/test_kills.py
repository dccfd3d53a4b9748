"""kill -9 of runs at random moments: no dose that an action was passed on is ever forgotten.

Runs are forked by a process that has imported everything, so that hundreds take minutes. A run says before each verdict
that it asks, and after it that the action passed: what is found afterwards lies between both.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onscope.runtime.feedback.dose import DoseBook

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and killed as Linux does it")

NURSERY = """
import os, random, signal, sys
from dataclasses import replace
from onscope.runtime.feedback import Burst
from onscope.runtime.feedback.dose import DoseBook
from tests.feedback.gate.made import LIMITS, SETTING, frame, gate, proposal

def run(path, said, seed):
    chance = random.Random(int(seed))
    told = os.open(said, os.O_RDWR)
    book = DoseBook(path, sync_s=0.005)
    made = gate(replace(LIMITS, actions_per_s=1e9, frames_per_s=1e9, stale_ms=1e9), book)
    asked = passed = 0
    os.pwrite(told, b"%16d%16d" % (asked, passed), 0)
    while True:
        what = chance.random()
        if what < 0.02:
            book.compact()
            continue
        made.objects(frame(), [1], [50.0], [50.0], 1.0, (100.0, 0.0))
        asked += 1
        os.pwrite(told, b"%16d%16d" % (asked, passed), 0)
        if what < 0.3:
            assert made.exposed(frame(), SETTING) == ""
        else:
            action = Burst(1)
            verdict = made.judge(proposal(action), action, SETTING, asked)
            assert verdict.passed, verdict.reason
        passed += 1
        os.pwrite(told, b"%16d%16d" % (asked, passed), 0)

for line in sys.stdin:
    what, *words = line.split()
    if what == "begin":
        child = os.fork()
        if child == 0:
            try:
                run(*words)
            finally:
                os._exit(1)
        print(child, flush=True)
    else:
        os.kill(int(words[0]), signal.SIGKILL)
        print(os.waitpid(int(words[0]), 0)[1], flush=True)
"""
DOSE = 0.4
"""Of each exposure, by the setting of the gate's tests."""


@pytest.mark.parametrize("kills", [8, pytest.param(400, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_no_dose_is_forgotten(tmp_path: Path, kills: int) -> None:
    path, said = tmp_path / "doses", tmp_path / "said"
    chance = random.Random(kills)
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
        cwd=Path(__file__).parents[3],
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    before, torn, ran = 0, 0, 0
    try:
        for seed in range(kills):
            said.write_bytes(b"")
            print("begin", path, said, seed, file=nursery.stdin, flush=True)
            child = int(nursery.stdout.readline())
            while len(said.read_bytes()) < 32:  # it has the file open
                time.sleep(0.002)
            time.sleep(chance.random() ** 2 * 0.2)
            print("kill", child, file=nursery.stdin, flush=True)
            assert int(nursery.stdout.readline()) == 9  # by the kill, not by an error of its own
            asked, passed = int(said.read_bytes()[:16]), int(said.read_bytes()[16:32])
            with DoseBook(path) as book:
                found = round(book.field(100.0, 0.0) / DOSE)
                torn += bool(book.torn)
                assert book.joules == pytest.approx(found * DOSE * 1e-4)
                assert before + passed <= found <= before + asked
                assert asked - passed <= 1
            before, ran = found, ran + passed
    finally:
        nursery.stdin.close()
        nursery.wait()
    assert ran > kills
