"""Light of frames that are handed over: the routine's is booked, that of actions was booked with them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback.loop._light import RoutineLight


class _Booked:
    """In the place of the decider and of the settings: counts what is booked."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def of(self, frame: Frame) -> Any:
        return None

    def exposed(self, frame: Frame, setting: Any) -> str:
        self.frames.append(frame.id.seq)
        return ""


@pytest.mark.parametrize("labels", [{"action": "burst"}, {"p": "burst 7"}, {"p": "visit 3 tile 0"}])
def test_frames_of_actions_are_not_booked_twice(labels: dict[str, str]) -> None:
    booked = _Booked()
    told: list[str] = []
    light = RoutineLight(booked, booked, told.append, lambda frame, spent: None)  # type: ignore[arg-type]
    pixels = np.zeros((4, 4), np.uint16)
    for seq, named in enumerate([{}, labels, {}, {}]):
        if seq != 2:  # lost by the camera: it was exposed all the same
            light.taken(Frame(FrameId("run", "camera", 0, seq), pixels, labels=MappingProxyType(dict(named))))
    light.book()
    assert booked.frames == [0, 3, 3]
    assert told == []
