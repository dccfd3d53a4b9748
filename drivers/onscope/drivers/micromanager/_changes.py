"""Changes of the hardware while frames are taken: the running cameras are stopped in order before each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from threading import RLock
from typing import Protocol, TypeVar

from onscope.runtime import SourceError

Answer = TypeVar("Answer")


class Runs(Protocol):
    """A sequence that is running, as seen by those who want to change something."""

    @property
    def labels(self) -> Collection[str]:
        """Its cameras."""
        ...

    def pixel_size_um(self) -> float | None:
        """The pixel's size in the sample as the core knows it now; None: not told."""
        ...

    def pause(self) -> None:
        """Bring the cameras to rest and save what they have given; called with the lock held."""
        ...

    def retire(self) -> None:
        """The same for good: what they have given is still handed out, then the sequence ends; with the lock held."""
        ...

    def stop(self) -> None:
        """Bring the cameras to rest."""
        ...

    def end(self) -> None:
        """The scope is being closed; called without the lock."""
        ...


class Changes:
    """The one lock between the thread that takes frames and those that change the hardware, and who runs now.

    A core drops the images in its buffer when the ROI changes, and some cameras stop without a word. So a change is
    made by its own thread, whichever that is (also the one that takes frames, between two of them), in this order:
    the cameras stop, the buffer is emptied into memory, the change is made. The next frame that is asked for beyond
    those starts the cameras again.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.running: Runs | None = None
        self.taken = False
        """Someone has taken the cameras over: no sequence of a source starts."""

    def make(self, change: Callable[[], Answer], device: str | None = None) -> Answer:
        """Call `change` with the cameras at rest; with a `device` that is none of them, while they run on.

        A device that changes the size of a pixel (an objective) brings them to rest after it, for the frames from
        then on are of another size.
        """
        with self.lock:
            running = self.running
            if running is None:
                return change()
            if device is None or device == "Core" or device in running.labels:
                running.pause()
                return change()
            before_um = running.pixel_size_um()
            try:
                return change()
            finally:  # also a change that failed may have been made
                if running.pixel_size_um() != before_um:
                    running.pause()

    def take_over(self) -> None:
        """The cameras are at rest, and stay so until `give_back`: what ran gives what it has, and ends in order."""
        with self.lock:
            if self.running is not None:
                self.running.retire()
                self.running = None
            self.taken = True

    def give_back(self) -> None:
        """Sequences may be started again."""
        self.taken = False

    def close(self) -> None:
        """Stop what runs; a camera that refuses, or is gone, is left."""
        running = self.running
        if running is not None:
            with suppress(SourceError):
                running.stop()
            running.end()
