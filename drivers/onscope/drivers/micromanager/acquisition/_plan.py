"""What is exposed next: the routine in its interval, and before it what actions asked for, in their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Final

from onscope.runtime import ControlError
from onscope.runtime.feedback import Action, Done

from ._routine import Routine
from ._shots import Channel, Series, Shot, far, filled

NS = 1_000_000_000
ENDED: Final = "ended"


@dataclass(eq=False)
class Call:
    """What the hardware is told between two frames; `done` is given what came of it."""

    action: Action
    done: Future[Done] = field(default_factory=Future)


Todo = Series | Call | str | None
"""What to do now: expose, call, end (`ENDED`), or nothing yet."""


class Plan:
    """Routine and queue of one acquisition. `next` is for the thread that acquires, the rest for any thread.

    `standing` is where the microscope stands at the beginning: what the routine leaves open is as there. At most
    `capacity` frames of actions wait. When the routine's rounds are over, actions are waited for `linger_s` more.
    """

    def __init__(
        self, routine: Routine, standing: Shot, *, capacity: int, linger_s: float, now: Callable[[], int]
    ) -> None:
        self.changed = threading.Condition()
        self.group = routine.group
        self.capacity = capacity
        self.ended = False
        self.interval_s = routine.interval_s
        self._shots = [filled(one, standing) for one in routine.shots]
        self._rounds, self._linger_ns, self._now = routine.rounds, int(linger_s * NS), now
        self._names = {name: number for number, name in enumerate(routine.channels)}
        self._numbered = any(one.c is not None for one in routine.shots)
        self._here = replace(self._shots[0], z_um=self._focus_of(self._shots[0]), origin=None)
        self._next_place = routine.positions
        self._items: deque[Series | Call] = deque()
        self._waiting_frames = 0
        self._round, self._step = 0, 0
        self._began_ns: int | None = None
        self._due_ns = 0
        self._paused_until_ns: float = 0
        self._last_ns = 0
        self._number = 0

    # -- for the thread that acquires ---------------------------------------------------------------------------

    def next(self, patience_s: float) -> Todo:
        """What to do now; None when there is nothing for `patience_s`."""
        with self.changed:
            until_ns = self._now() + int(patience_s * NS)
            while True:
                if self.ended:
                    return ENDED
                if self._items:
                    item = self._items.popleft()
                    self._waiting_frames -= _frames(item)
                    return item
                now_ns = self._now()
                due_ns = self._routine_due()
                if due_ns <= now_ns:
                    if self._rounds is not None and self._round >= self._rounds:
                        self.ended = True
                        return ENDED
                    return self._take(now_ns)
                if now_ns >= until_ns:
                    return None
                self.changed.wait(min(until_ns - now_ns, due_ns - now_ns) / NS)

    def wait_until(self, moment_ns: int) -> bool:
        """Wait until then, between the frames of a series; False when the acquisition is to end instead."""
        with self.changed:
            while not self.ended and (left_ns := moment_ns - self._now()) > 0:
                self.changed.wait(left_ns / NS)
            return not self.ended

    def focused(self, from_um: float, to_um: float) -> None:
        """An autofocus has found where it is sharp: the routine goes on there, and so do the series that wait."""
        with self.changed:
            self._items = deque(one.lifted(to_um - from_um) if isinstance(one, Series) else one for one in self._items)
            self._focus(to_um)

    def _routine_due(self) -> float:
        if self._paused_until_ns > self._now():
            return self._paused_until_ns
        if self._rounds is not None and self._round >= self._rounds:
            return self._last_ns + self._linger_ns
        return 0 if self._step else self._due_ns

    def _take(self, now_ns: int) -> Series:
        if self._step == 0:
            interval_ns = int(self.interval_s * NS)
            # Rounds that were late follow the clock again at once, instead of being made up for.
            self._began_ns = self._due_ns if now_ns - self._due_ns < interval_ns else now_ns
            self._due_ns = self._began_ns + interval_ns
        shot = replace(self._shots[self._step], t=self._round)
        self._here = replace(shot, z_um=self._focus_of(shot), origin=None)
        self._last_ns = now_ns
        self._step += 1
        if self._step == len(self._shots):
            self._step, self._round = 0, self._round + 1
        return Series(0, "routine", (shot,))

    # -- for those who change it ---------------------------------------------------------------------------------

    @property
    def here(self) -> Shot:
        """How the microscope stands, or will stand when what waits is done."""
        return self._here

    @property
    def paused(self) -> bool:
        return self._paused_until_ns > self._now()

    def number(self) -> tuple[int, Shot, int]:
        """The number of the next series, how the microscope stands, and the number of the next place."""
        with self.changed:
            self._number += 1
            return self._number, self._here, self._next_place

    def queue(self, item: Series | Call) -> None:
        """It waits its turn. Raises ControlError when it does not fit, or when the acquisition has ended."""
        with self.changed:
            if self.ended:
                raise ControlError("found the acquisition ended, expected a running one: start it again")
            frames = _frames(item)
            if self._waiting_frames + frames > self.capacity or len(self._items) >= self.capacity:
                raise ControlError(
                    f"found {self._waiting_frames} frames waiting in the acquisition's queue and {frames} more asked "
                    f"for, expected at most {self.capacity}: ask for fewer, or give the controller a larger capacity"
                )
            if isinstance(item, Series):
                self._next_place += 1 + max(one.p or 0 for one in item.shots) - min(one.p or 0 for one in item.shots)
                self._waiting_frames += frames
            self._items.append(item)
            self.changed.notify_all()

    def expose_for(self, exposure_ms: float) -> None:
        """From the next frame on, in all channels."""
        self._change(exposure_ms=exposure_ms)

    def take_channel(self, channel: Channel) -> None:
        """From the next frame on; a routine of several channels takes this one alone."""
        with self.changed:
            c = self.channel_number(channel[1])
            kept: dict[Any, Shot] = {}
            for one in self._shots:
                kept.setdefault((one.p, one.z), replace(one, channel=channel, c=c))
            done = self._step * len(kept) // len(self._shots)
            self._shots = list(kept.values())
            self._step = done
            self._here = replace(self._here, channel=channel, c=c)
            self.changed.notify_all()

    def channel_number(self, name: str) -> int | None:
        """Where a channel stands among the others; None when frames have no channel axis."""
        return self._names.setdefault(name, len(self._names)) if self._numbered else None

    def every(self, interval_s: float) -> None:
        """From one round to the next, from the round that has begun on."""
        with self.changed:
            self.interval_s = interval_s
            if self._began_ns is not None:
                self._due_ns = self._began_ns + int(interval_s * NS)
            self.changed.notify_all()

    def move_xy(self, x_um: float, y_um: float) -> None:
        """The routine's place that is nearest goes there; it stays where it is asked for."""
        with self.changed:
            near = min(self._shots, key=lambda one: far(one, x_um, y_um))
            self._shots = [replace(one, x_um=x_um, y_um=y_um) if one.p == near.p else one for one in self._shots]
            self._here = replace(self._here, x_um=x_um, y_um=y_um)
            self.changed.notify_all()

    def move_z(self, z_um: float) -> None:
        """The routine's focus goes there, where the stage is; stacks are around it."""
        with self.changed:
            self._focus(z_um)
            self.changed.notify_all()

    def pause(self, duration_s: float | None) -> None:
        with self.changed:
            self._paused_until_ns = float("inf") if duration_s is None else self._now() + int(duration_s * NS)
            self.changed.notify_all()

    def resume(self) -> None:
        with self.changed:
            self._paused_until_ns = 0
            self.changed.notify_all()

    def end(self) -> list[Series | Call]:
        """Nothing more is begun; what waited and never will be done. Further calls return nothing."""
        with self.changed:
            self.ended = True
            thrown, self._items, self._waiting_frames = list(self._items), deque(), 0
            self.changed.notify_all()
        return thrown

    def _change(self, **fields: Any) -> None:
        with self.changed:
            self._shots = [replace(one, **fields) for one in self._shots]
            self._here = replace(self._here, **fields)
            self.changed.notify_all()

    def _focus(self, z_um: float) -> None:
        here = self._here
        if (focus_um := self._focus_of(here)) is not None:
            self._shots = [
                replace(one, z_um=one.z_um + z_um - focus_um) if one.p == here.p and one.z_um is not None else one
                for one in self._shots
            ]
        self._here = replace(here, z_um=z_um)

    def _focus_of(self, shot: Shot) -> float | None:
        """The middle of the routine's planes at a place."""
        planes = [one.z_um for one in self._shots if one.p == shot.p and one.z_um is not None]
        return (min(planes) + max(planes)) / 2 if planes else shot.z_um


def _frames(item: Series | Call) -> int:
    return len(item.shots) if isinstance(item, Series) else 0
