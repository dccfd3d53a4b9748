"""Hardware sequences of pymmcore-plus: the camera is started anew again and again, and windows are whole all the same.

A sequence of the demo turret holds ten images at most, so that it ends in the middle of a stack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import useq
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Event, Runtime, block

Make = Callable[..., Runtime]
SWITCHED = [
    {"config": "10X", "group": "Objective", "exposure": 2},
    {"config": "20X", "group": "Objective", "exposure": 3},
]
"""Channels whose device and exposures are sequenced."""
STILL = [{"config": "DAPI", "exposure": 2}, {"config": "FITC", "exposure": 2}]
"""Channels that are set between sequences."""
LOOPS, FRAMES = 4, 24
STACKS: dict[str, Any] = {"time_plan": {"interval": 0, "loops": LOOPS}, "z_plan": {"range": 2, "step": 1}}


def acquired(core: CMMCorePlus, it: Runtime, **plan: Any) -> tuple[dict[Any, Any], list[Any], int]:
    """Images by their index, results in their order, and how often the camera was started."""
    images: dict[Any, Any] = {}
    starts = []

    def seen(image: Any, event: Any, meta: Any) -> None:
        assert meta["hardware_triggered"]
        starts.append(meta["camera_metadata"]["ImageNumber"] == "0")
        images[tuple(sorted((str(axis), at) for axis, at in event.index.items()))] = image.copy()

    sequence = useq.MDASequence.model_validate(plan)
    results = it.subscribe(block(len(list(sequence))))
    core.mda.events.frameReady.connect(seen)
    with it.attach(core):
        core.mda.run(sequence)
    core.mda.events.frameReady.disconnect(seen)
    assert it.drain(30)
    results.close()
    return images, list(results), sum(starts)


def named(index: Any) -> tuple[Any, ...]:
    return tuple(sorted((str(axis), at) for axis, at in index.items()))


@pytest.mark.parametrize("channels", [SWITCHED, STILL])
@pytest.mark.parametrize(("along", "length"), [("z", 3), ("c", 2), ("t", 2)])
def test_windows_are_whole_over_sequences(
    core: CMMCorePlus, runtime: Make, along: str, length: int, channels: Any
) -> None:
    it = runtime(along, length)
    images, results, starts = acquired(core, it, channels=channels, **STACKS)
    assert len(images) == FRAMES
    assert starts > 1, "the camera was started anew in the acquisition"
    assert it.ledger.reasons == {"done": FRAMES}
    assert len(results) == FRAMES // length
    for result in results:
        places = [dict(frame.index) for frame in result.frames]
        first = places[0][along]
        assert [place.pop(along) for place in places] == list(range(first, first + length))
        assert all(place == places[0] for place in places)
        window = np.stack([images[named(frame.index)] for frame in result.frames])
        np.testing.assert_array_equal(result["mean"], window.mean(0, dtype=np.float32).astype(np.uint16))


def test_exposures_are_those_of_the_sequence(core: CMMCorePlus, runtime: Make) -> None:
    _, results, starts = acquired(core, runtime(), channels=SWITCHED, **STACKS)
    assert 1 < starts < FRAMES
    assert {(result.frame.index["c"], result.frame.exposure_ms) for result in results} == {(0, 2.0), (1, 3.0)}
    assert {result.frame.id.segment for result in results} == {0}
    assert [result.frame.id.seq for result in results] == list(range(FRAMES))


def test_the_next_run_is_a_segment_of_its_own(core: CMMCorePlus, runtime: Make, events: list[Event]) -> None:
    it = runtime("t", 2)
    plan = {"time_plan": {"interval": 0, "loops": 3}}
    for run in range(2):
        _, results, _ = acquired(core, it, **plan)
        assert [frame.id[2:] for result in results for frame in result.frames] == [(run, 0), (run, 1)]
    assert it.ledger.reasons == {"done": 4, "skipped(incomplete window)": 2}
    assert not [event for event in events if event.bad]
