"""The worker's messages: four bytes of length, then JSON. Slot numbers and stamps travel, pixels do not.

Acquisition -> worker                                  worker -> acquisition
    open     a lane: spec, ring, stages, provider          hello      protocol version, process id
    answers  the slots for a lane's answers                progress   what takes long while opening
    run      one window: slots in, slot out, memory        opened     what each stage answers, and who runs it
    close    a lane: nothing more comes of it              refused    a lane cannot be opened
    tune     a stage's settings, for all windows after     done       one window: rows and stamps
                                                           failed     one window: the error
                                                       clocks     a reading of the GPU (`clocks.Reading`), once a second

`slots` of `run` are those of the window's frames in its order: one that stands in for others is there several times.
`keys` are the frames' numbers, each another within its lane (None where no frame is in two windows).
`state` is the number of the place whose memory recurrent networks go on with (None: they have none), and `reset` says
that it begins anew; a worker that has no such memory any more begins anew too, and says `reset` in `done`. `frozen` of
`done` are statistics that were frozen with this window; `open` gives them to the worker that comes after it.
`moment` of `run` is the place whose tracks go on, the number of the frame there (with gaps where some were lost or
skipped), and whether they begin anew; `numbers` of `done` are the lowest track numbers not given yet, by stage, which
`open` tells the worker that comes after it.
`wake` never leaves the worker: a session afar has an answer (see `WorkerEnd.wake`).
`depth` of `opened` is how many windows the worker may have begun at once, and `far` whether they take their time on the
way to a server rather than in the worker.
`ways` of `open` are cheaper ways of running the lane: stages, and the region of the frame that they see. Those of
`opened` are what each stage answers by way, the pipeline's own first (None: it is left out). `way` of `run` says which
runs, `level` which level of the budget that is (None: there is no budget); it is among the parameters then.
`provider` of `open` may be a list; that of `progress` is the one that is being tried, that of `opened` the one that
runs. `lost` of `failed` names a provider whose device is gone: nothing more can be run in this worker.
`parameters` of `done` are the statistics that the host took for this window, by stage and name; `trust` and `suspect`
numbers by stage and name that say how far to trust the answers, and the names of those that are not as usual.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO, Protocol

VERSION = 7
WAKE = "wake"
LIMIT = 4 << 20
_LENGTH = struct.Struct("<I")

Message = dict[str, Any]


class Link(Protocol):
    """One end of the way between acquisition and worker. `send` and `receive` may be used from two threads."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the other end is gone."""
        ...

    def receive(self) -> Message | None:
        """The next message; None when the other end is gone."""
        ...

    def close(self) -> None: ...


class WorkerEnd(Link, Protocol):
    """The worker's end."""

    def waiting(self) -> bool:
        """Whether `receive` has something to give at once."""
        ...

    def wake(self) -> None:
        """Have `receive` give a message of the kind `wake`; from any thread."""
        ...


CREDIT = 2
"""Windows that a worker of this machine has at once: one it computes, one that is there when it is done."""
DEEPEST = 3
"""Windows that a worker has begun at once, where its engine works while Python goes on: one that goes there, one that
is computed, one that comes back."""
LONG_NS = 10_000_000
"""A window of this many ns of computing is long against a hand-over (0.2 ms; 5 ms beside a busy Python thread)."""


class WorkerLink(Link, Protocol):
    """What a kind of worker offers beyond messages."""

    mortal: bool
    """Whether `kill` ends it whatever it does."""
    here: bool
    """Whether `pid` is a process of this machine."""

    @property
    def credit(self) -> int:
        """Windows that the worker has at once; never changes."""
        ...

    @property
    def deepest(self) -> int:
        """Windows that it ever has begun at once."""
        ...

    @property
    def long_ns(self) -> int:
        """From how many ns of computing on a window is long against its hand-over."""
        ...

    @property
    def away(self) -> bool:
        """Whether it cannot be heard now: what does not come is no fault of the worker's, and the link's own affair."""
        ...

    @property
    def pid(self) -> int: ...
    def epitaph(self) -> str: ...
    def kill(self) -> None: ...


def write(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one message and flush."""
    stream.write(framed(json.dumps(message, separators=(",", ":")).encode()))
    stream.flush()


def framed(data: bytes) -> bytes:
    """A message's JSON as it is sent."""
    return _LENGTH.pack(len(data)) + data


def read(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end of the stream, also in the middle of a message."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > LIMIT:
        raise ValueError(f"found a message of {length} bytes, expected at most {LIMIT}")
    data = stream.read(length)
    if len(data) < length:
        return None
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError(f"found a message that is a {type(message).__name__}, expected an object")
    return message
