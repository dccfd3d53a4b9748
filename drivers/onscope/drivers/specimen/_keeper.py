"""Saves what is true of frames while they come, in a thread of its own that nobody waits for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onscope.runtime import FrameId, OnscopeError

from ..truth import TruthWriter
from ._living import Living


class TruthKeeper:
    """Made by `keep_truth`: `note` every frame whose truth is to be saved; `saved` and `missing` count them.

    A scene remembers its last exposures alone: what is not saved before it is forgotten is missing, and counted.
    `failure` is what ended the saving before its time, if anything did.
    """

    def __init__(self, scene: Living, writer: TruthWriter, waiting: int) -> None:
        self._scene, self._writer = scene, writer
        self._queue: queue.Queue[tuple[int, FrameId | None] | None] = queue.Queue(waiting)
        self._passed_over = 0
        self.failure: OnscopeError | None = None
        self._thread = threading.Thread(target=self._run, name="onscope truth", daemon=True)
        self._thread.start()

    @property
    def saved(self) -> int:
        """Frames whose truth is on the disk."""
        return self._writer.saved

    @property
    def missing(self) -> int:
        """Frames whose truth was not known any more, or that came faster than truth can be saved."""
        return self._writer.missing + self._passed_over

    def note(self, exposure: int, frame: FrameId | None = None) -> None:
        """Save the truth of the exposure of this number, soon; returns at once."""
        try:
            self._queue.put_nowait((exposure, frame))
        except queue.Full:
            self._passed_over += 1

    def close(self) -> None:
        """Save what is waiting, then close the files."""
        self._queue.put(None)
        self._thread.join()
        self._writer.pass_over(self._passed_over)
        self._passed_over = 0
        try:
            self._writer.close("complete" if self.failure is None else "interrupted")
        except OnscopeError as error:
            self.failure = self.failure or error

    def _run(self) -> None:
        while (noted := self._queue.get()) is not None:
            if self.failure is None:
                try:
                    self._save(*noted)
                    continue
                except OnscopeError as error:
                    self.failure = error
            self._passed_over += 1

    def _save(self, exposure: int, frame: FrameId | None) -> None:
        try:
            seen = self._scene.seen(exposure)
        except KeyError:
            self._writer.miss(exposure, frame)
            return
        self._writer.add(exposure, seen.counts, seen.truth, seen.view, frame)


@contextmanager
def keep_truth(
    scene: Living, folder: Path, about: Mapping[str, Any] | None = None, *, waiting: int = 64
) -> Iterator[TruthKeeper]:
    """Save the truth of the exposures that are noted in the block, in the new `folder`; see `onscope.drivers.truth`.

    `scene` must remember some exposures (`Living(remember=...)`); at most `waiting` of them wait to be saved. Raises
    RecordError when the folder cannot be made; what fails later is the keeper's `failure`.
    """
    keeper = TruthKeeper(scene, TruthWriter(folder, about), waiting)
    try:
        yield keeper
    finally:
        keeper.close()
