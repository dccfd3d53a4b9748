"""The acquisition's end of the recorder: it announces slots, and hears which frames are on the disk.

What was announced and is not yet on the disk is remembered here, and stands in its slot. When the recorder process
dies, the next one is told of it once more, in the same order; it saves what has no row yet.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable

from ..._errors import RecordError
from ..._frame import Frame, FrameSpec
from ..._shm import SYSTEM_FOLDER, SharedSlots
from ._keeper import Keeper
from ._messages import LANES, SAVE_BYTES

FEWEST, MOST = 2, 256
"""Slots that a lane's frames may wait in for the disk."""


class RecorderSink(Keeper):
    """A `RawSink` that saves frames in the folder of a recording, by a process of its own.

    `keep` is the rolling window in frames per image (None: all frames are kept), `buffer_mb` the megabytes of slots
    that hide a lane's slow moments of the disk. `places` tells where frames that were announced are. Raises
    RecordError when the process cannot be started.
    """

    def bind(self, saved: Callable[[int, int], None], failed: Callable[[], None]) -> None:
        """See `RawSink`; `failed` is called at once when there is a failure already.

        Raises RecordError when it is fed already: each feeder numbers its lanes from 0.
        """
        with self._lock:
            if self._bound:
                raise RecordError(
                    "found a recording that is fed already, expected a new one: make one recording for each Runtime, "
                    "and use either its `sink` or its `tap` and `save`"
                )
            self._bound = True
            self._saved, self._failed = saved, failed
            broken = self.failure is not None
        if broken:
            failed()

    def depth(self, spec: FrameSpec) -> int:
        """See `RawSink`: by memory (`buffer_mb`, a quarter of what is free), 2 to 256; the same for the whole run."""
        if spec not in self._depths:
            room = self._buffer
            if SYSTEM_FOLDER.is_dir():
                room = min(room, shutil.disk_usage(SYSTEM_FOLDER).free // 4)
            announced = self._link.capacity // (LANES * SAVE_BYTES)
            self._depths[spec] = max(FEWEST, min(MOST, room // spec.nbytes, announced))
        return self._depths[spec]

    def open(self, lane: int, spec: FrameSpec, slots: SharedSlots) -> None:
        """See `RawSink`."""
        with self._lock:
            self._announced.add_lane(lane, spec, slots, self.depth(spec))
            self._while_alive(lambda: self._announced.open_lane(lane, self._link))

    def save(self, lane: int, slot: int, frame: Frame) -> bool:
        """See `RawSink`. After a failure nothing is saved, and the slot does not come back.

        Raises RecordError when this frame cannot be saved by what it says of itself: the slot is the caller's then.
        """
        with self._lock:
            if self.failure is not None:
                self._not_announced.append(frame.id)
                return False
            number = self._announced.next
            try:
                data = self._announced.add(lane, slot, frame)
                self._while_alive(lambda: self._link.send_bytes(data))
            except RecordError:
                raise
            except BaseException:  # Ctrl-C: the slot is the caller's, and half a message may be in the pipe
                self._announced.forget(number)
                self._not_announced.append(frame.id)
                self._break()
                raise
            return True

    def close_lane(self, lane: int) -> None:
        """See `RawSink`."""
        with self._lock:
            self._announced.drop_lane(lane)
            self._while_alive(lambda: self._link.send({"kind": "close", "lane": lane}))

    def finish(self) -> list[RecordError]:
        """Wait until all that was announced is on the disk and the files are closed; what could not be closed.

        The process goes on until `close`: should this one be killed before the manifest is written, it will do it.
        """
        with self._finished:
            self._finishing = True
            self._while_alive(lambda: self._link.send({"kind": "finish"}))
            self._finished.notify_all()
            self._finished.wait_for(lambda: self._failures is not None)
            failures = [RecordError(words) for words in self._failures or []]
            if self.waiting and self.failure is None and not failures:
                failures.append(
                    RecordError(
                        f"found {self.waiting} announced frames that were not saved, expected none: compare the table "
                        "of frames with the account"
                    )
                )
        return failures

    def close(self) -> None:
        """Let the process end; call it when the manifest is written. Without `finish`, it completes everything."""
        with self._finished:
            self._closing = True
            self._alive = False
            self._finished.notify_all()
        self._link.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        with self._lock:
            self._announced.close()
        self._hold.close()
