"""Which element of which image a raw frame is: decided once, in the acquisition process, when the frame is announced.

docs/recordings.md ("Images and their elements") has the rules. A place that is decided before a frame is written needs
no agreement afterwards: a recorder that takes over writes the frame to the same chunk again, and a stage's answer to
the frame knows its element while the frame is still on its way to the disk.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._frame import Frame, FrameId, FrameSpec
from ._flight import most_in_flight

ZARR_SUFFIX = ".ome.zarr"
REMEMBERED = 16_384
"""Frames whose place can still be asked for: many more than wait for an answer at once."""
MOST_LOST = 100_000
"""A jump of t, or of the camera's counter, that is larger is not believed."""
MOST_ELEMENTS = 1 << 27
"""Elements of one image, empty ones included: days of frames. Its bitmap of taken elements has at most 16 MB."""
MOST_PLANES = 1 << 16
"""Elements of an image at one t."""
MOST_IMAGES = 4096
"""With so many images, further positions have none of their own."""
HOLES = 4
"""Elements of a rolling window beyond those under way, for frames that were announced and then taken back."""
_LOOKS = 64
Others = tuple[tuple[str, int], ...]
"""A position on the axes that an image does not have."""


class Place(NamedTuple):
    """Element `at` of the image `array` (its name in the recording). `axes` names the element's axes, in their order:
    "t", "tc", "tcz" or "tz"."""

    array: str
    axes: str
    at: tuple[int, ...]


def window_length(keep: int, spec: FrameSpec) -> int:
    """Elements of an image with a rolling window: those that are told, and those that may be under way."""
    return keep + most_unnamed(spec) + HOLES


def most_unnamed(spec: FrameSpec) -> int:
    """Frames that may be begun or on the disk without a row of the table, before the next one has to wait for theirs.

    In a rolling window the element of such a frame may be taken from one that is not told any more, and from no other.
    """
    return most_unnamed_of(spec.nbytes)


def most_unnamed_of(nbytes: int) -> int:
    """The same of frames of so many bytes."""
    return most_in_flight(nbytes) + 1


class Places:
    """Gives frames their places. `assign` is used by one thread at a time, `find` by any.

    With `keep`, a rolling window of so many frames per image. Images are named raw, raw-1, ... and `suffix`. Memory is
    constant but for the bitmap of images with positions, a bit per element.
    """

    def __init__(self, keep: int | None = None, suffix: str = ZARR_SUFFIX) -> None:
        self._keep = keep
        self._suffix = suffix
        self._count = 0
        self._plain: dict[FrameSpec, _Line] = {}
        self._lines: dict[tuple[_Line, Others], _Line] = {}
        self._grids: dict[tuple[_Line, Others, str], _Grid] = {}
        self._seen: dict[int, tuple[FrameSpec, _Line]] = {}
        self._last: dict[str, tuple[str, int, int]] = {}
        self._known: OrderedDict[FrameId, Place] = OrderedDict()

    def assign(self, frame: Frame, spec: FrameSpec) -> Place:
        """The place of a frame that comes after all those that were asked for before; no other frame gets it.

        `spec` is what its camera's frames look like now. Nothing that a frame says of itself raises: what cannot be its
        element (a number below 0 or far ahead, no number at all) is passed over, and the frame counted as it arrived.
        """
        who, index = frame.id, frame.index
        run, _, segment, seq = who
        # The same object comes again and again: hashing its fields would cost as much as all of the rest.
        known = self._seen.get(id(spec))
        line = known[1] if known is not None else self._plain_line(spec)
        last = self._last.get(spec.camera)
        lost = seq if last is None or last[1] != segment or last[0] != run else seq - last[2] - 1
        self._last[spec.camera] = run, segment, seq
        place = None
        if index and (len(index) > 1 or "t" not in index) and self._keep is None:
            place, line = self._by_position(run, index, spec.axes, line)
        if place is None:
            place = Place(line.name, "t", (line.take(lost),))
        self._known[who] = place
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return place

    def find(self, id: FrameId) -> Place | None:
        """The place of one of the last 16,384 frames; None when it has none, or is not known any more."""
        return self._known.get(id)

    @property
    def forgets(self) -> bool:
        """Whether frames were announced that `find` does not know any more."""
        return len(self._known) >= REMEMBERED

    def _plain_line(self, spec: FrameSpec) -> _Line:
        if len(self._seen) >= _LOOKS:
            self._seen.clear()
        line = self._plain.get(spec)
        if line is None:
            wrap = None if self._keep is None else window_length(self._keep, spec)
            line = self._plain[spec] = _Line(self._names, wrap)
        self._seen[id(spec)] = spec, line
        return line

    def _by_position(self, run: str, index: Mapping[str, Any], axes: str, plain: _Line) -> tuple[Place | None, _Line]:
        """The element that the frame's position names, and the image that it is counted in when there is none."""
        # The samples of RGB frames take the axis c: their channels have images of their own.
        inner = "tz" if axes == "yxs" else "tcz"
        try:
            others = tuple([(name, int(at)) for name, at in index.items() if name not in inner])
            if len(others) > 1:
                others = tuple(sorted(others))
            t = int(index.get("t", 0))
            c = int(index["c"]) if "c" in index and axes != "yxs" else None
            z = int(index["z"]) if "z" in index else None
        except (TypeError, ValueError, OverflowError):
            return None, plain
        leading = ("t" if z is None else "tz") if c is None else ("tc" if z is None else "tcz")
        grid = self._grids.get((plain, others, leading))
        if grid is None:
            line = self._line(plain, others)
            if line is None or (leading == "t" and "p" not in index and "c" not in index):
                return None, line or plain
            grid = self._grids[plain, others, leading] = _Grid(self._names, line)
        at = grid.take(run, t, c or 0, z or 0)
        if at is None:
            return None, grid.line
        return Place(grid.name, leading, (at, *(each for each in (c, z) if each is not None))), grid.line

    def _line(self, plain: _Line, others: Others) -> _Line | None:
        """Where frames of a camera are counted at a position; None when there are too many positions."""
        if not others:
            return plain
        line = self._lines.get((plain, others))
        if line is None and self._count < MOST_IMAGES:
            line = self._lines[plain, others] = _Line(self._names, None)
        return line

    def _names(self) -> str:
        count, self._count = self._count, self._count + 1
        return f"raw-{count}{self._suffix}" if count else f"raw{self._suffix}"


