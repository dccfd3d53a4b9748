"""What is done on the thread that acquires, between the frames: calls to the hardware, and what ends an action."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from onscope.runtime import Event, now_ns
from onscope.runtime.feedback import Action, Autofocus, MoveFocus, MoveStage, SetPower

from ..control import CoreController
from ._account import Account
from ._plan import Call, Plan
from ._routine import Routine
from ._sharpness import sharpest
from ._shots import Series, Shot
from ._telling import Tell, to_log

CAPACITY = 2000
PATIENCE_S = 10.0
POLL_S = 0.05
"""How often a waiting acquisition looks whether it was cancelled from outside."""


class Between:
    """One acquisition: its plan, its account, and the hands that do what is no exposure.

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
        self._current: Series | None = None
        self._powers_mw: dict[str, float] = {}

    def _carry_out(self, call: Call) -> None:
        """Tell the hardware something, between two frames."""
        if self._made_safe or not call.done.set_running_or_notify_cancel():
            call.done.cancel()
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
                self._say(f"{action.kind} failed: {error}")

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
        self._current = None
        self._miss(series)
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
        if self._current is not None:
            self._miss(self._current)
        self._throw(self._plan.end(), error or "the acquisition has ended")
        if error:
            self._say(error)
        if error or self._made_safe:  # a frame that was under way has lit its lights again
            self._hands.safe()

    def _throw(self, thrown: Sequence[Series | Call], why: str) -> None:
        for one in thrown:
            if isinstance(one, Call):
                one.done.cancel()
                words = one.action.kind
            else:
                words = f"{one.kind} {one.number} ({len(one.shots)} frames)"
            self._say(f"{words} was thrown away: {why}")

    def _miss(self, series: Series) -> None:
        done, asked = self._account.number(series.number)
        if series.number and done < asked:
            self._say(f"{series.kind} {series.number}: {done} of {asked} frames came")

    def _say(self, words: str) -> None:
        with suppress(Exception):  # whoever is told may not keep the microscope from its safe state
            self._tell(Event("warning", words))

    def _cut(self, at_once: bool) -> None:
        """Break off a sequence of frames, or `at_once` whatever is under way; from any thread; never raises."""
