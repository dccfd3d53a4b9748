"""A hundred thousand frames over a link that is cut all the time: none is unaccounted."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from onscope.runtime import Event, FrameSpec, Pipeline, Runtime, Stage, block
from tests import models
from tests.live.test_swap import plus

from .conftest import Running
from .test_cuts import through

FRAMES = 100_000
SPEC = FrameSpec((16, 16), "uint16", camera="cam")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_none_of_a_hundred_thousand_frames_is_unaccounted(
    runtime: Callable[..., Runtime], box: Running, events: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> None:
    over = Pipeline([Stage("plus", plus(tmp_path_factory.mktemp("plus"), 3))])
    with through(box) as proxy:
        it = runtime(over, SPEC, worker=proxy.address, admission=block(8), patience_s=60)
        results = it.subscribe(block(64))
        seen: list[int] = []

        def read() -> None:
            for result in results:
                assert np.all(result["plus"] == result.frame.pixels + 3)
                seen.append(result.frame.id.seq)

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
    assert it.ledger.counts["done"] == sum(it.ledger.counts.values()) == FRAMES
    assert proxy.cuts > 20
