"""A hundred thousand frames over a link that is cut all the time: none is unaccounted. It takes minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import FrameSpec, Pipeline, Runtime, Stage, block
from tests import models
from tests.boxes import Running
from tests.live.test_swap import plus

from .test_cuts import through

FRAMES = 100_000
SPEC = FrameSpec((16, 16), "uint16", camera="cam")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_none_of_a_hundred_thousand_frames_is_unaccounted(
    runtime: Callable[..., Runtime], box: Running, tmp_path: Path
) -> None:
    over = Pipeline([Stage("plus", plus(tmp_path, 3))])
    with through(box) as proxy:
        it = runtime(over, SPEC, worker=proxy.address, admission=block(8), patience_s=60)
        results = it.subscribe(block(64))
        seen: list[int] = []
        wrong: list[int] = []

        def read() -> None:
            for result in results:  # to the end, whatever they are: a frame that nobody takes holds up the others
                seen.append(result.frame.id.seq)
                if not np.array_equal(result["plus"], result.frame.pixels + 3):
                    wrong.append(result.frame.id.seq)

        over_ = threading.Event()

        def cut() -> None:
            seed = 0
            while not over_.is_set():
                proxy.cut_now_and_then(1.0, 0.5, seed := seed + 1)

        threads = [threading.Thread(target=read), threading.Thread(target=cut)]
        for thread in threads:
            thread.start()
        for seq in range(FRAMES):
            it.submit(models.frame(seq, seq % 60000, SPEC))
        assert it.drain(120)
        over_.set()
        it.close()
        for thread in threads:
            thread.join()
    assert seen == list(range(FRAMES))
    assert not wrong
    assert it.ledger.counts["done"] == sum(it.ledger.counts.values()) == FRAMES
    assert proxy.cuts > 20
