"""Which windows come of which frames: slow, obvious, from the whole list at once, with nothing bounded.

A window is (target, frames, stand-ins): the camera's numbers of the frame that the answer belongs to and of all frames
in the window's order, and how many of these stand in for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from onscope.runtime import Frame
from onscope.runtime.windows._gather import Gather


class Built(NamedTuple):
    target: int
    frames: tuple[int, ...]
    padded: int


Numbered = list[tuple[int, Frame]]


def windows_of(frames: Sequence[Frame], gather: Gather, every_n: int = 1) -> set[tuple[int, Built]]:
    """All windows of the frames, with their segment, if no window is ever skipped for want of a place in the queue."""
    built = set()
    for segment in {frame.id.segment for frame in frames}:
        of_it = [frame for frame in frames if frame.id.segment == segment]
        # A time point that is only the camera's counter says nothing.
        times = any(frame.index.get("t", frame.id.seq) != frame.id.seq for frame in of_it)
        if gather.along == "t":
            series = by_time(of_it, times)
        elif any(gather.along in frame.index for frame in of_it):
            series = stacks(of_it, gather.along, times)
        else:
            series = blocks(of_it, gather)
        for piece in [piece for one in series for piece in unchanged(one, gather.along)]:
            for stretch, anchor in stretches(piece, gather, every_n):
                built |= {(segment, window) for window in within(stretch, anchor, gather, every_n)}
    return built


def place(frame: Frame, *without: str) -> tuple[object, ...]:
    return (
        tuple(sorted((axis, n) for axis, n in frame.index.items() if axis not in without)),
        tuple(sorted((axis, n) for axis, n in frame.labels.items() if axis not in without)),
    )


def apart(frames: Sequence[Frame], *without: str) -> list[list[Frame]]:
    """The frames of each place by themselves."""
    places = {place(frame, *without): None for frame in frames}
    return [[frame for frame in frames if place(frame, *without) == each] for each in places]


def by_time(frames: Sequence[Frame], indexed: bool) -> list[Numbered]:
    """Time points of each place; without them frames are counted, and a loss among several places ends a series."""
    found = []
    for series in apart(frames, "t"):
        if indexed:
            found += rising([(frame.index["t"], frame) for frame in series])
            continue
        first = frames.index(series[0])
        number = series[0].id.seq if first == 0 else 0
        numbered = [(number, series[0])]
        for before, frame in pairwise(series):
            between = [f for f in frames if before.id.seq < f.id.seq < frame.id.seq]
            lost = frame.id.seq - before.id.seq - 1 - len(between)
            so_far = [f for f in frames if f.id.seq <= frame.id.seq]
            if lost and len(apart(so_far, "t")) > 1:
                found.append(numbered)
                number, numbered = 0, []
            else:
                number += 1 + lost
            numbered.append((number, frame))
        found.append(numbered)
    return found


def stacks(frames: Sequence[Frame], along: str, times: bool) -> list[Numbered]:
    return [
        stack
        for series in (apart(frames, along) if times else apart(frames, along, "t"))
        for stack in rising([(frame.index[along], frame) for frame in series])
    ]


def rising(numbered: Numbered) -> list[Numbered]:
    """Cut where the number does not rise."""
    found: list[Numbered] = []
    for number, frame in numbered:
        if not found or number <= found[-1][-1][0]:
            found.append([])
        found[-1].append((number, frame))
    return found


def blocks(frames: Sequence[Frame], gather: Gather) -> list[Numbered]:
    """Frames of one place that follow one another; those whose place in the rhythm nobody knows are left out."""
    found: list[Numbered] = []
    rhythm = gather.step > 1 and gather.on_gap in ("invalid", "hold")
    without = ("t", gather.along)
    unsure = False
    for n, frame in enumerate(frames):
        before = frames[n - 1] if n else None
        lost = frame.id.seq - (before.id.seq + 1 if before else 0)
        if before is None:
            found.append([])
            first = 0
        elif place(before, *without) != place(frame, *without):
            found.append([])
            first, unsure = frame.id.seq, lost > 0
        elif lost and len(apart(frames[: n + 1], *without)) > 1:
            unsure = True
        if unsure and rhythm:
            found.append([])  # and nothing stands in for it
        else:
            if unsure and lost and found[-1]:
                found.append([])
            found[-1].append((frame.id.seq - first, frame))
    return [block for block in found if block]


def unchanged(series: Numbered, along: str) -> list[Numbered]:
    """Cut where the stage has moved by more than half a micrometre, or the exposure has changed, since the last cut."""
    found: list[Numbered] = []
    axes = 2 if along in ("z", "c") else 3  # stacks move along the third axis, channels may have a focus of their own
    for number, frame in series:
        began = found[-1][0][1] if found else frame
        here, there = frame.stage_um, began.stage_um
        moved = here and there and any(abs(a - b) > 0.5 for a, b in zip(here[:axes], there[:axes], strict=True))
        exposed = along != "c" and frame.exposure_ms != began.exposure_ms
        if not found or moved or exposed:
            found.append([])
        found[-1].append((number, frame))
    return found


Stretch = dict[int, tuple[int, Frame]]
"""What is there under each number: the number of the frame itself, and the frame."""


def stretches(piece: Numbered, gather: Gather, every_n: int) -> list[tuple[Stretch, int]]:
    """Cut at gaps, unless a frame stands in for those of the gap; with the number at which windows are counted."""
    found: list[tuple[Stretch, int]] = []
    last = piece[0][0]
    for number, frame in piece:
        missing = number - last - 1
        if not found or missing:
            anchor = number if gather.on_gap in ("reset", "pad") else 0
            fills = gather.on_gap == "hold" and 0 < missing < gather.length
            if found and fills and copied(last, found[-1][0], anchor, gather, every_n):
                for lost in range(last + 1, number):
                    found[-1][0][lost] = (last, found[-1][0][last][1])
            else:
                found.append(({}, anchor))
        found[-1][0][number] = (number, frame)
        last = number
    return found


def copied(number: int, stretch: Stretch, anchor: int, gather: Gather, every_n: int) -> bool:
    """Whether a window needs the frame: what is skipped before it is copied cannot stand in."""
    if (number - anchor) % (gather.step * every_n) >= gather.length:
        return False
    return gather.sliding or number - (number - anchor) % gather.length >= min(stretch)


def within(stretch: Stretch, anchor: int, gather: Gather, every_n: int) -> list[Built]:
    """The windows of a stretch."""
    first, last = min(stretch), max(stretch)
    found = []
    for start in range(first - gather.length, last + 1):
        numbers = range(start, start + gather.length)
        if (start - anchor) % (gather.step * every_n):
            continue
        there = {
            n: (first, stretch[first][1]) if n < first and gather.on_gap == "pad" else stretch.get(n) for n in numbers
        }
        target = there[start + gather.target]
        if None in there.values() or target is None:
            continue
        frames = [each for each in there.values() if each is not None]
        real = [n for n, each in there.items() if each is not None and each[0] == n]
        belongs = target[0] == start + gather.target if gather.sliding else bool(real)
        if belongs:
            found.append(Built(target[1].id.seq, tuple(f.id.seq for _, f in frames), gather.length - len(real)))
    return found
