"""When a replayed frame comes: as recorded, faster, at a chosen rate, at once, or when it is asked for."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from onscope.runtime import SourceError, now_ns

from ._reel import Shot


@dataclass(frozen=True, slots=True)
class Pace:
    """`fps`: frames per second; `speed`: so many times as fast as recorded; neither: as fast as frames are taken."""

    fps: float | None = None
    speed: float | None = None

    @property
    def free(self) -> bool:
        """Whether every frame is there when it is asked for."""
        return self.fps is None and self.speed is None

    def due_ns(self, number: int, shot: Shot) -> int:
        """Nanoseconds after the start."""
        if self.fps is not None:
            return round(number / self.fps * 1e9)
        return 0 if self.speed is None else round((shot.seconds or 0.0) / self.speed * 1e9)


def pace_of(fps: float | str | None, speed: float | str | None) -> Pace:
    """`fps` is a number, "recorded" or None; `speed` a factor of the recorded pace. Raises SourceError."""
    if speed is not None:
        if fps not in (None, "recorded"):
            raise SourceError(f"found fps={fps!r} and speed={speed!r}, expected one of them: leave the other out")
        return Pace(speed=_number("speed", speed, "a number above 0, times as fast as recorded"))
    if fps == "recorded":
        return Pace(speed=1.0)
    if fps is None:
        return Pace()
    return Pace(fps=_number("fps", fps, "a number above 0, 'recorded' or nothing for full speed"))


def _number(name: str, value: float | str, expected: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise SourceError(f"found {name}={value!r}, expected {expected}")
    return number


class Steps:
    """Frames by hand: each waits until it was asked for. `give` and `end` may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked = 0
        self._ended = False

    def give(self, n: int) -> None:
        """Let `n` more frames come."""
        with self._changed:
            self._asked += n
            self._changed.notify_all()

    def end(self) -> None:
        """Let no more come than were asked for."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> bool:
        """Wait for the next one to be asked for; False: none is asked for any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._ended)
            if not self._asked:
                return False
            self._asked -= 1
            return True


def wait_until(due_ns: int) -> None:
    """Come back at `due_ns`, at once when that is past."""
    while (ahead_ns := due_ns - now_ns()) > 0:
        time.sleep(ahead_ns / 1e9)
