"""Frames that an action takes: a burst, a stack, a visit, an autofocus. They come out of the steered source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from onscope.runtime import ControlError, Frame
from onscope.runtime.feedback import Autofocus, Burst, Stack, Visit, offsets_um

from ._focus import best_focus, sharpness
from ._hands import Hands, calmly
from ._lights import Lights
from ._places import Places
from ._steered import SteeredSource


class Excursions:
    """Carries them out with the camera of a steered source, one at a time.

    The live sequence is at rest meanwhile; channel, exposure and place are those from before at the end, also where
    it failed. The shutter is Micro-Manager's automatic one: open while the camera exposes.
    """

    def __init__(self, hands: Hands, lights: Lights, places: Places, source: SteeredSource, dark_um: float) -> None:
        self._hands, self._lights, self._places, self._source = hands, lights, places, source
        self._dark_um = dark_um

    def burst(self, action: Burst) -> None:
        self._source.room_for(action.frames)
        with self._set(action.channel, action.exposure_ms):
            rolls = self._source.rolls
            for frame in rolls.take(self._hands, rolls.open("burst"), action.frames, action.interval_ms):
                self._source.give(frame)

    def stack(self, action: Stack) -> None:
        middle = self._focus_now()
        self._source.room_for(action.planes)
        z_um = [middle + offset for offset in offsets_um(action)]
        with self._set(action.channel, action.exposure_ms), calmly(lambda: self._places.focus(middle, calms=True)):
            for _ in self._planes("stack", z_um):
                pass

    def autofocus(self, action: Autofocus) -> None:
        """Raises ControlError, and goes back, where no plane is sharper than the others."""
        middle = self._focus_now()
        z_um = [middle + offset for offset in offsets_um(action)]
        self._source.room_for(len(z_um))
        with self._set(action.channel, action.exposure_ms):
            try:
                frames = [(sharpness(frame.pixels), frame.pixels.size) for frame in self._planes("autofocus", z_um)]
                best = best_focus(z_um, [sharp for sharp, _ in frames], frames[0][1])
                self._places.focus(max(best - action.step_um, z_um[0]))  # from below, as the planes were: no play
                self._places.focus(best)
            except BaseException:
                self._places.focus(middle, calms=True)
                raise

    def visit(self, action: Visit) -> None:
        self._source.room_for(len(action.places))
        here = self._places.here
        if here.x_um is None or here.y_um is None:
            raise ControlError("found no XY stage, expected one to visit places: choose it in the configuration")
        x_um, y_um, failed = here.x_um, here.y_um, True

        def back() -> None:
            if failed or not action.stay:
                self._go(x_um, y_um, calms=True)

        with self._set(action.channel, action.exposure_ms), calmly(back):
            rolls = self._source.rolls
            roll = rolls.open("tile", "p")
            for place in action.places:
                self._go(*place)
                self._give(rolls.take(self._hands, roll))
            failed = False

    def _go(self, x_um: float, y_um: float, *, calms: bool = False) -> None:
        if self._places.far(x_um, y_um) > self._dark_um:
            self._hands.shutter(self._lights.shutter, False)
        self._places.go(x_um, y_um, calms=calms)

    def _planes(self, action: str, z_um: Sequence[float]) -> Iterator[Frame]:
        rolls = self._source.rolls
        roll = rolls.open(action, "z")
        for one in z_um:
            self._places.focus(one)
            yield from self._give(rolls.take(self._hands, roll))

    def _give(self, frames: Iterator[Frame]) -> list[Frame]:
        given = list(frames)
        for frame in given:
            self._source.give(frame)
        return given

    def _focus_now(self) -> float:
        z_um = self._places.here.z_um
        if z_um is None:
            raise ControlError("found no focus drive, expected one: choose it in Micro-Manager's configuration")
        return z_um

    @contextmanager
    def _set(self, channel: str | None, exposure_ms: float | None) -> Iterator[None]:
        """The camera as a guest, with channel and exposure of the action; those from before at the end."""
        lights, camera = self._lights, self._source.live.cameras[0]
        before, before_ms = lights.channel, camera.exposure_ms
        steps: list[Callable[[], None]] = []
        if channel is not None and channel != before:
            if before is None:
                raise ControlError(
                    f"found no channel to come back to from {channel}, expected one: choose a preset of the group "
                    f"{lights.group or 'Channel'} before"
                )
            steps.append(lambda: lights.choose(lights.group, before))
        if exposure_ms is not None:
            steps.append(lambda: setattr(camera, "exposure_ms", before_ms))
        with self._source.guest(), calmly(*steps):
            if exposure_ms is not None:
                camera.exposure_ms = float(exposure_ms)
            if channel is not None and channel != before:
                lights.choose(lights.group, channel)
            yield
