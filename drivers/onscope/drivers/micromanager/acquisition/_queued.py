"""What both controllers of acquisitions do: actions become frames in the queue, changes of the routine, or calls."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TooLate
from dataclasses import fields, replace

from onscope.runtime import ControlError, Event, now_ns
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

from ..control import CoreController
from ._account import Account, Frames
from ._checks import check, check_places, told
from ._plan import Call, Plan
from ._routine import Routine
from ._sharpness import sharpest
from ._shots import Exposing, Series, Shot, series_of
from ._telling import Tell, to_log

CAPACITY = 2000
PATIENCE_S = 10.0
POLL_S = 0.05
"""How often a waiting acquisition looks whether it was cancelled from outside."""
DEVICE = "acquisition"
"""In commands, the device that frames are queued at."""


class QueueController:
    """A Controller of a running acquisition; what drives it is in the classes made of it.

    `hands` carries out what is no exposure, between two frames, and knows the lights. At most `capacity` frames of
    actions wait; `patience_s`: how long a call waits for the frames before it; `linger_s`: how long actions are waited
    for after the routine's last round; `tell` is told in a sentence what was thrown away, failed or is missing.
    """

    def __init__(
        self,
        hands: CoreController,
        routine: Routine,
        *,
        capacity: int = CAPACITY,
        patience_s: float = PATIENCE_S,
        linger_s: float = 0.0,
        tell: Tell = to_log,
    ) -> None:
        self._hands, self._tell, self._patience_s = hands, tell, patience_s
        setting = hands.setting()
        channel = None if setting.channel is None else (routine.group, setting.channel)
        standing = Shot(setting.x_um, setting.y_um, setting.z_um, channel, setting.exposure_ms)
        self._plan = Plan(routine, standing, capacity=capacity, linger_s=linger_s, now=now_ns)
        self._account = Account()
        self._running = self._made_safe = False
        self._scores: list[tuple[float, float]] = []
        self._stood = standing
        self._powers_mw: dict[str, float] = {}

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

    # -- for the thread that acquires ----------------------------------------------------------------------------

    def _carry_out(self, call: Call) -> None:
        """Tell the hardware something, between two frames."""
        if not call.done.set_running_or_notify_cancel():
            return
        action, stood = call.action, self._stood
        try:
            channel = None if stood.channel is None else stood.channel[1]
            self._hands.stands(x_um=stood.x_um, y_um=stood.y_um, z_um=stood.z_um, channel=channel)
            done = self._hands.apply(action)
            if isinstance(action, MoveStage):
                self._stood = replace(stood, x_um=action.x_um, y_um=action.y_um)
            elif isinstance(action, MoveFocus):
                self._stood = replace(stood, z_um=action.z_um)
            self._keep_power(action)
            call.done.set_result(done)
        except Exception as error:
            # Broad on purpose: whoever waits for it must be told, and the acquisition goes on.
            call.done.set_exception(error)
            if isinstance(action, MoveStage | MoveFocus):
                self._tell(Event("warning", f"{action.kind} failed: {error}"))

    def _keep_power(self, action: Action) -> None:
        # A channel's preset sets its lights to what they were defined with, each time that it is chosen.
        if isinstance(action, SetPower):
            self._powers_mw[action.light] = action.power_mw

    def _lit(self, series: Series) -> Series:
        """The series as it is exposed now, with the powers that were set for the lights of its channels."""
        calibration = self._hands.calibration
        shots = []
        for one in series.shots:
            shining = calibration.channels.get(one.channel[1], {}) if one.channel is not None else {}
            lights = [(calibration.lights[name], self._powers_mw[name]) for name in shining if name in self._powers_mw]
            told = tuple((light.device, light.property, power / light.mw_per_unit) for light, power in lights)
            shots.append(replace(one, properties=told))
        return replace(series, shots=tuple(shots))

    def _after(self, series: Series) -> None:
        """All frames of an action have come, or none will any more."""
        done, asked = self._account.number(series.number)
        if series.number and done < asked:
            self._tell(Event("warning", f"{series.kind} {series.number}: {done} of {asked} frames came"))
        if isinstance(series.action, Autofocus):
            self._focus(series)
        if series.back_um is not None:
            self._carry_out(Call(MoveStage(*series.back_um)))
        if series.back_z_um is not None:
            self._carry_out(Call(MoveFocus(series.back_z_um)))

    def _focus(self, series: Series) -> None:
        planes = [one.z_um for one in series.shots if one.z_um is not None]
        scores, self._scores = self._scores, []
        if not scores or not planes:
            return
        best_um = sharpest(scores)
        self._plan.focused((planes[0] + planes[-1]) / 2, best_um)
        self._carry_out(Call(MoveFocus(best_um)))

    def _ended(self, error: str = "") -> None:
        """The acquisition is over: what waited is thrown away; after an error the microscope is made safe."""
        self._running = False
        self._throw(self._plan.end(), error or "the acquisition has ended")
        if error:
            self._tell(Event("warning", error))
        if error or self._made_safe:  # a frame that was under way has lit its lights again
            self._hands.safe()

    def _throw(self, thrown: Sequence[Series | Call], why: str) -> None:
        for one in thrown:
            if isinstance(one, Call):
                one.done.cancel()
                words = one.action.kind
            else:
                words = f"{one.kind} {one.number} ({len(one.shots)} frames)"
            self._tell(Event("warning", f"{words} was thrown away: {why}"))

    def _cut(self, at_once: bool) -> None:
        """Break off a sequence of frames, or `at_once` whatever is under way; from any thread; never raises."""
