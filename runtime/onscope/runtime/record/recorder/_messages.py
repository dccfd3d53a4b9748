"""What the acquisition process and the recorder process say to each other: messages as between it and the worker.

Acquisition -> recorder                              recorder -> acquisition
    begin    folder, clock, format, first number, ...    saved      numbers of frames that are on the disk
    open     a lane: spec, slots                         failed     why no more can be saved
    save     one frame: number, lane, slot, identity,    told       what the user should know
             and which element of which image it is
    close    a lane: no more frames of it                finished   what could not be closed, a sentence each
    finish   the end in order

Announcements go straight into the pipe, so that a killed acquisition process leaves none behind; the pipe has room
for all that slots can be announced, so that nobody waits for the disk there.
"""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ..._errors import RecordError
from ..._frame import Frame
from ..._shm import SYSTEM_FOLDER, SharedSlots
from ...worker._messages import framed, write
from .._places import Place

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PIPE_BYTES = 1 << 20
"""Asked for; an ordinary user of Linux may have this much."""
USUAL_PIPE_BYTES = 1 << 16
SAVE_BYTES = 512
"""An announcement takes about 400 bytes."""
FRAME_BYTES = 64 << 10
"""No announcement is longer."""
LANES = 4
"""Lanes that may be fully announced at once: two cameras at a change of segments."""

Message = dict[str, Any]


class Channel(Protocol):
    """The recorder's end."""

    def send(self, message: Mapping[str, Any]) -> None: ...
    def receive(self) -> Message | None: ...
    def take_memory(self) -> int:
        """The descriptor that came with a lane."""
        ...


def widen(pipe: BinaryIO) -> int:
    """Give a pipe as much room as this system allows; its bytes."""
    if fcntl is None or not hasattr(fcntl, "F_SETPIPE_SZ"):
        return USUAL_PIPE_BYTES
    try:
        return fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:  # the user has many pipes
        return fcntl.fcntl(pipe.fileno(), fcntl.F_GETPIPE_SZ)


def save_message(number: int, lane: int, slot: int, frame: Frame) -> Message:
    """The announcement of a frame that stands in a slot."""
    run, camera, segment, seq = frame.id
    return {
        "kind": "save",
        "number": number,
        "lane": lane,
        "slot": slot,
        "id": [run, camera, int(segment), int(seq)],
        "index": {name: int(value) for name, value in frame.index.items()},
        "labels": dict(frame.labels),
        "received_ns": int(frame.received_ns),
        "exposure_end_ns": None if frame.exposure_end_ns is None else int(frame.exposure_end_ns),
        "pixel_size_um": None if frame.pixel_size_um is None else float(frame.pixel_size_um),
        "exposure_ms": None if frame.exposure_ms is None else float(frame.exposure_ms),
        "stage_um": None if frame.stage_um is None else [float(value) for value in frame.stage_um],
    }


def announcement(number: int, lane: int, slot: int, frame: Frame) -> str:
    """`save_message` as text; raises RecordError when the frame says something that has no place in the table."""
    try:
        message = save_message(number, lane, slot, frame)
        *names, segment, seq = message["id"]
        wrong = _wrong_about(names, (segment, seq, message["received_ns"], message["exposure_end_ns"] or 0))
        if message["stage_um"] is not None and len(message["stage_um"]) != 3:
            wrong = f"a stage position of {len(message['stage_um'])} values, expected x, y, z"
        data = json.dumps(message, separators=(",", ":"))
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        wrong = f"a value that is no number or text ({error}), expected plain values"
    else:
        if len(data) > FRAME_BYTES:
            wrong = wrong or f"{len(data)} bytes of identity and labels, expected at most {FRAME_BYTES}"
    if wrong:
        raise RecordError(f"frame {'/'.join(map(str, frame.id))} cannot be recorded: found {wrong}: correct its source")
    return data


def placed(announcement: str, place: Place) -> bytes:
    """An announcement as it is sent, with the element that the frame is to be written to."""
    array, axes, at = place
    place_json = f'"array":"{array}","axes":"{axes}","at":[{",".join(map(str, at))}]'
    return framed(f"{announcement[:-1]},{place_json}}}".encode())


def _wrong_about(names: Sequence[object], numbers: Sequence[int]) -> str:
    for name in names:
        if not isinstance(name, str):
            return f"a {type(name).__name__} as a name in its identity, expected text"
        name.encode()  # half a surrogate pair raises ValueError
    for value in numbers:
        if not -(1 << 63) <= value < 1 << 63:
            return f"the number {value}, expected one of 64 bits"
    return ""


def encoded(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent; raises TypeError or ValueError when it is none."""
    file = io.BytesIO()
    write(cast(BinaryIO, file), message)
    return file.getvalue()


def memory_of(slots: SharedSlots) -> Path | None:
    """The file of a segment, where the system has one."""
    path = SYSTEM_FOLDER / slots.name.lstrip("/")
    return path if path.is_file() else None


def send_memory(way: socket.socket, descriptor: int) -> None:
    """Send a descriptor: the segment can be opened by it even when its owner, and with it its name, is gone."""
    socket.send_fds(way, [b"m"], [descriptor])


def receive_memory(way: socket.socket) -> int:
    """A descriptor that was sent."""
    _, descriptors, _, _ = socket.recv_fds(way, 1, 1)
    if not descriptors:
        raise OSError("no shared memory came with a lane")
    return descriptors[0]
