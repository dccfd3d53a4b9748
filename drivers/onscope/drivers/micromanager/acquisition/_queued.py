"""What both controllers of acquisitions do: actions become frames in the queue, changes of the routine, or calls."""

from __future__ import annotations

from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TooLate
from dataclasses import fields, replace

from onscope.runtime import ControlError, now_ns
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Command,
    Done,
    Limits,
    MoveFocus,
    MoveStage,
    Pause,
    Project,
    Pulse,
    Resume,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Setting,
    Stack,
    Stop,
    Visit,
)

from ._account import Frames
from ._between import Between
from ._checks import check, check_places, told
from ._plan import Call
from ._shots import Exposing, series_of

DEVICE = "acquisition"
"""In commands, the device that frames are queued at."""


class QueueController(Between):
    """A Controller of a running acquisition; what drives it is in the classes made of it."""

    # -- the face of a Controller --------------------------------------------------------------------------------

    def limits(self) -> Limits:
        """Those of the devices."""
        return self._hands.limits()

    def setting(self) -> Setting:
        """How the microscope stands when what waits is done, as it was commanded."""
        here = self._plan.here
        return replace(
            self._hands.setting(),
            x_um=here.x_um,
            y_um=here.y_um,
            z_um=here.z_um,
            exposure_ms=here.exposure_ms,
            interval_s=self._plan.interval_s,
            channel=None if here.channel is None else here.channel[1],
            paused=self._plan.paused,
        )

    def apply(self, action: Action) -> Done:
        """Frames: back when they stand in the queue. Changes of the routine: they hold from the next frame on.

        Moves of stage and focus wait for their turn in the queue, too, and are not waited for. Everything else is
        done between two frames, and waited for. Raises ControlError when it does not fit the queue, makes no sense, is
        refused by the hardware, or when the acquisition has ended.
        """
        began_ns = now_ns()
        check(action, self._hands.limits())
        if isinstance(action, Burst | Stack | Visit | Autofocus):
            commands = self._expose(action)
        elif isinstance(action, MoveStage | MoveFocus):
            commands = self._move(action)
        elif isinstance(action, SetPower | Project | Pulse) or (
            isinstance(action, SetPreset) and action.group != self._plan.group
        ):
            return self._call(action)
        elif isinstance(action, SetExposure | SetInterval | SetPreset | Pause | Resume | Stop):
            commands = self._change(action)
        else:
            return self._hands.apply(action)
        return Done(began_ns, now_ns(), commands)

    def safe(self) -> tuple[Command, ...]:
        """End the acquisition at once, then shutters, lights and SLM: from any thread, at any time; never raises."""
        began_ns = now_ns()
        self._throw(self._plan.end(), "the safe state was asked for")
        self._made_safe = True
        self._cut(at_once=True)
        return (Command(began_ns, "end", DEVICE), *self._hands.safe())

    def frames_of(self, action: Action) -> Frames:
        """How many frames of an action have come, and how many were asked for: (done, asked); from any thread."""
        return self._account.of(action)

    # -- what actions become -------------------------------------------------------------------------------------

    def _expose(self, action: Exposing) -> tuple[Command, ...]:
        number, here, place = self._plan.number()
        if action.channel is not None:
            self._check_channel(action.channel)
            channel = (self._plan.group, action.channel)
            here = replace(here, channel=channel, c=self._plan.channel_number(action.channel))
        try:
            series = series_of(action, number, here, place)
        except ValueError as error:
            raise ControlError(f"{error}: correct the rule") from None
        check_places(series, self._hands.limits())
        if not self._running:
            raise ControlError("found no acquisition running, expected one to take frames with: start it first")
        self._account.opened(series)
        try:
            self._plan.queue(series)
        except ControlError:
            self._account.forget(number)
            raise
        if isinstance(action, Visit) and action.stay:
            self._plan.move_xy(*action.places[-1])
        return (Command(now_ns(), "queue", DEVICE, told(series)),)

    def _move(self, action: MoveStage | MoveFocus) -> tuple[Command, ...]:
        if not self._running:
            done = self._hands.apply(action).commands
        else:
            self._plan.queue(Call(action))
            done = (Command(now_ns(), "queue", DEVICE, action.described()),)
        if isinstance(action, MoveStage):
            self._plan.move_xy(action.x_um, action.y_um)
        else:
            self._plan.move_z(action.z_um)
        return done

    def _change(self, action: SetExposure | SetInterval | SetPreset | Pause | Resume | Stop) -> tuple[Command, ...]:
        plan = self._plan
        if isinstance(action, SetExposure):
            plan.expose_for(action.exposure_ms)
        elif isinstance(action, SetInterval):
            plan.every(action.interval_s)
        elif isinstance(action, SetPreset):
            self._check_channel(action.preset)
            plan.take_channel((action.group, action.preset))
        elif isinstance(action, Pause):
            plan.pause(action.duration_s)
        elif isinstance(action, Resume):
            plan.resume()
        else:
            self._throw(plan.end(), f"the acquisition was stopped ({action.words or 'no words'})")
            self._cut(at_once=False)
        values = {one.name: getattr(action, one.name) for one in fields(action)}
        return (Command(now_ns(), action.kind, DEVICE, values),)

    def _call(self, action: Action) -> Done:
        if not self._running:
            done = self._hands.apply(action)
            self._keep_power(action)
            return done
        call = Call(action)
        self._plan.queue(call)
        try:
            return call.done.result(self._patience_s)
        except TooLate:
            if call.done.cancel():
                raise ControlError(
                    f"found frames under way for {self._patience_s:g} s, expected a moment between two of them: ask "
                    "for shorter bursts, or give the controller more patience_s"
                ) from None
            return call.done.result()  # it has begun by now
        except CancelledError:
            raise ControlError("found the acquisition ended, expected a running one: start it again") from None

    def _check_channel(self, name: str) -> None:
        known = self._hands.limits().presets.get(self._plan.group)
        if known is not None and name not in known:
            raise ControlError(
                f"found the channel {name!r}, expected one of {', '.join(sorted(known))}: correct the rule"
            )
