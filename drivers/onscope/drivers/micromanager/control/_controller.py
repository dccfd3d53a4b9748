"""A controller: a rig, and the deeds that are done with it."""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from onscope.runtime import ControlError, SourceError, now_ns
from onscope.runtime.feedback import Action, Command, Done, Limits, Setting

from .._core import Core, one_line
from ._calibration import Calibration
from ._core import Time
from ._deeds import DEEDS
from ._heartbeat import Heartbeat
from ._limits import device_limits
from ._rig import Rig
from ._roll import Rolls
from ._safe import make_safe
from ._steered import SteeredSource

if TYPE_CHECKING:
    from .._scope import Scope

HOLD_MB = 512


class CoreController:
    """Carries actions out by calls to a core; a Controller of `onscope.runtime.feedback`.

    `core` is a Scope, or a core with the interface of `pycromanager.Core()`, in process or over the bridge. Actions
    that take frames, and those on when frames are taken, want the camera: they need a Scope, whose frames are taken
    from `live()` of this controller. `timeout_s`: how long a device may be busy. `clock`: the time that light and
    intervals are measured in (None: real, or that of a specimen's bench).
    """

    def __init__(
        self,
        core: Core | Scope,
        calibration: Calibration | None = None,
        *,
        timeout_s: float = 10.0,
        clock: Time | None = None,
    ) -> None:
        self._rig = Rig(core, calibration, timeout_s, clock)
        self._limits = device_limits(self._rig.core, self._rig.calibration)

    @property
    def calibration(self) -> Calibration:
        """What it knows of light, lines and SLMs."""
        return self._rig.calibration

    def heartbeat(self) -> Heartbeat | None:
        """The sign of life that the calibration names, to be used as a context; None without one.

        Raises ControlError when its device does not answer.
        """
        line = self.calibration.heartbeat
        if line is None:
            return None
        try:
            self._rig.core.set_property(line.device, line.property, line.values[0])
        except Exception as error:  # whatever a core or a device in Python raises
            raise ControlError(
                f"the heartbeat's line {line.device}-{line.property} does not answer ({one_line(error)}): correct the "
                "calibration"
            ) from error
        return Heartbeat(
            self._rig.core, line.device, line.property, line.period_s, patience_s=line.patience_s, values=line.values
        )

    def live(
        self,
        exposure_ms: float | None = None,
        interval_s: float = 0.0,
        *,
        buffer_mb: int | None = None,
        hold_mb: int = HOLD_MB,
    ) -> SteeredSource:
        """The frames of the core's camera as a Source that this controller steers; one at a time.

        `exposure_ms` as it is set, unless told; `interval_s` as of `SetInterval`. `hold_mb`: memory for the frames of
        an action that are not taken yet. Raises ControlError without a Scope.
        """
        rig = self._rig
        if rig.scope is None:
            raise ControlError("found a bare core, expected a Scope to take frames from: give CoreController a Scope")
        if rig.lights.shutter:
            rig.hands.send("auto shutter", rig.lights.shutter, True, lambda: rig.core.set_auto_shutter(True))
        live = rig.scope.live(exposure_ms or rig.exposure_ms or 10.0, rig.camera, buffer_mb)
        rolls = Rolls(live, rig.places.at, lambda: rig.lights.channel)
        rig.source = SteeredSource(rig.hands, live, rolls, hold_mb * 2**20, interval_s)
        return rig.source

    def limits(self) -> Limits:
        """What the devices and the calibration tell; what neither does is None, and refused by the gate."""
        return self._limits

    def setting(self) -> Setting:
        """How the microscope stands, as it was commanded here."""
        rig, here, source = self._rig, self._rig.places.here, self._rig.source
        return Setting(
            x_um=here.x_um,
            y_um=here.y_um,
            z_um=here.z_um,
            exposure_ms=rig.exposure_ms,
            interval_s=0.0 if source is None else source.interval_s,
            channel=rig.lights.channel,
            channels=rig.lights.channels(),
            lights=rig.lights.all(),
            lines=MappingProxyType({name: one.light for name, one in rig.calibration.lines.items() if one.light}),
            pixel_um=rig.pixel_um,
            shape=rig.shape if source is None or source.shape is None else source.shape,
            paused=source is not None and source.paused,
        )

    def stands(self, *, x_um: float | None, y_um: float | None, z_um: float | None, channel: str | None) -> None:
        """Someone else, the engine of an acquisition say, has put it so; no hardware is told. None: as it was."""
        self._rig.places.stand(x_um, y_um, z_um)
        if channel is not None:
            self._rig.lights.stand(channel)

    def apply(self, action: Action) -> Done:
        """Carry an action out; back when it is done.

        Raises ControlError when the hardware refuses, or when the safe state was asked for meanwhile: lights that the
        action switched on are off again, and a stage that was sent on a tour is back, as far as it can be.
        """
        rig, began_ns = self._rig, now_ns()
        rig.hands.begin()
        deed = DEEDS.get(type(action))
        if deed is None:
            raise ControlError(f"found the action {action.kind!r}, expected one of {', '.join(k.kind for k in DEEDS)}")
        try:
            deed(rig, action)
        except SourceError as error:
            rig.after_error()
            raise ControlError(str(error)) from error
        except BaseException:
            rig.after_error()
            raise
        return Done(began_ns, now_ns(), tuple(rig.hands.notes))

    def safe(self) -> tuple[Command, ...]:
        """Dark and at rest: no action that has begun lights anything any more, and frames end. Never raises.

        From any thread, at any time, as often as one likes: shutter, lights, lines, sequences, SLMs, then what the
        calibration names. An action under way ends with a ControlError.
        """
        with suppress(BaseException):
            if self._rig.source is not None:
                self._rig.source.end()
            self._rig.brake.pull()
        return make_safe(self._rig.core, self._rig.calibration, self._rig.lights.shutter)
