"""Links on which pieces are packed: the same answers, over cuts too, in fewer bytes where the link is slow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, block
from onscope.runtime.service import LinkCounters
from tests import models
from tests.boxes import Running

from .proxy import Proxy
from .test_cuts import check, take, through
from .test_kinds import KINDS, rows, same

LARGE = FrameSpec((512, 512), "uint16", camera="cam")
RATE = 100e6 / 8
FRAMES = 60
Make = Callable[..., Runtime]


def counters(it: Runtime) -> LinkCounters:
    found = getattr(it._path.supervisor.link, "counters", None)
    assert isinstance(found, LinkCounters)
    return found


@pytest.mark.long
@pytest.mark.parametrize("kind", ["images", "sliding windows", "tracks", "calibrated"])
def test_packed_answers_are_those_of_a_process(kind: str, tmp_path: Path, runtime: Make, box: Running) -> None:
    make, spec, frame = KINDS[kind]
    made = make(tmp_path)
    frames = [frame(n) for n in range(24)]
    it = runtime(made, spec, worker=f"{box.address}?pack=always", admission=block(4))
    mine = counters(it)
    there = rows(it, frames, None)
    same(there, rows(runtime(made, spec, worker="process", admission=block(4)), frames, None))
    assert mine.saved_bytes > 0
    assert box.server.counters.saved_bytes > 0


def test_cuts_lose_nothing_that_was_packed(runtime: Make, box: Running) -> None:
    with through(box) as proxy:
        it = runtime(worker=f"{proxy.address}?pack=always", admission=block(4))
        mine = counters(it)
        check(it, take(it, 200, 0.005, lambda: proxy.cut_now_and_then(1.5, 0.15, 3)), 200)
        assert it.ledger.counts["done"] == 200
        assert proxy.cuts > 3
        assert mine.saved_bytes > 0


def over_a_slow_link(runtime: Make, box: Running, folder: Path, pack: str, pictures: list[np.ndarray]) -> LinkCounters:
    proxy = Proxy(box.port, RATE)
    try:
        over = Pipeline([Stage("plus", models.plus_one(folder / "plus"))])
        it = runtime(over, LARGE, worker=f"{proxy.address}?pack={pack}", admission=block(4))
        mine, results = counters(it), it.subscribe(block(FRAMES + 1))
        for seq in range(FRAMES):
            it.submit(Frame(FrameId("run", "cam", 0, seq), pictures[seq % len(pictures)]))
        assert it.drain(60)
        it.close()
        for seq, result in enumerate(list(results)):
            assert np.array_equal(result["plus"], pictures[seq % len(pictures)] + 1)
        assert it.ledger.counts["done"] == FRAMES
        return mine
    finally:
        proxy.close()


@pytest.mark.long
def test_a_slow_link_carries_fewer_bytes(runtime: Make, box: Running, tmp_path: Path) -> None:
    """Camera-like noise, of which packing leaves less than a half: all but the first frames are packed, both ways."""
    chance = np.random.default_rng(0)
    pictures = [chance.poisson(200, LARGE.shape).astype(np.uint16) for _ in range(4)]
    found = over_a_slow_link(runtime, box, tmp_path, "auto", pictures)
    raw = FRAMES * LARGE.nbytes
    assert found.sent_bytes < 0.8 * raw
    assert found.sent_bytes + found.saved_bytes >= raw
    assert found.received_bytes < 0.8 * raw
    assert box.server.counters.saved_bytes > 0.2 * raw


@pytest.mark.long
def test_a_slow_link_carries_what_does_not_pack_as_it_is(runtime: Make, box: Running, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    pictures = [chance.integers(0, 65535, LARGE.shape, np.uint16) for _ in range(4)]
    found = over_a_slow_link(runtime, box, tmp_path, "auto", pictures)
    assert found.saved_bytes == box.server.counters.saved_bytes == 0
    assert found.sent_bytes > FRAMES * LARGE.nbytes


@pytest.mark.long
def test_what_shall_never_be_packed_is_not(runtime: Make, box: Running, tmp_path: Path) -> None:
    found = over_a_slow_link(runtime, box, tmp_path, "never", [np.zeros(LARGE.shape, np.uint16)])
    assert found.saved_bytes == box.server.counters.saved_bytes == 0
    assert found.sent_bytes > FRAMES * LARGE.nbytes
