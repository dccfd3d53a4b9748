"""Frames out of a pycro-manager acquisition: what its `image_process_fn(image, metadata)` is given, as a Frame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ._clock import ClockPair, now_ns
from ._frame import Frame, FrameId, Pixels, new_run_id
from ._pixels import unpack

AXES = {"time": "t", "position": "p", "channel": "c", "z": "z"}
"""pycro-manager's names of acquisition axes, and ours; other axes keep their own."""
LONGEST_WAIT_NS = 60 * 10**9


class HookFrames:
    """Turns the images of one acquisition into Frames; stateful, for one run, called from one thread.

    `frame(image, metadata)` is called by the hook for every image, on pycro-manager's processor thread, in order.
    Sequence images carry the camera's own counter (ImageNumber), and a jump in it stays a jump of `seq`; snapped ones
    lack it and are counted here. A new segment begins when a camera's counter goes back (a new sequence), when it
    changes between own and counted numbers, or when the image's shape or type changes. The axes of the event become
    `index`: time -> t, position -> p, channel -> c, z, others under their own name; names (of channels, positions)
    are numbered in the order in which they first appear, and `names` tells them.
    """

    def __init__(self, run: str | None = None, pixel_type: str | None = None) -> None:
        """`run` names the run (None: a random name); `pixel_type` stands in where snapped images lack the tag."""
        self.run = run or new_run_id()
        self.names: dict[str, list[str]] = {}
        self._pixel_type = pixel_type
        self._cameras: dict[str, _Counter] = {}
        self._clocks = ClockPair.take()
        self._last_received_ns = 0

    def frame(self, image: Pixels, metadata: Mapping[str, Any]) -> Frame:
        """The Frame of one image; its pixels are those of `image` where they need no unpacking (no copy).

        Any key may be missing. Raises FrameMismatchError when the pixels are of no known type.
        """
        arrived_ns = now_ns()
        camera = str(metadata.get("Camera") or "camera")
        pixels, axes = unpack(
            image,
            metadata.get("PixelType") or self._pixel_type,
            _whole(metadata.get("Height")),
            _whole(metadata.get("Width")),
        )
        counter = self._cameras.setdefault(camera, _Counter())
        looks = (pixels.shape, pixels.dtype.name, axes)
        segment, seq, opened = counter.place(_whole(metadata.get("ImageNumber")), looks)
        if opened:
            self._clocks = ClockPair.take()
        return Frame(
            id=FrameId(self.run, camera, segment, seq),
            pixels=pixels,
            axes=axes,
            index=self._index(metadata.get("Axes")),
            received_ns=self._received(metadata.get("TimeReceivedByCore"), arrived_ns),
            pixel_size_um=_positive(metadata.get("PixelSize_um") or metadata.get("PixelSizeUm")),
            exposure_ms=_positive(metadata.get("Exposure") or metadata.get("Exposure-ms")),
            stage_um=_stage(metadata),
        )

    def _index(self, position: object) -> Mapping[str, int]:
        if not isinstance(position, Mapping):
            return MappingProxyType({})
        index = {}
        for name, value in position.items():
            axis = AXES.get(str(name), str(name))
            number = _whole(value)
            if number is None or isinstance(value, str):
                known = self.names.setdefault(axis, [])
                if str(value) not in known:
                    known.append(str(value))
                number = known.index(str(value))
            index[axis] = number
        return MappingProxyType(index)

    def _received(self, stamp: object, arrived_ns: int) -> int:
        """Monotonic ns of core receipt, from the core's wall-clock tag; the moment of the call where that is no use.

        The engine writes its own value over the tag ElapsedTime-ms, so the wall clock (microseconds, local time) is
        what is left. It may be stepped while acquiring: a stamp in the future, long ago or before the last frame's
        is not believed.
        """
        received = arrived_ns
        if isinstance(stamp, str):
            try:
                wall_ns = round(datetime.fromisoformat(stamp).timestamp() * 1e6) * 1000
            except (ValueError, OverflowError, OSError):
                wall_ns = self._clocks.wall_of(arrived_ns)
            told = wall_ns - self._clocks.wall_ns + self._clocks.monotonic_ns
            if arrived_ns - LONGEST_WAIT_NS <= told <= arrived_ns:
                received = told
        self._last_received_ns = max(self._last_received_ns, received)
        return self._last_received_ns


class _Counter:
    """One camera's place: segment and number of the last frame."""

    def __init__(self) -> None:
        self._segment = -1
        self._last = -1
        self._first = 0
        self._numbered = False
        self._looks: object = None

    def place(self, number: int | None, looks: object) -> tuple[int, int, bool]:
        """(segment, seq, whether the segment is new) of a frame with the camera's `number`, or None: it has none."""
        numbered = number is not None and number >= 0
        now = number if numbered and number is not None else self._last + 1
        opened = looks != self._looks or numbered != self._numbered or now <= self._last
        if opened:
            # Images that look different in one sequence go on counting, and those before are not lost.
            goes_on = self._segment >= 0 and numbered == self._numbered and now == self._last + 1
            self._segment += 1
            self._looks, self._numbered = looks, numbered
            if not numbered:
                now = 0
            self._first = now if goes_on and numbered else 0
        self._last = now
        return self._segment, now - self._first, opened


def _stage(metadata: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Intended stage position in micrometres; z is 0 when only x and y are told."""
    x, y, z = (_number(metadata.get(f"{axis}Position_um_Intended")) for axis in "XYZ")
    return None if x is None or y is None else (x, y, z or 0.0)


def _number(value: object) -> float | None:
    """A finite float of a tag that may be text, number or missing."""
    if not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None
