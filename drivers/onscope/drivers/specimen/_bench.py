"""The optical bench: where every device stands, what was commanded when, and so what an exposure sees."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from onscope.specimen import View

from ._carriage import Carriage
from ._clock import Clock, RealClock
from ._hardware import Filter, Hardware, Objective
from ._journal import JOURNAL, Command
from ._light import Lights
from ._projector import Projector
from ._scene import Readout, Scene, Shot

SMALL_S = 0.1
"""Light between two exposures, in seconds, that is kept together before the sample is told of it."""


class Bench:
    """What all devices of one microscope share; every method may be called from any thread.

    Devices tell it what they were commanded; the camera asks it for shots. What takes time is answered with the time of
    the clock, in seconds, at which it is done. The sample's time runs with the clock, `lapse` times as fast, from 0 on.
    """

    def __init__(self, scene: Scene, hardware: Hardware, clock: Clock | None = None, lapse: float = 1.0) -> None:
        self.scene, self.hardware, self.lapse = scene, hardware, lapse
        self.clock = clock or RealClock()
        self.lights = Lights(hardware)
        self._carriage = Carriage(hardware, scene.extent_um)
        self._projector = Projector(hardware.slm)
        self._wheel, self._wheel_ready_s = hardware.filters[hardware.start_filter], 0.0
        self._objective, self._turret_ready_s = hardware.objectives[hardware.start_turret], 0.0
        self._began_s = self.clock.now_s()
        self._leapt_s = 0.0
        self._journal: deque[Command] = deque(maxlen=JOURNAL)
        self._lock = threading.RLock()
        self._number = 0
        self._lit_to_s = self._began_s
        self._owed_s = 0.0
        self._owed: deque[Shot] = deque()

    @property
    def journal(self) -> tuple[Command, ...]:
        """The last commands, the oldest first."""
        with self._lock:
            return tuple(self._journal)

    def note(self, device: str, verb: str, value: object = None) -> float:
        """Remember a command that changes nothing on the bench; the time now in seconds."""
        with self._lock:
            now = self.clock.now_s()
            self._journal.append(Command(now, device, verb, value))
            return now

    def sample_s(self, at_s: float) -> float:
        """Age of the sample in seconds at a time of the clock."""
        return (at_s - self._began_s) * self.lapse + self._leapt_s

    def leap(self, seconds: float) -> None:
        """The sample lives on by so many seconds that no clock shows: between two rounds of a time lapse."""
        with self._lock:
            self._change("Sample", "leap", seconds)
            self._leapt_s += max(0.0, seconds)

    def move_xy(self, device: str, x_um: float, y_um: float) -> None:
        """Send the XY stage there. Raises DeviceError outside the limits; nothing moves then."""
        with self._lock:
            self._carriage.check_xy(device, x_um, y_um)
            self._carriage.move_xy(x_um, y_um, self._change(device, "move", (x_um, y_um)))

    def move_z(self, device: str, z_um: float) -> None:
        """Send the focus there, as `move_xy`."""
        with self._lock:
            self._carriage.check_z(device, z_um)
            self._carriage.move_z(z_um, self._change(device, "move", z_um))

    def arm_z(self, device: str, steps_um: Sequence[float]) -> None:
        """The focus goes to the first step, and one step on at the end of each exposure of a sequence; none: no
        more."""
        with self._lock:
            for z_um in steps_um:
                self._carriage.check_z(device, z_um)
            self._carriage.arm_z(steps_um, self._change(device, "arm" if steps_um else "disarm", tuple(steps_um)))

    def halt(self, device: str, *, z: bool) -> None:
        """Stop the focus, or the XY stage, where it is."""
        with self._lock:
            now = self._change(device, "halt")
            self._carriage.halt_z(now) if z else self._carriage.halt_xy(now)

    def xyz_um(self) -> tuple[float, float, float]:
        """Where the stages are now, in um."""
        with self._lock:
            return self._carriage.at(self.clock.now_s())

    def ready_s(self, *, z: bool) -> float:
        """When the focus, or the XY stage, has arrived."""
        with self._lock:
            return self._carriage.z_ready_s if z else self._carriage.xy_ready_s

    def turn_wheel(self, device: str, position: int) -> float:
        """Turn the filter wheel; when it is there. No light passes to the camera meanwhile."""
        with self._lock:
            chosen = self.hardware.filters[position]
            if chosen != self._wheel:
                self._wheel_ready_s = self._change(device, "turn", chosen.label) + self.hardware.wheel_s
                self._wheel = chosen
            return self._wheel_ready_s

    def turn_turret(self, device: str, position: int) -> float:
        """Turn the objective turret; when it is there. No light passes meanwhile, neither way."""
        with self._lock:
            chosen = self.hardware.objectives[position]
            if chosen != self._objective:
                self._turret_ready_s = self._change(device, "turn", chosen.label) + self.hardware.turret_s
                self._objective = chosen
            return self._turret_ready_s

    @property
    def objective(self) -> Objective:
        """The one that was turned in last."""
        return self._objective

    @property
    def emission(self) -> Filter:
        """The filter that was turned in last."""
        return self._wheel

    def open_shutter(self, device: str, opened: bool) -> float:
        """Open or close the shutter; when it has done so."""
        with self._lock:
            now = self._change(device, "open" if opened else "close")
            return self.lights.open_shutter(opened, now, now + self.hardware.shutter_s)

    def switch(self, source: str, on: bool) -> None:
        """Switch a source on or off; it does so at once (LEDs need microseconds)."""
        with self._lock:
            self.lights.switch(source, on, self._change(source, "on" if on else "off"))

    def set_power(self, source: str, power_mw: float) -> None:
        """Set a source's power at the sample in mW. Raises DeviceError beyond what it can."""
        with self._lock:
            self.lights.check_power(source, power_mw)
            self._change(source, "power_mw", power_mw)
            self.lights.set_power(source, power_mw)

    def project(self, device: str, image: object, for_s: float | None) -> None:
        """Show an image (uint8 of the SLM's shape) from now on, or for so many seconds."""
        with self._lock:
            self._projector.show(image, self._change(device, "display"), for_s)

    def shot(self, device: str, begin_s: float, exposure_s: float, readout: Readout) -> Shot:
        """The exposure that begins at `begin_s`: everything as it stands, or will by then have come, in its middle.

        What is commanded after this call is seen by the next one.
        """
        with self._lock:
            self._account(begin_s)
            if self._turns_between(begin_s, begin_s + exposure_s):
                self._pay(begin_s)
            self._lit_to_s = max(self._lit_to_s, begin_s + exposure_s)
            shot = self._shot(begin_s, exposure_s, readout)
            self._number += 1
            self._journal.append(Command(begin_s, device, "expose", shot.number))
            return shot

    def coming(self, begin_s: float, exposure_s: float, readout: Readout) -> Shot:
        """What `shot` will give for these, if nothing is commanded before."""
        with self._lock:
            return self._shot(begin_s, exposure_s, readout)

    def trigger(self, at_s: float) -> None:
        """The camera tells the devices that follow its line when an exposure of a sequence ends."""
        with self._lock:
            self._carriage.trigger(at_s)

    def excuse(self, due_s: float) -> None:
        """A sequence that is over was due then, and its last picture took longer to draw: no light fell meanwhile."""
        with self._lock:
            self._account(min(due_s, self.clock.now_s()))
            self._lit_to_s = max(self._lit_to_s, self.clock.now_s())

    def owed(self) -> tuple[Shot, ...]:
        """The light that fell outside of exposures and that the sample was not told of yet; each is given once."""
        with self._lock:
            given = tuple(self._owed)
            self._owed.clear()
            return given

    def _shot(self, begin_s: float, exposure_s: float, readout: Readout) -> Shot:
        middle_s = begin_s + exposure_s / 2
        x_um, y_um, z_um = self._carriage.at(middle_s)
        pixel_um = self.hardware.pixel_um(self._objective)
        rows, columns = self.hardware.camera.shape
        off_um = (
            (readout.y + (readout.height - rows) / 2) * pixel_um,
            (readout.x + (readout.width - columns) / 2) * pixel_um,
        )
        view = View((y_um + off_um[0], x_um + off_um[1]), (readout.height, readout.width), pixel_um)
        through = middle_s >= self._turret_ready_s
        beams = self.lights.beams(self._objective, begin_s, exposure_s) if through else ()
        return Shot(
            number=self._number,
            time_s=self.sample_s(begin_s),
            exposure_s=exposure_s,
            view=view,
            axis_um=(y_um, x_um),
            z_um=z_um,
            objective=self._objective,
            emission=self._wheel if through and middle_s >= self._wheel_ready_s else None,
            beams=self._projector.masked(beams, view, off_um, self._objective, begin_s, exposure_s),
            readout=readout,
        )

    def _change(self, device: str, verb: str, value: object = None) -> float:
        """Before anything changes, the light that fell so far is accounted for; the time now."""
        now = self.note(device, verb, value)
        self._account(now, flush=True)
        return now

    def _account(self, to_s: float, *, flush: bool = False) -> None:
        """Light since the last exposure: kept together until it is worth telling, or something changes."""
        from_s = self._lit_to_s
        if to_s > from_s:
            turns = self._turns_between(from_s, to_s)
            if turns:
                self._pay(from_s)
            self._owed_s += to_s - from_s
            self._lit_to_s = to_s
            flush = flush or turns
        if flush or self._owed_s > SMALL_S:
            self._pay(to_s)

    def _turns_between(self, begin_s: float, end_s: float) -> bool:
        return self.lights.turns_between(begin_s, end_s) or self._projector.ends_between(begin_s, end_s)

    def _pay(self, to_s: float) -> None:
        """Note what is owed as light that fell just before `to_s`."""
        if self._owed_s > 0:
            rows, columns = self.hardware.camera.shape
            whole = self._shot(to_s - self._owed_s, self._owed_s, Readout(0, 0, columns, rows, chip=(rows, columns)))
            if whole.beams:
                self._owed.append(whole)
            self._owed_s = 0.0
