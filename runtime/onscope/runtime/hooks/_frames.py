"""Frames out of a pycro-manager acquisition: what its `image_process_fn(image, metadata)` is given, as a Frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from .._clock import ClockPair, now_ns
from .._frame import NOWHERE, UNNAMED, Frame, FrameId, Pixels, new_run_id
from .._pixels import unpack
from .._tags import STAGE, STEADY, Tags, finite, read_tags, whole

AXES = {"time": "t", "position": "p", "channel": "c", "z": "z"}
"""pycro-manager's names of acquisition axes, and ours; other axes keep their own."""
PASSING = ("t", "z")
"""Axes along which a camera is expected to stay as it is set; along others (channels, positions) it may differ."""
MOST_KEYS = 1 << 14
"""Places of the other axes whose settings are remembered for a camera."""
SAME = 1e-3
"""Settings that differ by less than this share are equal: a readback is not exact (10, then 9.9997 ms)."""
LONGEST_WAIT_NS = 60 * 10**9

Key = tuple[str | int, ...]
Kind = tuple[tuple[int, ...], Any]


class HookFrames:
    """Turns the images of one acquisition into Frames; stateful, for one run, called from one thread.

    `frame(image, metadata)` is called by the hook for every image, on pycro-manager's processor thread, in order.
    Sequence images carry the camera's own counter (ImageNumber), and a jump in it stays a jump of `seq`; snapped ones
    lack it and are counted here. A new segment begins when the image's shape or type change, or when the ROI, the
    binning, the pixel size or the exposure differ from the last image at the same place of the axes other than time and
    z (the same channel, position, bracket). What a tag does not tell has not changed. Images without a position (no
    `Axes`) begin one also when the camera's counter goes back, or changes between own and counted numbers. Those of an
    acquisition do not: it starts the camera anew for every hardware sequence, which may be a stack, a channel of it or
    a part of either, and their windows are whole all the same; `begin` tells that another acquisition begins. The axes
    of the event become
    `index`: time -> t, position -> p, channel -> c, z, others under their own name; names (of channels, positions)
    are numbered in the order in which they first appear; `names` tells them, and the frame's `labels` its own.
    """

    def __init__(self, run: str | None = None, pixel_type: str | None = None) -> None:
        """`run` names the run (None: a random name); `pixel_type` stands in where snapped images lack the tag."""
        self.run = run or new_run_id()
        self.names: dict[str, list[str]] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._pixel_type = pixel_type
        self._cameras: dict[str, _Counter] = {}
        self._acquisition = 0
        self._clocks = ClockPair.take()
        self._last_received_ns = 0
        self._last_wall_ns = 0

    def begin(self) -> None:
        """Another acquisition begins: the next image of each camera opens a segment; called from any thread."""
        self._acquisition += 1

    def frame(self, image: Pixels, metadata: Mapping[str, Any]) -> Frame:
        """The Frame of one image; its pixels are those of `image` where they need no unpacking (no copy).

        Any key may be missing. Raises FrameMismatchError when the pixels are of no known type.
        """
        arrived_ns = now_ns()
        get = metadata.get
        camera = str(get("Camera") or "camera")
        counter = self._cameras.get(camera)
        if counter is None:
            counter = self._cameras[camera] = _Counter()
        index, labels, key = self._place(get("Axes"), get("Labels"))
        # Most tags are the same text in every frame: they are read anew only when one of them has changed.
        told = (*map(get, STEADY), getattr(image, "shape", None), getattr(image, "dtype", None))
        seen = counter.seen.get(key)
        steady = seen is not None and seen.told == told
        tags = seen.tags if seen is not None and steady else read_tags(metadata)
        pixels, axes = unpack(image, tags.pixel_type or self._pixel_type, tags.height, tags.width)
        if seen is None or not steady:
            seen = counter.look(key, told, tags, (pixels.shape, pixels.dtype))
        changed = counter.changed(seen, self._acquisition)
        segment, seq, opened = counter.place(whole(get("ImageNumber")), changed, bool(index))
        if opened:
            self._clocks = ClockPair.take()
        return Frame(
            id=FrameId(self.run, camera, segment, seq),
            pixels=pixels,
            axes=axes,
            index=index,
            received_ns=self._received(get("TimeReceivedByCore"), arrived_ns),
            pixel_size_um=tags.pixel_size_um,
            exposure_ms=tags.exposure_ms,
            stage_um=counter.stage_um(tuple(map(get, STAGE))),
            labels=labels,
        )

    def _place(self, position: object, told: object) -> tuple[Mapping[str, int], Mapping[str, str], Key]:
        """`index` and `labels` of an event's axes, and its place without time and z; `told`: labels of numbers."""
        if not isinstance(position, Mapping):
            return NOWHERE, UNNAMED, ()
        key: Key = ()
        index: dict[str, int] = {}
        labels: dict[str, str] = {}
        for name, value in position.items():
            axis = AXES.get(str(name), str(name))
            number = whole(value)
            if number is None or isinstance(value, str):
                label = str(value)
                known = self._numbers.setdefault(axis, {})
                if label not in known:
                    known[label] = len(known)
                    self.names.setdefault(axis, []).append(label)
                number, labels[axis] = known[label], label
            index[axis] = number
            if axis not in PASSING:
                key += (axis, number)
        if isinstance(told, Mapping):
            labels.update({str(axis): str(label) for axis, label in told.items() if axis in index and label})
        return MappingProxyType(index), MappingProxyType(labels) if labels else UNNAMED, key

    def _received(self, stamp: object, arrived_ns: int) -> int:
        """Monotonic ns of core receipt, from the core's wall-clock tag; the moment of the call where that is no use.

        The engine writes its own value over the tag ElapsedTime-ms, so the wall clock (microseconds, local time) is
        what is left. It may be stepped while acquiring: after a stamp in the future or before the last one the two
        clocks are compared anew, and one that is in the future or long ago even then is not believed.
        """
        received = arrived_ns
        if isinstance(stamp, str):
            try:
                wall_ns = round(datetime.fromisoformat(stamp).timestamp() * 1e6) * 1000
            except (ValueError, OverflowError, OSError):
                wall_ns = self._clocks.wall_of(arrived_ns)
            told = wall_ns - self._clocks.wall_ns + self._clocks.monotonic_ns
            if told > arrived_ns or wall_ns < self._last_wall_ns:
                self._clocks = ClockPair.take()
                told = wall_ns - self._clocks.wall_ns + self._clocks.monotonic_ns
            self._last_wall_ns = wall_ns
            if arrived_ns - LONGEST_WAIT_NS <= told <= arrived_ns:
                received = told
        self._last_received_ns = max(self._last_received_ns, received)
        return self._last_received_ns


