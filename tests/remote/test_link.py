"""A worker on a box gives what one on this machine gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from onscope.runtime import Runtime, block
from onscope.runtime.remote.server._socket import as_written
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


def test_a_box_tells_who_comes_by_the_address_that_a_user_would_write(
    runtime: Callable[..., Runtime], box: Running
) -> None:
    it = runtime(spec=None)
    assert box.told == [f"127.0.0.1 came: worker {it.worker_pid or box.server.workers[0]}"]


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("box", "box"),
        ("", ""),
    ],
)
def test_an_ipv4_address_is_told_as_one(told: str, written: str) -> None:
    assert as_written(told) == written
