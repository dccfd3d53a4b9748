"""Every chunk of every array: read once, so that its checksum is compared, and held against the rows that name it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import tensorstore as ts

from ..._frame import FrameId
from .._flight import reason
from .._inventory import ZarrArray, chunk_files
from ._elements import At
from ._report import Findings, listed, ranges

ERRORS = (ValueError, RuntimeError, OSError)
UNDER_WAY = 8
PRESENT = "present"
Tick = Callable[[int], object]


@dataclass(slots=True)
class Tally:
    """What was read: chunks, bytes on the disk; elements without a row, by image."""

    chunks: int = 0
    nbytes: int = 0
    changed: int = 0
    leftovers: dict[str, int] = field(default_factory=dict)


def check_array(
    array: ZarrArray,
    elements: Mapping[At, FrameId] | None,
    seen: Container[At],
    keep: bool,
    tally: Tally,
    findings: Findings,
    tick: Tick,
) -> None:
    """Read the chunks of one array.

    `elements` are those that rows name (None: of this array nothing is known); each must have its chunk. `seen`: those
    whose chunk was read already. `keep`: a rolling window leaves elements behind that no row names any more.
    """
    if array.fault:
        findings.add(f"{array.name}: {array.fault}")
        return
    if not array.summed:
        findings.notes.append(
            f"the chunks of {array.name} have no checksums, as in recordings of the layout before: a change may pass"
        )
    wanted = _wanted(array, elements, findings)
    if wanted is not None:
        lost = [who for key, who in wanted.items() if not array.file_of(key).is_file()]
        if lost:
            findings.add(f"{array.name}: the chunks of {listed(ranges(lost))} are missing", len(lost))
    without_row = 0
    unread: list[tuple[At, str]] = []
    for key, name in chunk_files(array):
        tally.chunks += 1
        tally.nbytes += _size(array, name)
        if key is None or any(place >= count for place, count in zip(key, array.grid, strict=True)):
            without_row += 1
            continue
        if wanted is not None and key not in wanted and not keep:
            without_row += 1
        if wanted is None or key not in wanted or _element(array, key) not in seen:
            unread.append((key, name))
        else:
            tick(1)
    if without_row:
        tally.leftovers[array.name] = without_row
    for name, why in _read(array, unread, tick):
        tally.changed += 1
        findings.add(f"{array.name}/{name} cannot be read or has changed ({why})")


def check_present(array: ZarrArray, elements: Mapping[At, FrameId], findings: Findings) -> None:
    """Hold the array `present` of an image against the rows that name its elements."""
    handle = _open(array)
    if isinstance(handle, str) or prod(array.shape) > 1 << 33:
        return  # told where its chunks were read, or no recording's
    try:
        there = np.asarray(handle.read().result(), bool)
    except ERRORS:
        return
    named = np.zeros(there.shape, bool)
    outside = []
    for at, who in elements.items():
        if len(at) == named.ndim and all(0 <= index < whole for index, whole in zip(at, array.shape, strict=True)):
            named[at] = True
        else:
            outside.append(who)
    unsaid, too_many = int((named & ~there).sum()) + len(outside), int((there & ~named).sum())
    if unsaid:
        findings.add(f"{array.name} lacks {unsaid} elements that rows name", unsaid)
    if too_many:
        findings.add(f"{array.name} has {too_many} elements that no row names", too_many)


def _wanted(array: ZarrArray, elements: Mapping[At, FrameId] | None, findings: Findings) -> dict[At, FrameId] | None:
    if elements is None:
        return None
    wanted: dict[At, FrameId] = {}
    outside = []
    for at, who in elements.items():
        key = array.key_of(at)
        if key is None:
            outside.append(who)
        else:
            wanted[key] = who
    if outside:
        findings.add(f"{array.name}: rows of {listed(ranges(outside))} name elements that it cannot have", len(outside))
    return wanted


def _element(array: ZarrArray, key: At) -> At:
    axes = array.axes or tuple("tczyx"[: len(array.shape)])
    samples = "c" in axes and array.chunk[axes.index("c")] > 1
    return tuple(
        place for place, axis in zip(key, axes, strict=True) if axis not in "yx" and not (axis == "c" and samples)
    )


def _read(array: ZarrArray, chunks: list[tuple[At, str]], tick: Tick) -> Iterator[tuple[str, str]]:
    """Read chunks a few at a time; names of those that cannot be read, and why."""
    handle = _open(array)
    if isinstance(handle, str):
        yield from ((name, handle) for _, name in chunks)
        return
    under_way: deque[tuple[str, Any]] = deque()
    for key, name in chunks:
        under_way.append((name, handle[_extent(array, key)].read()))
        if len(under_way) == UNDER_WAY:
            yield from _landed(*under_way.popleft())
            tick(1)
    while under_way:
        yield from _landed(*under_way.popleft())
        tick(1)


def _extent(array: ZarrArray, key: At) -> tuple[slice, ...]:
    return tuple(
        slice(place * chunk, min((place + 1) * chunk, whole))
        for place, chunk, whole in zip(key, array.chunk, array.shape, strict=True)
    )


def _landed(name: str, future: Any) -> Iterator[tuple[str, str]]:
    try:
        future.result()
    except ERRORS as error:
        yield name, "its checksum is another" if "Digest mismatch" in str(error) else reason(error)


def _open(array: ZarrArray) -> Any:
    try:
        return ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(array.path)}}, read=True).result()
    except ERRORS as error:
        return f"its array cannot be opened: {reason(error)}"


def _size(array: ZarrArray, name: str) -> int:
    try:
        return (array.path / name).lstat().st_size
    except OSError:
        return 0
