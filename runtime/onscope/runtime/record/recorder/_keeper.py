"""Keeps a recorder process alive: one that dies is replaced, and told once more of all that is not on the disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..._clock import ClockPair, now_ns
from ..._errors import OnscopeError, RecordError
from ..._frame import FrameId, FrameSpec
from .._place import Hold, Place, identity
from .._places import Places
from ..formats import DEFAULT, suffix_of
from ._announced import Announced
from ._closing import close_raw
from ._link import RecorderLink
from ._messages import Message

DEATHS, WITHIN_S = 3, 30.0
"""So many deaths in so short a time end the saving: the next start would not fare better."""
log = logging.getLogger("onscope")
Tell = Callable[[str, str], object]
"""Told a kind ("disk", "recorder died", "recorder back", "recorder gone") and a sentence."""


class Keeper:
    """The recorder process of a folder, and what was announced to it; `RecorderSink` is what is seen of it.

    Raises RecordError when the process cannot be started.
    """

    def __init__(
        self,
        folder: Path,
        clock: ClockPair,
        *,
        keep: int | None,
        expected: int | None,
        buffer_mb: float,
        tell: Tell,
        format: str = DEFAULT,
    ) -> None:
        self.failure: OnscopeError | None = None
        self.saved_frames = 0
        self._folder = folder
        self._clock = clock
        self._keep = keep
        self._format = format
        self._expected = expected
        self._buffer = int(buffer_mb * 1e6)
        self._teller = tell
        self.heard: Tell = lambda kind, words: None
        """Hears what `tell` hears, and first: it must not wait."""
        self._saved: Callable[[int, int], None] = lambda lane, slot: None
        self._failed: Callable[[], None] = lambda: None
        self._bound = False
        self._lock = threading.RLock()
        self._finished = threading.Condition(self._lock)
        self.places = Places(keep, suffix_of(format))
        self._announced = Announced(self.places)
        self._not_announced: list[FrameId] = []
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

    @property
    def bytes_at_most(self) -> int:
        """Bytes of the frames that can be announced and not on the disk, all slots filled."""
        with self._lock:
            return self._announced.bytes_at_most

    @property
    def unsaved(self) -> list[FrameId]:
        """Those, and the ones that came after a failure or were interrupted: final when all is finished."""
        with self._lock:
            return [*self._announced.ids, *self._not_announced]

    @property
    def in_place(self) -> bool:
        """Whether the folder of the recording is still where it was."""
        return self._place.there

    def check_place(self) -> None:
        """Raise RecordError when it is not."""
        self._place.check()

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
        begin: Message = {"kind": "begin", "folder": str(self._folder.absolute()), "clock": clock, "keep": self._keep}
        begin |= {"expected": self._expected, "first": self._announced.first, "place": self._identity}
        self._link.send(begin | {"format": self._format})
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
            self.heard(kind, words)
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