class _Image:
    """An image is named when its first frame comes, so that names are counted without gaps."""

    def __init__(self, names: Callable[[], str]) -> None:
        self._names = names
        self._name: str | None = None

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = self._names()
        return self._name


class _Line(_Image):
    """Frames by the order of their arrival; `wrap` elements that are used again and again, or ever more."""

    def __init__(self, names: Callable[[], str], wrap: int | None) -> None:
        super().__init__(names)
        self._wrap = wrap
        self._next = 0

    def take(self, lost: int) -> int:
        """The element of the next frame, before which so many were lost."""
        at = self._next
        if self._wrap is not None:
            self._next = (at + 1) % self._wrap
            return at
        if 0 < lost <= MOST_LOST and at + lost < MOST_ELEMENTS:
            at += int(lost)
        self._next = at + 1
        return at


class _Grid(_Image):
    """Frames by their positions t, c, z, and which elements are taken: a bit each, for each c and z along t.

    `line` has those frames of the same positions that can have no element here.
    """

    def __init__(self, names: Callable[[], str], line: _Line) -> None:
        super().__init__(names)
        self.line = line
        self._run: str | None = None
        self._begins = 0
        self._size = (0, 0, 0)
        self._taken: dict[tuple[int, int], bytearray] = {}

    def take(self, run: str, t: int, c: int, z: int) -> int | None:
        """Where along t this position is; None when it is taken, or can be none. A run begins behind the one before."""
        nt, nc, nz = self._size
        begins = self._begins if run == self._run else nt
        if t < 0 or c < 0 or z < 0 or t + begins > nt + MOST_LOST:
            return None
        t += begins
        if t >= nt or c >= nc or z >= nz:
            nt, nc, nz = max(nt, t + 1), max(nc, c + 1), max(nz, z + 1)
            if nc * nz > MOST_PLANES or nt * nc * nz > MOST_ELEMENTS:
                return None
        bits = self._taken.get((c, z))
        if bits is None:
            bits = self._taken[c, z] = bytearray()
        byte, bit = t >> 3, 1 << (t & 7)
        if byte >= len(bits):
            bits.extend(bytes(byte + 1 - len(bits)))
        if bits[byte] & bit:
            return None
        bits[byte] |= bit
        self._run, self._begins, self._size = run, begins, (nt, nc, nz)
        return t
