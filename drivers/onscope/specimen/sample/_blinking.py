"""Single molecules that blink along thin structures: what single-molecule localisation microscopy looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import CLASSES, OBJECT, Layer, Truth, View
from ..optics import FLUOROPHORES, Fluorophore
from ._asked import check_dye, check_time
from ._exposure import checked_fluence, received_by_points
from ._points import layers as point_layers

Array = npt.NDArray[Any]

STEP_S = 0.005
"""Length of a step in seconds."""

_TRACK, _SWITCH = 0x7AC, 0xB11


@dataclass(frozen=True, slots=True)
class EmitterSettings:
    """Labelled filaments, as microtubules are.

    `filaments` smooth curves of about `length_um` on `extent_um` (y, x), `height_um` (lowest, highest) above the cover
    slip, with an emitter every `spacing_um`. An emitter shines `on_s` and is dark `off_s` on average, both
    exponentially distributed (G. T. Dempsey et al., Nature Methods 8, 1027 (2011): Alexa 647 shines some 10 ms and is
    dark 99.9 % of the time); while it shines it is as bright as `molecules` of its `fluorophore`, and stands
    `stability` times the light. Raises ValueError for durations or sizes that are not positive.
    """

    filaments: int = 30
    extent_um: tuple[float, float] = (40.0, 40.0)
    length_um: float = 25.0
    height_um: tuple[float, float] = (0.1, 0.6)
    spacing_um: float = 0.02
    on_s: float = 0.03
    off_s: float = 15.0
    molecules: float = 4.0
    stability: float = 20.0
    fluorophore: str = "EGFP"

    def __post_init__(self) -> None:
        sizes = (
            *self.extent_um,
            self.length_um,
            self.spacing_um,
            self.on_s,
            self.off_s,
            self.molecules,
            self.stability,
        )
        if min(sizes) <= 0 or self.filaments < 1 or not 0 <= self.height_um[0] <= self.height_um[1]:
            raise ValueError(
                "found a duration, a size or a number of 0 or less, or heights that fall, expected positive ones and "
                "(lowest, highest): see EmitterSettings"
            )
        if self.fluorophore not in FLUOROPHORES:
            raise ValueError(f"found fluorophore {self.fluorophore!r}, expected one of {', '.join(FLUOROPHORES)}")


class BlinkingEmitters:
    """Emitters that switch on and off by chance, each by itself: a `Sample` with the dye "emitters"."""

    def __init__(self, settings: EmitterSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or EmitterSettings()
        self._seed, self._time_s, self._step = seed, 0.0, 0
        rng = np.random.Generator(np.random.Philox(seed=[seed, _TRACK]))
        tracks = [_track(self.settings, rng) for _ in range(self.settings.filaments)]
        self._filament: Array = np.repeat(np.arange(len(tracks)), [track.shape[1] for track in tracks])
        self._place: Array = np.concatenate(tracks, axis=1)
        count = self._place.shape[1]
        duty = self.settings.on_s / (self.settings.on_s + self.settings.off_s)
        self._on: npt.NDArray[np.bool_] = np.asarray(rng.random(count) < duty)
        # Light absorbed while shining, in units of the mean, at which each molecule bleaches.
        self._limit = rng.exponential(1.0, count)
        self._absorbed = np.zeros(count)
        self._dose: Array = np.zeros(count)

    @property
    def dyes(self) -> tuple[str, ...]:
        """Just "emitters"."""
        return ("emitters",)

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the field in um."""
        return self.settings.extent_um

    @property
    def step_s(self) -> float:
        """Seconds of a step: time changes the sample at its multiples."""
        return STEP_S

    @property
    def time_s(self) -> float:
        """Time since the start in seconds."""
        return self._time_s

    @property
    def places_um(self) -> Array:
        """Where the emitters are: (3, count), rows z, y, x."""
        return self._place.copy()

    @property
    def shining(self) -> npt.NDArray[np.bool_]:
        """Which emitters are on and not bleached."""
        return np.asarray(self._on & (self._absorbed < self._limit))

    def advance(self, to_s: float) -> None:
        """Blinks until `to_s`, in steps of 5 ms. Raises ValueError for a time that is past, or endless.

        Two states with constant rates: over a step the chance to leave a state is exact, returns within it included.
        In a share `reset` of the steps an emitter's new state does not depend on its old one. So a long way ahead only
        the last steps need be taken, by whose beginning (but for once in 1e15) nobody remembers the state before: the
        outcome is that of all steps (J. G. Propp, D. B. Wilson, Random Struct. Algorithms 9, 223 (1996)).
        """
        check_time(to_s, self._time_s, "chance")
        last = int((to_s + 1e-9) / STEP_S)
        rate_on, rate_off = 1 / self.settings.off_s, 1 / self.settings.on_s
        mixing = 1 - math.exp(-(rate_on + rate_off) * STEP_S)
        rise, fall = mixing * rate_on / (rate_on + rate_off), mixing * rate_off / (rate_on + rate_off)
        reset = abs(fall - rise)
        needed = math.log(1e-15 / max(len(self._on), 1)) / math.log(max(1 - reset, 1e-300)) if reset else math.inf
        for step in range(max(self._step, last - math.ceil(min(needed, last))), last):
            rng = np.random.Generator(np.random.Philox(key=self._seed, counter=[0, 0, _SWITCH, step]))
            chance = rng.random(len(self._on), dtype=np.float32)
            self._on = np.where(self._on, chance >= fall, chance < rise)
        self._step, self._time_s = last, float(to_s)

    def fluorophore(self, dye: str) -> Fluorophore:
        """The emitters' dye, taken to be spectrally like a fluorescent protein. Raises KeyError for another dye."""
        check_dye(dye, self.dyes)
        return FLUOROPHORES[self.settings.fluorophore]

    def layers(self, view: View, dye: str) -> list[Layer]:
        """Shining emitters as points, on planes a fifth of a um apart. Raises KeyError for another dye."""
        check_dye(dye, self.dyes)
        z, y, x = self._place[:, np.flatnonzero(self.shining)]
        return point_layers(view, z, y, x, np.full(len(z), self.settings.molecules), 0.0, 0.2)

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Nothing that transmitted light would see."""
        return np.zeros(view.shape, dtype=np.float32), np.zeros(view.shape, dtype=np.float32)

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Light on a view: emitters that shine absorb it, and each bleaches for good once it had its share."""
        if dye is not None:
            check_dye(dye, self.dyes)
        received = received_by_points(view, self._place[1], self._place[2], checked_fluence(view, fluence_j_cm2))
        self._dose += received
        if dye is not None:
            dye_of = self.fluorophore(dye)
            rate = dye_of.bleaching_yield * dye_of.absorbed_per_j_cm2(wavelength_nm) / self.settings.stability
            self._absorbed += np.where(self._on, received * rate, 0.0)

    def truth(self, view: View) -> Truth:
        """A row for every emitter in the view, dark ones included; `parent` is its filament's number, from 1 on."""
        z, y, x = self._place
        chosen = np.flatnonzero(view.contains(y, x))
        out = np.zeros(len(chosen), dtype=OBJECT)
        out["id"], out["kind"], out["parent"] = chosen + 1, CLASSES.index("emitter"), self._filament[chosen] + 1
        out["z_um"], out["y_um"], out["x_um"] = z[chosen], y[chosen], x[chosen]
        out["dose_j_cm2"], out["on"] = self._dose[chosen], self.shining[chosen]
        out["bleached"] = (self._absorbed >= self._limit)[chosen]
        none = np.zeros(view.shape, dtype=np.int32)
        return Truth(self._time_s, none, none.copy(), out)


def _track(settings: EmitterSettings, rng: np.random.Generator) -> Array:
    """One filament: (3, N) places z, y, x in um along a smooth curve, spaced evenly; held within the field."""
    count = max(int(settings.length_um * rng.uniform(0.6, 1.4) / settings.spacing_um), 2)
    # A stiff filament's direction diffuses along its length: persistence length 50 um, shorter than a free
    # microtubule's of millimetres because cells bend them (C. P. Brangwynne et al., J. Cell Biol. 173, 733 (2006)).
    angle = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, math.sqrt(settings.spacing_um / 50), count))
    y = rng.uniform(0, settings.extent_um[0]) + settings.spacing_um * np.cumsum(np.sin(angle))
    x = rng.uniform(0, settings.extent_um[1]) + settings.spacing_um * np.cumsum(np.cos(angle))
    low, high = settings.height_um
    rise = np.sin(2 * math.pi * (np.arange(count) * settings.spacing_um / 30 + rng.random()))
    z = low + (high - low) * np.clip(rng.random() + 0.3 * rise, 0, 1)
    inside = (y >= 0) & (y < settings.extent_um[0]) & (x >= 0) & (x < settings.extent_um[1])
    return np.stack([z, y, x])[:, inside]
