"""Runs before a server: what comes of them, and what becomes of them when it is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from onscope.runtime import Event, FrameSpec, Pipeline, Runtime, block, keep_newest
from tests import models


class Killable(Protocol):
    """A server that can be killed, and started again where it was."""

    @property
    def provider(self) -> str: ...
    @property
    def worker(self) -> str: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def answers_of(it: Runtime, frames: Sequence[Any], spec: FrameSpec = models.SPEC) -> list[dict[str, Any]]:
    """All stages' answers, copied, in the order of the frames."""
    it.prepare(spec)
    results = it.subscribe(block(len(frames)))
    for each in frames:
        it.submit(each)
    assert it.drain(60)
    it.close()
    return [{name: np.array(result[name]) for name in result} for result in results]


def same(mine: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    return len(mine) == len(others) and all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
        for a, b in zip(mine, others, strict=True)
    )


class Feed:
    """Submits frames in a thread of its own, until it is stopped. A context manager."""

    def __init__(self, it: Runtime, period_s: float = 0.01) -> None:
        self.sent = 0
        self._it, self._period_s, self._stop = it, period_s, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            self._it.submit(models.frame(self.sent))
            self.sent += 1

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def outlives(
    make: Callable[..., Runtime], pipeline: Pipeline, server: Killable, events: list[Event], times: int
) -> None:
    """Kill the server in mid-run so many times: the CPU takes over, and each time it is back it is used again."""
    it = make(pipeline, worker=server.worker, provider="cpu", admission=keep_newest(4))
    it.prepare(models.SPEC)
    seen: list[str] = []
    subscription = it.subscribe(block(100_000))

    def runs(name: str) -> bool:
        while (result := subscription.take(0)) is not None:
            seen.append(result.provenance["plus"].provider)
            assert np.all(result["plus"] == result.frame.pixels.flat[0] + 1)
        return bool(seen) and seen[-1] == name

    with Feed(it) as fed:
        for _ in range(times):
            wait_for(lambda: runs(server.provider))
            server.kill()
            wait_for(lambda: runs("cpu"))
            server.start()
        wait_for(lambda: runs(server.provider))
    assert it.drain(30)
    it.close()
    counts = it.ledger.counts
    assert it.ledger.adds_up()
    assert sum(counts.values()) == fed.sent
    assert counts["failed"] <= times, "one window shows that the server is gone; the others are sent again"
    kinds = [event.kind for event in events]
    assert kinds.count("provider lost") == kinds.count("provider back") == times
    assert "worker gone" not in kinds
