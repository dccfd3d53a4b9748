"""The loop of the recorder process.

One thread reads messages, TensorStore's threads write chunks, and both put a note into one queue that the loop below
works off: it waits for nothing else, as long as the disk keeps up.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue

from ..._clock import now_ns
from ..._errors import OnscopeError
from ._closing import complete_orphan
from ._messages import Channel, Message
from ._recorder import Recorder
from ._state import NAME

_LANDED: Message = {"kind": "landed"}
_DUE: Message = {"kind": "due"}
GATHER_NS = 5_000_000
"""Rows of frames that land within such a time share one write to the table, and one acknowledgement."""


def serve(channel: Channel) -> None:
    """Save frames until the channel ends."""
    begin = channel.receive()
    if begin is None:
        return
    notes: SimpleQueue[Message | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(channel, notes), name="onscope-announcements", daemon=True).start()
    try:
        recorder = Recorder(channel, begin, lambda: notes.put(_LANDED))
    except OnscopeError as error:
        _refuse(channel, notes, str(error))
        return
    due_ns: int | None = None
    while (note := _next(notes, due_ns)) is not None:
        if note is _LANDED:
            due_ns = due_ns or now_ns() + GATHER_NS
        elif note is not _DUE:
            recorder.handle(note)
        if due_ns is not None and now_ns() >= due_ns:
            due_ns = None
            if not recorder.finished:
                recorder.reap()
    if not recorder.finished:
        recorder.finish()
    if recorder.place.there and (recorder.folder / NAME).exists():  # nobody entered it into the manifest
        complete_orphan(recorder.folder)


def _refuse(channel: Channel, notes: SimpleQueue[Message | None], why: str) -> None:
    """A folder that cannot be written to: say so, and leave it as it is."""
    channel.send({"kind": "failed", "message": why})
    while (message := notes.get()) is not None:
        if message["kind"] == "finish":
            channel.send({"kind": "finished", "failures": []})


def _listen(channel: Channel, notes: SimpleQueue[Message | None]) -> None:
    broken = False
    while True:
        try:
            message = channel.receive()
        except OSError:
            break
        except Exception as error:
            # What comes behind it cannot be understood; the end of the pipe, and with it of the parent, still can.
            if not broken:
                notes.put({"kind": "broken", "message": f"the recorder could not read a message ({error!r})"})
            broken = True
            continue
        if message is None:
            break
        if not broken:
            notes.put(message)
    notes.put(None)


def _next(notes: SimpleQueue[Message | None], due_ns: int | None) -> Message | None:
    """The next note; one that says so when it is time to look at what landed."""
    if due_ns is None:
        return notes.get()
    try:
        return notes.get(timeout=max(0.0, (due_ns - now_ns()) / 1e9))
    except Empty:
        return _DUE
