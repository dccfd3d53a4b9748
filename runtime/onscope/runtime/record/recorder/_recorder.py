"""What the recorder process does with each message: it saves what is announced, and says what is on the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..._clock import ClockPair
from ..._errors import OnscopeError, RecordError
from ..._frame import FrameSpec
from .._place import Place
from ._closing import close_raw
from ._disk import DiskWatch
from ._messages import Channel, Message
from ._slots import Slots
from ._writer import RawWriter


class Recorder:
    """Handles messages, one after the other; `send` may fail once the acquisition process is gone.

    `wake` is called, in any thread, when `reap` should be. Raises OnscopeError when the folder cannot be written to.
    """

    def __init__(self, channel: Channel, begin: Message, wake: Callable[[], object]) -> None:
        self.folder = Path(begin["folder"])
        self.finished = False
        self._channel: Channel | None = channel
        self._memory = channel.take_memory
        self._lanes: dict[int, tuple[FrameSpec, Slots]] = {}
        self._lane_bytes: dict[int, int] = {}
        self._ending = False
        self._failed = False
        self.place = Place(self.folder, (begin["place"][0], begin["place"][1]))
        self.place.check()
        self._disk = DiskWatch(self.folder)
        clock = ClockPair(*begin["clock"])
        self._writer = RawWriter(
            self.folder,
            clock,
            begin["keep"],
            begin["expected"],
            begin["first"],
            wake,
            self.place,
            begin["format"],
        )

    def handle(self, message: Message) -> None:
        """Do what a message says; what the disk refuses is told, and ends the saving."""
        try:
            kind = message["kind"]
            if kind == "save":
                self._save(message)
            elif kind == "open":
                self._open(message)
            elif kind == "close":
                self._close_lane(message["lane"])
            elif kind == "finish":
                self.finish()
            elif kind == "broken":
                self._fail(RecordError(message["message"]))
                self.finish()
        except (OnscopeError, OSError) as error:
            self._fail(error)
        except Exception as error:  # of one message: the others that were announced are saved all the same
            self._end_in_order(RecordError(_words(error)))

    def reap(self) -> None:
        """Tell which frames are on the disk by now."""
        try:
            self._told(self._writer.reap())
        except Exception as error:  # whatever it is, the acquisition must hear of it
            self._fail(error)

    def finish(self) -> None:
        """Save all that was announced and close the files; whatever happens, it is told that this was done."""
        if self.finished:
            return
        failures: list[str] = []
        for step in (self._drain, self._writer.close, self._close_files):
            try:
                failures += step() or []
            except Exception as error:  # the acquisition waits for the end
                failures.append(_words(error))
        self.finished = True
        self._send({"kind": "finished", "failures": failures})

    def _close_files(self) -> list[str]:
        return [str(error) for error in close_raw(self.folder)] if self.place.there else []

    def _drain(self) -> None:
        try:
            self._told(self._writer.reap(wait=True))
        except Exception as error:  # what landed beside the one that failed has a row by `_fail`
            if self._failed:
                with contextlib.suppress(OnscopeError):
                    self._told(self._writer.enter())
            self._fail(error)

    def _save(self, message: Message) -> None:
        if self._writer.has(message["number"]):
            self._told([message["number"]])
            return
        if self._failed:
            return
        spec, slots = self._lanes[message["lane"]]
        if self._writer.crowded(spec):
            self._told(self._writer.enter())
        if self._ending:
            self._require_room(spec)
        self._writer.save(message, spec, slots.frame(message["slot"]))
        if self._disk.count(spec.nbytes):
            self._look_at_disk()

    def _require_room(self, spec: FrameSpec) -> None:
        """Near the end of the disk a frame must not take the room of the rows of those before it."""
        if not self._disk.has_room(self._writer.bytes_under_way + spec.nbytes):
            self._told(self._writer.reap(wait=True))  # compressed they may have been smaller
            if not self._disk.has_room(spec.nbytes):
                raise RecordError(
                    f"found {self.folder} full before all frames were saved that had been taken: what was saved before "
                    "is whole; free some space or choose another disk"
                )

    def _look_at_disk(self) -> None:
        try:
            self._writer.check()
            words = self._disk.ask()
        except RecordError as error:
            self._end_in_order(error)
        else:
            if words is not None:
                self._send({"kind": "told", "text": words})

    def _open(self, message: Message) -> None:
        descriptor = self._memory() if message["by_descriptor"] else None
        given = message["spec"]
        spec = FrameSpec(**{**given, "shape": tuple(given["shape"])})
        self._lanes[message["lane"]] = spec, Slots(message, spec, descriptor)
        self._lane_bytes[message["lane"]] = message["depth"] * spec.nbytes
        self._disk.reserve_for(sum(self._lane_bytes.values()))

    def _close_lane(self, lane: int) -> None:
        spec_and_slots = self._lanes.pop(lane, None)
        if spec_and_slots is not None:
            spec_and_slots[1].close()
            del self._lane_bytes[lane]
            self._disk.reserve_for(sum(self._lane_bytes.values()))

    def _end_in_order(self, error: RecordError) -> None:
        """Have no more frames announced; those that are will still be saved."""
        if not self._ending:
            self._ending = True
            self._send({"kind": "failed", "message": str(error)})
            with contextlib.suppress(RecordError):  # a folder that is gone
                self._writer.fail(str(error))

    def _fail(self, error: Exception) -> None:
        """Save no more; what landed before and beside it is put down."""
        if self._failed:
            return
        self._failed = True
        words = _words(error) if self.place.there else str(self.place.gone)
        self._send({"kind": "failed", "message": words})
        with contextlib.suppress(RecordError):  # the same disk: the first refusal was told
            self._told(self._writer.enter())
        with contextlib.suppress(RecordError):
            self._writer.fail(words)

    def _told(self, numbers: list[int]) -> None:
        if numbers:
            self._send({"kind": "saved", "numbers": numbers})

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._channel is None:
            return
        try:
            self._channel.send(message)
        except OSError:  # the acquisition process is gone; its announcements are not
            self._channel = None


def _words(error: Exception) -> str:
    if isinstance(error, OnscopeError):
        return str(error)
    return f"the recorder failed ({error if isinstance(error, OSError) else repr(error)})"
