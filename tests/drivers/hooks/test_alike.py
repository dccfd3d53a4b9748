"""The three hooks give the same results, to the bit, and the same ledger for the same frames, whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from onscope.runtime import FrameSpec, Runtime, block, keep_newest

from .three import FRAMES, HOOKS, PLANES, SIZE, acquire

Make = Callable[..., Runtime]
SPEC = FrameSpec((SIZE, SIZE), "uint16", camera="Camera")
ROOT = Path(__file__).resolve().parents[3]
Seen = dict[tuple[Any, ...], tuple[bytes, bytes]]


def results_of(it: Runtime, stage: str, run: Callable[[], object]) -> Seen:
    """Raw pixels and answers by the place of their frame."""
    results = it.subscribe(block(FRAMES))
    run()
    assert it.drain(30)
    results.close()
    return {
        tuple(sorted(result.frame.index.items())): (result.frame.pixels.tobytes(), result[stage].tobytes())
        for result in results
    }


@pytest.mark.parametrize("along", [None, "z"])
def test_results_are_the_same_to_the_bit(runtime: Make, tmp_path: Path, along: str | None) -> None:
    seen: list[Seen] = []
    for hook in HOOKS:
        it = runtime(along, worker="process")
        seen.append(results_of(it, "mean" if along else "plus", lambda: acquire(hook, it, tmp_path / hook)))  # noqa: B023
        assert it.ledger.reasons == {"done": FRAMES}
        it.close()
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == (FRAMES // PLANES if along else FRAMES)
    if along is None:
        planes = [[raw for place, (raw, _) in seen[0].items() if dict(place)["z"] == z] for z in range(PLANES)]
        assert [len(set(images)) for images in planes] == [1] * PLANES  # the same at all times
        assert len({images[0] for images in planes}) == PLANES  # and no two planes alike


@contextmanager
def stalled(it: Runtime) -> Iterator[psutil.Process]:
    """The worker hangs, with two windows in hand."""
    it.prepare(SPEC)
    worker = psutil.Process(it.worker_pid)
    worker.suspend()
    try:
        yield worker
    finally:
        if worker.is_running():
            worker.resume()


@pytest.mark.long
@pytest.mark.parametrize("dies", [False, True])
def test_ledgers_are_the_same_when_the_model_hangs_or_dies(runtime: Make, tmp_path: Path, dies: bool) -> None:
    ledgers, answered = [], []
    for hook in HOOKS:
        it = runtime(worker="process", admission=keep_newest(2), patience_s=600.0)

        def hung() -> None:
            with stalled(it) as worker:  # noqa: B023
                acquire(hook, it, tmp_path / hook)  # noqa: B023
                assert it.ledger.counts["open"] == 4, "two with the worker, two that wait"  # noqa: B023
                if dies:
                    worker.kill()

        answered.append(results_of(it, "plus", hung))
        ledgers.append(it.ledger.reasons)
        it.close()
    assert ledgers[0] == ledgers[1] == ledgers[2]
    assert ledgers[0]["skipped(queue)"] == FRAMES - 4
    assert sum(ledgers[0].values()) == FRAMES
    assert answered[0] == answered[1] == answered[2]
    assert 0 < len(answered[0]) == ledgers[0]["done"]
    assert (len(answered[0]) < 4) == dies


@pytest.mark.long
@pytest.mark.parametrize("hook", HOOKS)
def test_ctrl_c_leaves_no_frame_without_an_account(tmp_path: Path, hook: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.drivers.hooks.three", hook, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert told["ended"] == "interrupted"
    assert told["adds_up"]
    assert told["right"], told
    assert 4 <= told["submitted"] <= told["seen"]
    assert told["reasons"].get("done", 0) >= 4
