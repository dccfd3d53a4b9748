"""A worker on a box gives what one on this machine gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onscope.runtime import Runtime, block
from tests import models
from tests.boxes import Running


def test_frames_go_there_and_answers_come_back(runtime: Callable[..., Runtime], box: Running) -> None:
    made = runtime(admission=block(4))
    results = made.subscribe(block(100))
    for seq in range(40):
        made.submit(models.frame(seq))
    assert made.drain(30)
    for seq in range(40):
        result = results.take(1)
        assert result is not None
        assert result.frame.id.seq == seq
        assert np.array_equal(result["plus"], result.frame.pixels + 1)
        assert result["double"].shape == (96, 128)
        assert result.stamps.sent <= result.stamps.started <= result.stamps.finished <= result.stamps.delivered
    assert made.ledger.counts["done"] == 40
    assert box.server.workers
