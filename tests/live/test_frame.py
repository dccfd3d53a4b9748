"""What frames and admissions may be."""

from __future__ import annotations

import time
from typing import Any

import pytest

from onscope.runtime import ClockPair, FrameMismatchError, FrameSpec, PipelineError, block, keep_newest, now_ns


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"shape": (4, 4), "axes": "xy"}, "expected 'yx' or 'yxs'"),
        ({"shape": (4, 4, 4), "axes": "yx"}, "expected one size"),
        ({"shape": (4, 4, 4), "axes": "yxs"}, "3 samples per RGB pixel"),
        ({"shape": (0, 4)}, "at least 1"),
        ({"shape": (4, 4), "dtype": "float64"}, "found frames of float64, expected one of uint8, uint16, float32"),
    ],
)
def test_what_no_frame_looks_like_is_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(FrameMismatchError, match=text):
        FrameSpec(**wrong)


def test_admissions_are_positive() -> None:
    for wrong in ({"depth": 0}, {"every_n": 0}, {"deadline_ms": 0.0}):
        with pytest.raises(PipelineError, match="expected depth"):
            keep_newest(**wrong)
    assert block(3).kind == "block"


def test_a_clock_pair_turns_stamps_into_dates() -> None:
    pair = ClockPair.take()
    assert abs(pair.wall_of(now_ns()) - time.time_ns()) < 50_000_000
    assert pair.wall_of(pair.monotonic_ns + 5) == pair.wall_ns + 5
