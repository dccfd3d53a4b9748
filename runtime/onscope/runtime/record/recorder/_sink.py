"""The acquisition's end of the recorder: it announces slots, hears which frames are on the disk, and keeps a recorder
process alive.

What was announced and is not yet on the disk is remembered here, and stands in its slot. When the recorder process
dies, the next one is told of it once more, in the same order; it saves what has no row yet.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..._clock import ClockPair, now_ns
from ..._errors import OnscopeError, RecordError
from ..._frame import Frame, FrameSpec
from ..._shm import SYSTEM_FOLDER, SharedSlots
from .._place import Hold, Place, identity
from ._announced import Announced
from ._closing import close_raw
from ._link import RecorderLink
from ._messages import LANES, SAVE_BYTES, Message

DEATHS, WITHIN_S = 3, 30.0
"""So many deaths in so short a time end the saving: the next start would not fare better."""
FEWEST, MOST = 2, 256
"""Slots that a lane's frames may wait in for the disk."""

log = logging.getLogger("onscope")
Tell = Callable[[str, str], object]
"""Told a kind ("disk", "recorder died", "recorder back", "recorder gone") and a sentence."""


class RecorderSink:
    """A `RawSink` that saves frames in the folder of a recording, by a process of its own.

    `keep` is the rolling window in frames per image (None: all frames are kept), `buffer_mb` the megabytes of slots
    that hide a lane's slow moments of the disk. Raises RecordError when the process cannot be started.
    """

    def __init__(
        self, folder: Path, clock: ClockPair, *, keep: int | None, expected: int | None, buffer_mb: float, tell: Tell
    ) -> None:
        self.failure: OnscopeError | None = None
        self.saved_frames = 0
        self._folder = folder
        self._clock = clock
        self._keep = keep
        self._expected = expected
        self._buffer = int(buffer_mb * 1e6)
        self._teller = tell
        self._saved: Callable[[int, int], None] = lambda lane, slot: None
        self._failed: Callable[[], None] = lambda: None
        self._bound = False
        self._lock = threading.RLock()
        self._finished = threading.Condition(self._lock)
        self._announced = Announced()
        self._deaths: deque[int] = deque(maxlen=DEATHS)
        self._finishing = False
        self._closing = False
        self._gone = False
        self._depths: dict[FrameSpec, int] = {}
        self._failures: list[str] | None = None
        self._hold = Hold(folder)
        self._identity = identity(folder)
        self._place = Place(folder, self._identity)
        self._link = RecorderLink(self._hold.descriptor)
        self._alive = True
        self._while_alive(self._begin)
        self._thread = threading.Thread(target=self._listen, name="onscope-recorder", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the recorder."""
        return self._link.pid

    @property
    def waiting(self) -> int:
        """Frames that were announced and are not on the disk yet."""
        return len(self._announced)

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

    def save(self, lane: int, slot: int, frame: Frame) -> None:
        """See `RawSink`. After a failure nothing is saved, and the slot does not come back.

        Raises RecordError when this frame cannot be saved by what it says of itself: the slot is the caller's then.
        """
        with self._lock:
            if self.failure is not None:
                return
            number = self._announced.next
            try:
                data = self._announced.add(lane, slot, frame)
                self._while_alive(lambda: self._link.send_bytes(data))
            except RecordError:
                raise
            except BaseException:  # Ctrl-C: the slot is the caller's, and half a message may be in the pipe
                self._announced.forget(number)
                self._break()
                raise

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

    def _while_alive(self, send: Callable[[], object]) -> None:
        if self._alive:
            try:
                send()
            except OSError:  # it died, or cannot be reached; the next one is told everything
                self._break()

    def _break(self) -> None:
        self._alive = False
        self._link.kill()  # `_listen` buries it

    def _begin(self) -> None:
        """Tell a process what it writes, and what was announced before it came."""
        clock = [self._clock.wall_ns, self._clock.monotonic_ns]
        begin = {"kind": "begin", "folder": str(self._folder.absolute()), "clock": clock, "keep": self._keep}
        self._link.send({**begin, "expected": self._expected, "first": self._announced.first, "place": self._identity})
        self._announced.repeat(self._link)
        if self._finishing:
            self._link.send({"kind": "finish"})

    def _listen(self) -> None:
        try:
            while True:
                while (message := self._link.receive()) is not None:
                    self._handle(message)
                if not self._bring_back():
                    return
        except Exception as error:
            # Without this thread no slot would ever come back: nobody may wait for one.
            with self._finished:
                self._failures = self._failures or []
                self._finished.notify_all()
            self._fail(f"the recording failed: {error!r}")
            raise

    def _handle(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "saved":
            with self._lock:
                frames = self._announced.saved(message["numbers"])
                self.saved_frames += len(frames)
            for lane, slot in frames:
                self._saved(lane, slot)
        elif kind == "failed":
            self._fail(message["message"])
        elif kind == "told":
            self._tell("disk", message["text"])
        elif kind == "finished":
            with self._finished:
                self._failures = message["failures"]
                self._finished.notify_all()

    def _tell(self, kind: str, words: str) -> None:
        try:
            self._teller(kind, words)
        except Exception:  # the user's function: frames are saved whatever it does
            log.exception("what should tell of %r failed", kind)

    def _fail(self, words: str) -> None:
        with self._lock:
            if self.failure is not None:
                return
            self.failure = RecordError(words)
            failed = self._failed
        self._tell("recorder gone", words)
        failed()

    def _bring_back(self) -> bool:
        with self._lock:
            if self._closing or self._failures is not None:
                return False
            self._alive = False
        how = self._link.bury()
        self._deaths.append(now_ns())
        if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < WITHIN_S * 1e9:
            self._gone = True
            self._fail(
                f"found the recorder dead {DEATHS} times within {WITHIN_S:.0f} s ({how}), expected it to run: what was "
                "saved before is whole; look at the disk and the memory of this machine"
            )
        if self._gone:
            self._end_alone()
            return False
        self._tell("recorder died", f"{how}; no frame is lost, a new one takes over")
        try:
            link = RecorderLink(self._hold.descriptor)
        except RecordError as error:
            self._fail(str(error))
            self._end_alone()
            return False
        with self._lock:
            if self._closing:
                link.close()
                return False
            self._link = link
            self._alive = True
            self._while_alive(self._begin)
        self._tell("recorder back", f"process {link.pid}, {self.waiting} frames wait for it")
        return True

    def _end_alone(self) -> None:
        """No recorder is left that could close the files."""
        with self._finished:
            self._finished.wait_for(lambda: self._finishing or self._closing)
        failures = [str(error) for error in close_raw(self._folder)] if self._place.there else []
        with self._finished:
            self._failures = failures
            self._finished.notify_all()
