"""Frames out of a pycro-manager acquisition: by property, and inside a real one."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.drivers import micromanager
from onscope.runtime import Frame, now_ns
from onscope.runtime.hooks._frames import HookFrames

IMAGE = np.zeros((4, 6), np.uint16)


def numbers(frames: list[Frame]) -> list[tuple[int, int]]:
    return [(frame.id.segment, frame.id.seq) for frame in frames]


def test_a_sequence_keeps_the_cameras_numbers_and_its_losses() -> None:
    hook = HookFrames("run")
    frames = [hook.frame(IMAGE, {"Camera": "cam", "ImageNumber": str(number)}) for number in (0, 1, 4, 5, 0, 1)]
    assert numbers(frames) == [(0, 0), (0, 1), (0, 4), (0, 5), (1, 0), (1, 1)]
    assert {frame.id[:2] for frame in frames} == {("run", "cam")}


def test_snaps_are_counted_here() -> None:
    hook = HookFrames()
    frames = [hook.frame(IMAGE, {}) for _ in range(3)]
    frames += [hook.frame(IMAGE, {"ImageNumber": "0"}), hook.frame(IMAGE, {"ImageNumber": "1"}), hook.frame(IMAGE, {})]
    assert numbers(frames) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)]
    assert frames[0].id.camera == "camera"


def test_another_shape_or_dtype_opens_a_segment() -> None:
    hook = HookFrames()
    images: list[Any] = [IMAGE, IMAGE[:2], IMAGE[:2], IMAGE[:2].astype(np.uint8)]
    frames = [hook.frame(image, {"ImageNumber": number}) for number, image in enumerate(images)]
    assert numbers(frames) == [(0, 0), (1, 0), (1, 1), (2, 0)]
    assert frames[3].pixels.dtype == np.uint8


def test_cameras_are_counted_apart() -> None:
    hook = HookFrames()
    frames = [hook.frame(IMAGE, {"Camera": "ab"[number % 2], "ImageNumber": number // 2}) for number in range(6)]
    assert numbers(frames) == [(0, 0), (0, 0), (0, 1), (0, 1), (0, 2), (0, 2)]


def test_axes_become_positions() -> None:
    hook = HookFrames()
    axes = {"time": 3, "position": 2, "z": -1, "channel": "DAPI", "row": 7}
    frame = hook.frame(IMAGE, {"Axes": axes})
    assert dict(frame.index) == {"t": 3, "p": 2, "z": -1, "c": 0, "row": 7}
    assert hook.frame(IMAGE, {"Axes": {"channel": "FITC"}}).index == {"c": 1}
    assert hook.frame(IMAGE, {"Axes": {"channel": "DAPI"}}).index == {"c": 0}
    assert hook.names == {"c": ["DAPI", "FITC"]}


def test_what_the_tags_tell_is_told() -> None:
    tags = {"PixelSize_um": 0.1, "Exposure": 10.0, "XPosition_um_Intended": 1.0, "YPosition_um_Intended": 2.0}
    frame = HookFrames().frame(IMAGE, tags)
    assert (frame.pixel_size_um, frame.exposure_ms, frame.stage_um) == (0.1, 10.0, (1.0, 2.0, 0.0))
    frame = HookFrames().frame(IMAGE, {**tags, "ZPosition_um_Intended": 3.0})
    assert frame.stage_um == (1.0, 2.0, 3.0)
    frame = HookFrames().frame(IMAGE, {"PixelSize_um": 0.0, "ZPosition_um_Intended": 3.0})
    assert (frame.pixel_size_um, frame.exposure_ms, frame.stage_um) == (None, None, None)


def test_receipt_is_the_cores_and_never_in_the_future() -> None:
    hook = HookFrames()
    hook.frame(IMAGE, {"ImageNumber": 0})
    before_ns, wall_s = now_ns(), datetime.now().timestamp()
    earlier = str(datetime.fromtimestamp(wall_s - 1e-6))
    frame = hook.frame(IMAGE, {"ImageNumber": 1, "TimeReceivedByCore": earlier})
    assert abs(frame.received_ns - before_ns) < 10**9
    assert frame.received_ns <= now_ns()
    for wrong in (str(datetime.fromtimestamp(wall_s + 3600)), "1970-01-01 00:00:00", "yesterday", "", 5):
        before = now_ns()
        assert before <= hook.frame(IMAGE, {"TimeReceivedByCore": wrong}).received_ns <= now_ns()


def test_named_axes_are_labels() -> None:
    hook = HookFrames()
    frame = hook.frame(IMAGE, {"Axes": {"time": 1, "channel": "DAPI", "position": "A1"}})
    assert dict(frame.labels) == {"c": "DAPI", "p": "A1"}
    frame = hook.frame(IMAGE, {"Axes": {"c": 1, "t": 0}, "Labels": {"c": "FITC", "p": "not here", "t": None}})
    assert (dict(frame.index), dict(frame.labels)) == ({"c": 1, "t": 0}, {"c": "FITC"})
    assert hook.frame(IMAGE, {}).labels == {}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ROI-X-start", ["0", "8"]),
        ("ROI-Y-start", ["0", "8"]),
        ("ROI", ["0-0-6-4", "8-0-6-4"]),
        ("Binning", ["1", 2]),
        ("PixelSize_um", [0.1, 0.2]),
        ("Exposure", [10.0, 20.0]),
    ],
)
def test_another_setting_opens_a_segment(name: str, values: list[Any]) -> None:
    hook = HookFrames()
    tags: list[dict[str, Any]] = [
        {},
        {name: values[0]},
        {},
        {name: values[0]},
        {name: values[1]},
        {},
        {name: values[1]},
    ]
    frames = [hook.frame(IMAGE, {**known, "ImageNumber": number}) for number, known in enumerate(tags)]
    assert numbers(frames) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2)]


def test_exposures_are_compared_within_their_channel() -> None:
    hook = HookFrames()
    exposures = [("DAPI", 10), ("FITC", 50)] * 3 + [("DAPI", 20), ("FITC", 60)] * 2
    frames = [hook.frame(IMAGE, {"Axes": {"channel": c}, "Exposure": ms}) for c, ms in exposures]
    assert numbers(frames) == [(0, seq) for seq in range(6)] + [(1, seq) for seq in range(4)]


def test_grey_pixels_are_not_copied() -> None:
    assert HookFrames().frame(IMAGE, {}).pixels is IMAGE


def test_snapped_floats_need_a_pixel_type() -> None:
    image = np.ones((2, 2), np.float32)
    frame = HookFrames(pixel_type="GRAY32").frame(image.view(np.uint32), {"PixelType": None})
    np.testing.assert_array_equal(frame.pixels, image)


text_or_number = st.none() | st.text(max_size=5) | st.integers(-5, 5) | st.floats() | st.booleans()
TAGS = ["Camera", "ImageNumber", "PixelSize_um", "PixelSizeUm", "Exposure", "Height", "Width", "TimeReceivedByCore"]
keys = st.sampled_from([*TAGS, *(f"{axis}Position_um_Intended" for axis in "XYZ")])
axes = st.dictionaries(st.sampled_from(["time", "channel", "z", "position", "else"]), text_or_number)


@given(st.lists(st.tuples(st.dictionaries(keys, text_or_number), text_or_number | axes), max_size=20))
def test_any_tags_give_frames_whose_numbers_rise(tags: list[tuple[dict[str, Any], Any]]) -> None:
    hook = HookFrames()
    last: dict[str, tuple[int, int]] = {}
    received = 0
    for known, place in tags:
        frame = hook.frame(IMAGE, {**known, "Axes": place})
        assert (frame.id.segment, frame.id.seq) > last.get(frame.id.camera, (-1, -1))
        assert received <= frame.received_ns <= now_ns()
        assert all(isinstance(number, int) for number in frame.index.values())
        last[frame.id.camera], received = (frame.id.segment, frame.id.seq), frame.received_ns


class Taker:
    """A hook as a bound method, which is how the runtime gives its own."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.threads: set[threading.Thread] = set()
        self._hook = HookFrames()

    def image_process_fn(self, image: Any, metadata: Any) -> Any:
        self.threads.add(threading.current_thread())
        self.frames.append(self._hook.frame(image, metadata))
        return image, metadata


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ({"num_time_points": 5}, [(0, seq) for seq in range(5)]),
        ({"num_time_points": 1}, [(0, 0)]),
        (
            {"num_time_points": 2, "channel_group": "Channel", "channels": ["DAPI", "FITC"], "time_interval_s": 0.01},
            [(0, seq) for seq in range(4)],
        ),
        ({"xy_positions": np.array([[0.0, 0.0], [5.0, 7.0]])}, [(0, 0), (0, 1)]),
    ],
)
def test_inside_a_real_acquisition(tmp_path: Path, events: dict[str, Any], expected: list[tuple[int, int]]) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    taker = Taker()
    before = now_ns()
    with micromanager.demo(size=128, buffer_mb=8) as scope:
        scope.core.set_exposure(2.0)
        with Acquisition(str(tmp_path), "a", image_process_fn=taker.image_process_fn) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(**{"time_interval_s": 0, **events}))
    assert numbers(taker.frames) == expected
    assert all(frame.pixels.shape == (128, 128) and frame.id.camera == "Camera" for frame in taker.frames)
    received = [frame.received_ns for frame in taker.frames]
    assert received == sorted(received)
    assert before <= received[0]
    assert received[-1] <= now_ns()
    assert {frame.exposure_ms for frame in taker.frames} == {2.0}
    assert len(taker.threads) == 1  # one thread of pycro-manager's own calls the hook, in order
    assert threading.main_thread() not in taker.threads
    if "channels" in events:
        assert [dict(frame.index) for frame in taker.frames] == [
            {"t": t, "c": c, **({"z": 0} if "z" in taker.frames[0].index else {})} for t in range(2) for c in range(2)
        ]
    if "xy_positions" in events:
        assert [frame.stage_um for frame in taker.frames] == [(0.0, 0.0, 0.0), (5.0, 7.0, 0.0)]
        assert [frame.index["p"] for frame in taker.frames] == [0, 1]


def test_a_sequence_in_an_acquisition_is_received_before_the_hook_sees_it(tmp_path: Path) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    hook, waits_ms = HookFrames(), []

    def slow(image: Any, metadata: Any) -> Any:
        frame = hook.frame(image, metadata)
        waits_ms.append((now_ns() - frame.received_ns) / 1e6)
        threading.Event().wait(0.03)
        return image, metadata

    with micromanager.demo(size=128, buffer_mb=8) as scope:
        scope.core.set_exposure(1.0)
        with Acquisition(str(tmp_path), "a", image_process_fn=slow) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(num_time_points=20, time_interval_s=0))
    assert waits_ms[-1] > 100  # the last frames stood in the queue while the hook was slow: 19 frames, 30 ms each
