"""A living sample and its optics as the scene of the mounted microscope."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import Looking, Sample, Sight, Truth, View
from onscope.specimen.sensor import SCMOS

from ._aim import Aim, Aiming
from ._hardware import FILTERS
from ._readout import AnySensor, expected, exposed
from ._scene import Readout, Shot
from ._stand import Asked, Eyepiece, Stand, dyes_through

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is true of one exposure: `counts` without noise (float32, the image's shape), and what is where in the view.

    `truth` has the unbinned pixels of the view, as they were when the exposure began; its doses lack light that was
    not booked yet, less than 0.1 s of it. `view` is what the camera looked at, drift included. `aim` is what a network
    is to find in it, where the scene was told (`Living.aim_at`).
    """

    counts: npt.NDArray[np.float32]
    truth: Truth
    view: View
    aim: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """Counts drawn before they were asked for: right for exposure `number` of these very `photons`, read out so."""

    number: int
    photons: Array
    readout: Readout
    exposure_s: float
    counts: Array


class Living:
    """A Scene: a `Sample` of onscope.specimen under its `Microscope`, before its `Sensor`.

    `dyes` names the dye that is seen through each emission filter, by the filter's label (None: for each filter the
    sample's first dye whose fluorophore shines through it). Light through the SLM and the shutter bleaches that dye and
    harms what lives in all of its field, read or not, in portions of up to 0.1 s. A shot's time counts from the
    sample's age on: time 0 is when it was put under the microscope. With `remember` above 0 the truth of so many last
    exposures can be asked for by `seen`. The same sample, seed and shots give the same frames.

    What follows a frame (truth, booked light) is done in a second thread while the exposure lasts, and with it the next
    frame's image and noise, where two exposures saw the same. Nothing is done ahead that time or light could
    still change.
    """

    def __init__(
        self,
        sample: Sample,
        *,
        dyes: Mapping[str, str] | None = None,
        stand: Stand | None = None,
        sensor: AnySensor = SCMOS,
        seed: int = 0,
        remember: int = 0,
    ) -> None:
        self._looking = Looking(sample, seed)
        self._eyepiece = Eyepiece(stand or Stand(), dyes if dyes is not None else dyes_through(sample, FILTERS))
        self._sensor, self._remember, self._age_s = sensor, remember, sample.time_s
        self._last: OrderedDict[int, Seen] = OrderedDict()
        self._lock = threading.Lock()
        self._second = ThreadPoolExecutor(1, thread_name_prefix="onscope-specimen")
        self._jobs: tuple[Future[None], ...] = ()
        self._ready: _Ready | None = None
        self._sights: tuple[Sight | None, Sight | None] = (None, None)
        self._aiming: Aiming | None = None

    def aim_at(self, aim: Aim) -> None:
        """The truth of exposures from now on tells what networks are to find; before the first exposure."""
        self._aiming = Aiming(aim, self._eyepiece, self._sensor)

    @property
    def sample(self) -> Sample:
        """The sample; waits until what was begun for the last exposure is done."""
        wait(self._jobs)
        return self._looking.sample

    @property
    def extent_um(self) -> tuple[float, float]:
        """The sample's stage area (y, x) in um."""
        return self._looking.sample.extent_um

    def expose(self, shot: Shot, out: Array) -> None:
        """Called by the camera; see `Scene`."""
        self._join()
        asked = self._asked(shot, live=True)
        photons = self._looking.photons(asked.sight)
        ready, self._ready = self._ready, None
        if ready is None or not _fits(ready, shot, photons):
            ready = self._drawn(shot, photons)
        out[:] = ready.counts
        self._sights = self._sights[1], asked.sight
        self._later(lambda: self._follow_up(asked, photons))

    def ahead(self, shot: Shot) -> None:
        """Called by the camera; see `Foreseeing`."""
        if self._sights[0] == self._sights[1]:
            self._later(lambda: self._foresee(shot))

    def illuminate(self, shot: Shot) -> None:
        """Light without a camera; see `Scene`."""
        self._join()
        for look, seconds in self._asked(shot, live=True).sent:
            self._looking.send(look, seconds)

    def seen(self, number: int) -> Seen:
        """The truth of exposure `number` (the tag SpecimenExposure). Raises KeyError when it is not remembered."""
        wait(self._jobs)
        with self._lock:
            return self._last[number]

    def _asked(self, shot: Shot, *, live: bool) -> Asked:
        age_s = self._age_s + shot.time_s
        if live and age_s > self._looking.sample.time_s:
            self._looking.advance(age_s)
        return self._eyepiece.asked(shot, age_s)

    def _drawn(self, shot: Shot, photons: Array) -> _Ready:
        counts = exposed(self._sensor, photons, shot, self._looking.generator(shot.number))
        return _Ready(shot.number, photons, shot.readout, shot.exposure_s, counts)

    def _follow_up(self, asked: Asked, photons: Array) -> None:
        shot = asked.shot
        if self._remember:
            counts = expected(self._sensor, photons, shot)
            age_s = self._age_s + shot.time_s
            aim = None if self._aiming is None else self._aiming.image(self._looking, shot, age_s)
            seen = Seen(counts, self._looking.sample.truth(asked.view), asked.view, aim)
            with self._lock:
                self._last[shot.number] = seen
                while len(self._last) > self._remember:
                    self._last.popitem(last=False)
        for look, seconds in asked.sent:
            self._looking.send(look, seconds)

    def _foresee(self, shot: Shot) -> None:
        if self._looking.stands_until(self._age_s + shot.time_s):
            self._ready = self._drawn(shot, self._looking.ahead(self._asked(shot, live=False).sight))

    def _later(self, job: Callable[[], None]) -> None:
        self._jobs = (*self._jobs, self._second.submit(job))

    def _join(self) -> None:
        """Wait for the second thread. Raises what it raised."""
        wait(self._jobs)  # before they are forgotten: `seen` waits for them too
        jobs, self._jobs = self._jobs, ()
        for job in jobs:
            job.result()


def _fits(ready: _Ready, shot: Shot, photons: Array) -> bool:
    asked = (shot.number, shot.readout, shot.exposure_s)
    return ready.photons is photons and (ready.number, ready.readout, ready.exposure_s) == asked
