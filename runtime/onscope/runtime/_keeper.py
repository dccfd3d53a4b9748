"""What a runtime records by itself: raw frames from their slots, and every result, by a reader that misses none."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ._admission import block
from ._delivery import Delivery, Subscription
from ._errors import RecordError
from ._events import Event, Kind, Tell
from ._ledger import Ledger
from ._pipeline import Pipeline
from ._sink import RawSink

if TYPE_CHECKING:
    from .record import Recording

DEPTH = 4
"""Results that may wait to be saved before the runtime begins no more windows."""


class Keeper:
    """Feeds a recording; one that was made here is finished at `close`."""

    def __init__(self, recording: Recording, tell: Tell, *, owned: bool) -> None:
        self.recording = recording
        self._tell = tell
        self._owned = owned
        self._failure: RecordError | None = None
        self._subscription: Subscription | None = None
        self._ledger: Ledger | None = None
        self._thread = threading.Thread(target=self._keep, name="onscope-keeper", daemon=True)

    @classmethod
    def of(cls, record: Recording | str | Path, pipeline: Pipeline, tell: Tell) -> Keeper:
        """Raises RecordError when the folder is in use or cannot be made."""
        from .record import Recording  # TensorStore and Arrow take a second to import

        if isinstance(record, Recording):
            return cls(record, tell, owned=False)
        made = Recording(record, pipeline, tell=lambda kind, words: tell(Event(cast(Kind, kind), words)))
        return cls(made, tell, owned=True)

    @property
    def sink(self) -> RawSink:
        return self.recording.sink

    def follow(self, delivery: Delivery, ledger: Ledger) -> None:
        """Save every result from now on."""
        self.recording.follow(ledger)
        self._ledger = ledger
        self._subscription = delivery.subscribe(block(DEPTH))
        self._thread.start()

    def _keep(self) -> None:
        assert self._subscription is not None
        try:
            for result in self._subscription:
                self.recording.add(result)
        except RecordError as failure:
            self._failure = failure
            self._tell(Event("recording ended", str(failure)))
        finally:
            self._subscription.close()  # what is not read any more must not hold up the live path

    def discard(self) -> None:
        """End a recording that was made here, and that nothing will come into."""
        if self._owned:
            self.recording.finish(Ledger())

    def close(self) -> None:
        """Save what is left, when no more results come; raises RecordError when something could not be saved."""
        self._thread.join()
        if self._owned and self._ledger is not None:
            self.recording.finish(self._ledger)
        if self._failure is not None:
            raise self._failure