@dataclass(frozen=True, slots=True)
class _Seen:
    """An image at a place: its steady tags, shape and dtype, and the settings told there so far; None: not told."""

    told: tuple[object, ...]
    tags: Tags
    kind: Kind
    settings: tuple[float | str | None, ...]


class _Counter:
    """One camera's place: segment and number of the last frame."""

    def __init__(self) -> None:
        self.seen: dict[Key, _Seen] = {}
        """The last image at each place, the oldest first; those since something changed at one of them."""
        self._stage_told: tuple[object, ...] = ()
        self._stage_um: tuple[float, float, float] | None = None
        self._segment = -1
        self._last = -1
        self._seq = -1
        self._first = 0
        self._numbered = False
        self._kind: Kind | None = None
        self._changed = False
        self._acquisition = 0

    def look(self, key: Key, told: tuple[object, ...], tags: Tags, kind: Kind) -> _Seen:
        """Remember an image whose tags are not those of the last one at its place."""
        now: tuple[float | str | None, ...] = (tags.exposure_ms, tags.pixel_size_um, *tags.place)
        before = self.seen.get(key)
        if before is not None:
            pairs = list(zip(before.settings, now, strict=True))
            # What was not told before is no change when it is told at last.
            self._changed = before.kind != kind or not all(_same(old, new) for old, new in pairs)
            if self._changed:
                self.seen.clear()  # the other places may have changed with it
                now = tuple(old if new is None else new for old, new in pairs)
            else:
                now = tuple(new if old is None else old for old, new in pairs)
        elif len(self.seen) >= MOST_KEYS:
            del self.seen[next(iter(self.seen))]
        seen = self.seen[key] = _Seen(told, tags, kind, now)
        return seen

    def changed(self, seen: _Seen, acquisition: int) -> bool:
        """Whether this image looks otherwise than those before; one segment has one shape and dtype at all places."""
        changed = self._changed or seen.kind != self._kind or acquisition != self._acquisition
        self._changed, self._kind, self._acquisition = False, seen.kind, acquisition
        return changed

    def stage_um(self, told: tuple[object, ...]) -> tuple[float, float, float] | None:
        """Intended stage position in micrometres; z is 0 when only x and y are told."""
        if told != self._stage_told:
            x, y, z = map(finite, told)
            self._stage_told, self._stage_um = told, None if x is None or y is None else (x, y, z or 0.0)
        return self._stage_um

    def place(self, number: int | None, changed: bool, placed: bool) -> tuple[int, int, bool]:
        """(segment, seq, whether a sequence or segment begins) of a frame with the camera's `number`; None: no number.

        `placed`: it has a position in an acquisition, which goes on when the camera is started anew.
        """
        numbered = number is not None and number >= 0
        now = number if numbered and number is not None else self._last + 1
        begins = self._segment < 0 or numbered != self._numbered or now <= self._last
        if changed or (begins and not (placed and self._segment >= 0)):
            # Images that look different in one sequence go on counting, and those before are not lost.
            self._first = now if now == self._last + 1 and not begins and numbered else 0
            self._segment += 1
            begins = True
            now = now if numbered else 0
        elif begins:
            now = now if numbered else 0
            self._first = -1 - self._seq
        self._numbered, self._last, self._seq = numbered, now, now - self._first
        return self._segment, self._seq, begins


def _same(old: float | str | None, new: float | str | None) -> bool:
    if old is None or new is None or old == new:
        return True
    return isinstance(old, float) and isinstance(new, float) and abs(old - new) <= SAME * old
