"""One PC's worker on the box: its messages to a worker process, and what comes back."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..._clock import now_ns
from ..._errors import OnscopeError, WorkerError
from ...service import BoxCounters
from ...worker import Message, ProcessLink
from ..packages import Store, Upload, placed
from ..packing import Arrivals, Codec, Packer
from ..session import Item, Session
from ..wire import Payload, WireError, chunks, name_of, text, whole
from ._greeting import Greeting
from ._rooms import Rooms
from ._weight import taken_bytes

PROVIDER = re.compile(r"[a-z0-9-]+(:[\w.=@%*/+-]*)?(,[\w.:=@%*/+-]+)*")
MOST_FILES = 256
MOST_WINDOWS = 64
"""Windows that a PC may have here at once; it has three."""
MOST_WAITING = 1024
"""Messages for a PC that it has not taken: each window has some, and a PC that asks on and on without hearing more."""
MOST_WORDS = 1900
"""Characters of a worker's last words that the PC is told."""


class Guest:
    """Used by the server's thread; `post` is called by one that listens to the worker, with its messages and, at its
    end, None. Raises WorkerError when no worker can be started."""

    def __init__(
        self,
        id: str,
        store: Store,
        post: Callable[[Guest, Message | None], object],
        counters: BoxCounters,
        codec: Codec,
    ) -> None:
        self.id = id
        self._counters = counters
        self.session = Session()
        self._arrivals = Arrivals()
        self._packer = Packer("never", codec, counters)
        self.peer: bytes | None = None
        """Where it is reached now."""
        self.where = ""
        self.heard_ns = now_ns()
        self.draining = False
        self._store, self._post = store, post
        self._rooms = Rooms(codec)
        self._uploads: dict[str, Upload] = {}
        self._flights: deque[tuple[int, int, int, list[int] | None]] = deque()
        """Lane, slot of the answer, when it was complete, and the stages that were asked for."""
        self._worker = ProcessLink()
        self._closed, self._memory_bytes = False, 0
        self._why = self._epitaph = ""
        threading.Thread(target=self._listen, name="onscope-guest", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id of its worker."""
        return self._worker.pid

    @property
    def busy(self) -> bool:
        """Whether the worker, or the PC, still has something to get."""
        return bool(self._flights) or not self.session.empty

    def greeted(self, asked: Greeting, peer: bytes, where: str) -> None:
        """It is here, or back, and has all messages up to `asked.got`."""
        self.session.resume(asked.got)
        self._arrivals.begin()
        self._packer.mode, self._memory_bytes = asked.pack, asked.memory_bytes
        self.peer, self.where, self.heard_ns = peer, where, now_ns()

    def beat(self, head: Mapping[str, Any], came_ns: int) -> Mapping[str, Any] | None:
        """A beat; what answers it, where it asks."""
        self.heard_ns = came_ns
        self.session.heard(head.get("got"))
        if "sent_ns" not in head:
            return None
        sent_ns, self._packer.rate = whole(head, "sent_ns"), whole(head, "rate")
        self._arrivals.came(sent_ns, came_ns, 0, False)
        told = {"kind": "beat", "of": sent_ns, "came_ns": came_ns, "rate": self._arrivals.rate}
        return {**told, "got": self.session.told(), "sent_ns": now_ns()}

    def came(self, head: Mapping[str, Any], payload: Payload | None, came_ns: int, awaited: bool) -> None:
        """A counted message; raises WireError for what makes no sense."""
        self.heard_ns = came_ns
        size = len(payload or b"")
        if "sent_ns" in head:
            self._arrivals.came(whole(head, "sent_ns"), came_ns, size, awaited)
        if self.session.came(head, size):
            self.handle(head, payload)

    def handle(self, head: Mapping[str, Any], payload: Payload | None) -> None:
        """One message of the PC's; raises WireError for what makes no sense."""
        kind = head["kind"]
        if self.session.waiting > MOST_WAITING:
            raise WireError(f"found more than {MOST_WAITING} messages that the PC has not taken, expected it to")
        if kind == "fill" and payload is not None:
            self._rooms.fill(head, payload)
        elif kind == "worker" and isinstance(message := head.get("message"), dict):
            self._forward(message)
        elif kind == "have":
            self._have(head)
        elif kind == "file" and payload is not None:
            self._file(head, payload)
        else:
            raise WireError(f"found a message {kind!r:.40} of a PC")

    def _forward(self, message: Message) -> None:
        kind = message.get("kind")
        if kind == "run":
            self._rooms.check_run(message)
            if len(self._flights) >= MOST_WINDOWS:
                raise WireError(f"found more than {MOST_WINDOWS} windows at once")
            if self.draining:
                return
            self._flights.append((message["lane"], message["answer"], now_ns(), message.get("stages")))
        elif kind == "open":
            try:
                message = self._rooms.open(self._placed(message))
            except (OnscopeError, OSError) as error:
                refusal = {"kind": "refused", "lane": whole(message, "lane"), "error": type(error).__name__}
                self._say({**refusal, "message": f"on the box: {error}"})
                return
        elif kind == "answers":
            try:
                message = self._rooms.attach_answers(message)
            except (OnscopeError, OSError) as error:
                refusal = {"kind": "refused", "lane": whole(message, "lane"), "error": type(error).__name__}
                self._say({**refusal, "message": f"on the box: {error}"})
                return
        elif kind == "close":
            self._rooms.close(lane := whole(message, "lane"))
            self._packer.forget(lane)
        elif kind != "tune":
            raise WireError(f"found a message {kind!r:.40} for a worker")
        try:
            with contextlib.suppress(OSError):  # it has died, which the listening thread tells
                self._worker.send(message)
        except RecursionError as error:
            raise WireError("found a message for the worker that is nested too deep") from error

    def _placed(self, message: Message) -> Message:
        provider = text(message, "provider")
        if not PROVIDER.fullmatch(provider) or "state=" in provider:  # a folder of the box's
            raise WorkerError(f"found the provider {provider!r}, expected an engine without a path: cpu, cuda, auto")
        found = placed(message, self._store.place)
        if not isinstance(found.get("spec"), dict) or not isinstance(found.get("numbers"), dict):
            raise WireError("found a lane without a spec")
        return found

    def _have(self, head: Mapping[str, Any]) -> None:
        files = head.get("files")
        if not isinstance(files, list) or len(files) > MOST_FILES:
            raise WireError(f"found files that are no list of at most {MOST_FILES}")
        lacking = [name for name in map(name_of, files) if not self._store.has(name)]
        self.session.add([({"kind": "lack", "lane": whole(head, "lane"), "files": lacking}, None)])

    def _file(self, head: Mapping[str, Any], piece: Payload) -> None:
        name, at = name_of(head.get("name")), whole(head, "at")
        words = ""
        try:
            if at == 0:
                if name in self._uploads or len(self._uploads) >= MOST_FILES:
                    raise WireError(f"found {name} begun a second time, or one of too many")
                self._uploads[name] = self._store.begin(name, whole(head, "bytes"))
            elif name not in self._uploads:
                return  # it was refused
            if not self._uploads[name].write(at, piece):
                return
            self._counters.files += 1
        except (WireError, OSError) as error:
            words = str(error)
        if (upload := self._uploads.pop(name, None)) is not None and words:
            upload.drop()
        self.session.add([({"kind": "stored", "name": name, "words": words}, None)])

    def answer(self, message: Message) -> None:
        """One message of the worker's."""
        kind = message["kind"]
        if kind == "opened":
            self._rooms.opened(message)
        if kind not in ("done", "failed"):
            self._say(message)
            return
        lane, slot, came_ns, chosen = self._flights.popleft()
        found = []
        if kind == "done":
            found = self._rooms.answers(lane, slot, chosen, message["shapes"])
            self._counters.windows += 1
        else:
            self._counters.failed += 1
        self._counters.took.add((now_ns() - came_ns) / 1e9)

        def items() -> Iterator[Item]:
            for each in found:
                for at, piece in chunks(each.data):
                    more, payload = self._packer.piece(lane, each.stage, each.item, piece)
                    yield {"kind": "part", "lane": lane, "answer": slot, "at": each.at + at, **more}, payload
            yield {"kind": "worker", "message": message}, None

        self.session.add(items())

    def died(self) -> None:
        """The worker has ended by itself."""
        self._flights.clear()
        self._counters.worker_deaths += 1
        self.session.add([({"kind": "died", "epitaph": self._epitaph}, None)])

    def _say(self, message: Message) -> None:
        self.session.add([({"kind": "worker", "message": message}, None)])

    def _listen(self) -> None:
        try:
            while (message := self._worker.receive()) is not None:
                self._post(self, message)
            self._epitaph = (self._why or self._worker.epitaph())[:MOST_WORDS]
        except (OSError, ValueError) as error:
            self._epitaph = str(error)[:MOST_WORDS]
        self._post(self, None)

    def close(self, *, kill: bool) -> None:
        """End its worker, and forget its slots."""
        if self._closed:
            return
        self._closed = True
        for upload in self._uploads.values():
            upload.drop()
        end = self._worker.kill if kill else self._worker.close
        threading.Thread(target=end, name="onscope-ending", daemon=True).start()
        self._rooms.close_all()

    def weigh(self, most: int) -> None:
        """End a worker that takes more memory than its PC wants, or than so many bytes; the PC is told, as of any
        death."""
        most, whose = min((most, "the box's limit"), (self._memory_bytes or most, "the run's memory_mb"))
        if (takes := taken_bytes(self._worker.pid)) > most:
            told = f"expected at most {most / 2**20:.0f} MB, {whose}"
            self._why = f"it took {takes / 2**20:.0f} MB of memory, {told}"
            self._worker.kill()
