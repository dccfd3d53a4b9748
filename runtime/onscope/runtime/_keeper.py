"""What a runtime records by itself: raw frames from their slots, and every result, by a reader that misses none."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ._admission import block
from ._delivery import Delivery, Subscription
from ._errors import RecordError
from ._events import Event, Kind, Tell
from ._ledger import Ledger
from ._notes import Notes
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
        self.notes = Notes(recording)
        if not owned:  # what it tells goes to its own maker, and not through `tell`
            recording.sink.heard = lambda kind, words: self.notes.event(Event(cast(Kind, kind), words))

    @classmethod
    def of(cls, record: Recording | str | Path, pipeline: Pipeline, tell: Tell) -> Keeper:
        """Raises RecordError when the folder is in use or cannot be made."""
        import pyarrow

        from .record import (  # TensorStore and Arrow take a second to import
            Recording,
            describe_packages,
            describe_pipeline,
        )

        # Arrow imports pandas at its first array: not in the middle of a run, nor when the program is ending.
        pyarrow.array([0])
        if isinstance(record, Recording):
            record.describe(pipeline=describe_pipeline(pipeline), packages=describe_packages(pipeline))
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
        except Exception as error:
            # Broad on purpose: results that are not saved any more must be told of, whatever the reason.
            if not isinstance(error, RecordError):
                error = RecordError(f"results could not be saved: {error!r}")
            self._failure = error
            self._tell(Event("recording ended", str(self._failure)))
        finally:
            self._subscription.close()  # what is not read any more must not hold up the live path

    def discard(self) -> None:
        """Remove a recording that was made here, and that nothing will come into."""
        self.notes.close()
        if self._owned:
            self.recording.finish(Ledger())
            shutil.rmtree(self.recording.folder, ignore_errors=True)

    def close(self, statistics: Sequence[Mapping[str, Any]] = ()) -> None:
        """Save what is left, when no more results come; raises RecordError when something could not be saved.

        `statistics` are those that the answers were normalised with throughout.
        """
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self.notes.close()
        self.recording.note_statistics(statistics)
        if self._owned and self._ledger is not None:
            self.recording.follow(self._ledger)
            self.recording.__exit__(type(self._failure) if self._failure else None, self._failure, None)
        failure, self._failure = self._failure, None
        if failure is not None:  # told once; closing may be asked for again
            raise failure
