"""Which settings of a camera open a segment in an acquisition, and a wall clock that is stepped meanwhile."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Frame, now_ns
from onscope.runtime._clock import ClockPair
from onscope.runtime.hooks import _frames as hook_module
from onscope.runtime.hooks._frames import HookFrames

IMAGE = np.zeros((4, 6), np.uint16)
PAUSE = threading.Event()


def segments(tags: list[dict[str, Any]]) -> list[int]:
    hook = HookFrames()
    return [hook.frame(IMAGE, {"PixelType": "GRAY16", **each}).id.segment for each in tags]


@pytest.mark.parametrize("name", ["channel", "bracket", "config", "position"])
@pytest.mark.parametrize(
    "settings",
    [
        [{"Exposure": 1}, {"Exposure": 10}, {"Exposure": 100}],
        [{"Binning": "1"}, {"Binning": "2"}, {}],
        [{"ROI": "0-0-6-4"}, {"ROI": "8-0-6-4"}, {"ROI": "16-0-6-4"}],
        [{"PixelSizeUm": 0.65}, {"PixelSizeUm": 0.32}, {}],
    ],
)
def test_places_may_differ_in_their_settings(name: str, settings: list[dict[str, Any]]) -> None:
    tags = [
        {**own, "Axes": {"time": t, name: f"{name} {number}", "z": z}}
        for t in range(3)
        for number, own in enumerate(settings)
        for z in range(2)
    ]
    assert set(segments(tags)) == {0}
    key = next(iter(settings[1]))
    again = [{**each, key: 7.0} if each.get(key) == settings[1][key] else each for each in tags]
    found = segments(tags + again)
    assert found == [0] * (len(tags) + 2) + [1] * (len(again) - 2)  # once, where it was changed


def test_two_axes_are_one_place() -> None:
    tags = [
        {"Exposure": 10 * (1 + c) + p, "Axes": {"time": t, "position": p, "channel": "ab"[c]}}
        for t in range(3)
        for p in range(4)
        for c in range(2)
    ]
    assert set(segments(tags)) == {0}


def test_a_readback_that_trembles_is_the_same_exposure() -> None:
    exposures = ["10.0000", "9.9997", "10.0003", "9.9997"]
    assert segments([{"Exposure": ms} for ms in exposures]) == [0, 0, 0, 0]
    drifting = [{"Exposure": 10.0 * 1.0006**number} for number in range(4)]
    assert segments(drifting) == [0, 0, 1, 1]


def test_another_shape_or_dtype_opens_a_segment_at_any_place() -> None:
    images: list[Any] = [IMAGE, IMAGE[:2], IMAGE[:2].astype(np.uint8)]
    hook, frames = HookFrames(), list[Frame]()
    for t in range(3):
        for place, image in enumerate(images):
            frames += [hook.frame(image, {"Axes": {"time": t, "channel": place, "z": z}}) for z in range(2)]
    assert [frame.id.segment for frame in frames] == [number // 2 for number in range(18)]
    assert [frame.id.seq for frame in frames] == [0, 1] * 9


def test_the_places_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_module, "MOST_KEYS", 3)
    hook = HookFrames()
    frames = [hook.frame(IMAGE, {"Exposure": 1 + p, "Axes": {"position": p}}) for _ in range(3) for p in range(5)]
    assert {frame.id.segment for frame in frames} == {0}
    assert len(hook._cameras["camera"].seen) == 3
    assert hook.frame(IMAGE, {"Exposure": 50, "Axes": {"position": 4}}).id.segment == 1


@pytest.mark.parametrize("step_s", [-5.0, 5.0])
def test_a_wall_clock_that_is_stepped_is_followed(monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    offset_s = [0.0]

    class Stepped:
        @staticmethod
        def take() -> ClockPair:
            pair = ClockPair.take()
            return ClockPair(pair.wall_ns + int(offset_s[0] * 1e9), pair.monotonic_ns)

    monkeypatch.setattr(hook_module, "ClockPair", Stepped)
    hook = HookFrames()
    for number in range(6):
        offset_s[0] = step_s if number >= 3 else 0.0
        stamped_ns = now_ns()
        stamp = str(datetime.fromtimestamp(time.time() + offset_s[0]))
        PAUSE.wait(0.03)
        arrived_ns = now_ns()
        frame = hook.frame(IMAGE, {"ImageNumber": number, "TimeReceivedByCore": stamp})
        assert stamped_ns - 10**7 < frame.received_ns < arrived_ns - 10**7
        assert frame.id.segment == 0
