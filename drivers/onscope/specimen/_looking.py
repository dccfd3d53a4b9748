"""Looking at a sample: images without noise, kept for as long as they hold, and light that is booked on the sample.

`Specimen` and the mounted microscope of onscope.drivers both look in this one way.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ._beyond import beyond
from ._view import Sample, View
from .optics import EGFP, Drift, Fluorophore, Illumination, Microscope

Array = npt.NDArray[Any]

BOOKED_TOGETHER_S = 0.1
"""Seconds of the same light that the sample is given at once: in a tenth of a second little bleaches (EGFP under
1 W/cm2 loses 0.013 %, see `surviving`), and booking light on cells costs more than a frame's noise."""

FADED = 1e-3
"""Share of a dye that may have bleached, where the light is brightest, before an image is rendered anew: a pixel of
1,000 photons has 3 % of noise."""

DRIFT_STEP_UM = 0.01
"""Drift is followed in steps of so many um, a tenth of a fine pixel and less than a stage's encoder tells: between two
steps nothing has moved."""

KEPT_BYTES = 2**27
"""Of images without noise that are kept."""

_NOISE = 0x5EED
_BEAMS = 12  # that wait to be booked: as many as a stage goes round between


@dataclass(frozen=True, slots=True)
class Look:
    """Light on a view of the sample through `scope`, and the `dye` that it excites and bleaches (None: no dye).

    `axis_um` (y, x) is the sample point on the optical axis.
    """

    scope: Microscope
    light: Illumination
    view: View
    axis_um: tuple[float, float]
    dye: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """All that an image without noise depends on but the sample: what shines for how many seconds, and what passes.

    All `looks` have the same view, of `shape` (rows, columns), unbinned. `z_um` is the focal plane above the coverslip,
    `emission_nm` the band (low, high) that the filter passes (None: all; transmitted light always passes), and
    `binning` x `binning` pixels are added up.
    """

    looks: tuple[tuple[Look, float], ...]
    shape: tuple[int, int]
    z_um: float = 0.0
    emission_nm: tuple[float, float] | None = None
    binning: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    photons: Array
    faded: dict[str, float]


class Looking:
    """A sample that is looked at. One thread at a time; the same calls in the same order give the same bits.

    An image is kept until time changes the sample (a step of its own) or more than FADED of its dye has bleached.
    Light is booked on the sample in portions of BOOKED_TOGETHER_S at most, and always before its next step.
    """

    def __init__(self, sample: Sample, seed: int) -> None:
        self.sample, self.seed = sample, seed
        self._due: dict[Look, float] = {}
        self._images: OrderedDict[Sight, _Image] = OrderedDict()
        self._ahead: tuple[Sight, int, _Image] | None = None
        self._faded: dict[str, float] = {}
        self._changes = 0

    def generator(self, number: int) -> np.random.Generator:
        """For the noise of an exposure: from the seed and its number alone."""
        return np.random.default_rng((self.seed, _NOISE, number))

    def stands_until(self, time_s: float) -> bool:
        """Whether time changes nothing about the sample until then."""
        return self._step(time_s) == self._step(self.sample.time_s)

    @property
    def step(self) -> float:
        """The number of the sample's step; another one as soon as time has changed the sample."""
        return self._step(self.sample.time_s)

    def advance(self, to_s: float) -> None:
        """The sample lives on until `to_s` seconds. Raises ValueError for a time that is past."""
        if not self.stands_until(to_s):
            self.settle()
            self._images.clear()
            self._changes += 1
        self.sample.advance(to_s)

    def photons(self, sight: Sight) -> Array:
        """Mean photons per (binned) pixel, float32, read-only: the same array for as long as it holds."""
        image = self._kept(sight)
        if image is None:
            image = self._prepared(sight) or self._rendered(sight)
            self._images[sight] = image
            self._images.move_to_end(sight)
            while len(self._images) > 1 and sum(one.photons.nbytes for one in self._images.values()) > KEPT_BYTES:
                self._images.popitem(last=False)
        return image.photons

    def ahead(self, sight: Sight) -> Array:
        """What `photons` will give if no light is booked and no time passes before: rendered now, but not yet kept.

        Whether this is called or not, `photons` gives the same bits.
        """
        image = self._kept(sight) or self._prepared(sight)
        if image is None:
            image = self._rendered(sight)
            self._ahead = sight, self._changes, image
        return image.photons

    def send(self, look: Look, seconds: float) -> None:
        """Light on the sample, read or not; it is booked a little later, together with more of the same."""
        if seconds == 0 or look.light.power_mw == 0:
            return
        self._due[look] = self._due.get(look, 0.0) + seconds
        if self._due[look] >= BOOKED_TOGETHER_S - 1e-9 or len(self._due) > _BEAMS:
            self.settle()

    def settle(self) -> None:
        """Book all light that waits."""
        for look, seconds in self._due.items():
            wavelength_nm = look.light.wavelength_nm
            fluence = look.scope.fluence(look.view, look.light, seconds, axis_um=look.axis_um)
            self.sample.expose(look.view, look.dye, fluence, wavelength_nm)
            beside = beyond(look.scope, look.light, look.view, look.axis_um, seconds, self.sample.extent_um)
            if beside is not None:
                field, faint = beside
                self.sample.expose(field, look.dye, faint, wavelength_nm)
            self._changes += 1
            if look.dye is not None:
                dye = fluorophore_of(self.sample, look.dye)
                rate = dye.bleaching_yield * dye.absorbed_per_j_cm2(wavelength_nm)
                self._faded[look.dye] = self._faded.get(look.dye, 0.0) + rate * float(fluence.max())
        self._due.clear()

    def _kept(self, sight: Sight) -> _Image | None:
        image = self._images.get(sight)
        if image is None or any(self._faded.get(dye, 0.0) - then > FADED for dye, then in image.faded.items()):
            return None
        return image

    def _prepared(self, sight: Sight) -> _Image | None:
        if self._ahead is None or self._ahead[:2] != (sight, self._changes):
            return None
        return self._ahead[2]

    def _rendered(self, sight: Sight) -> _Image:
        total: Array | None = None
        faded = {}
        for look, seconds in sight.looks:
            dye = EGFP
            if look.dye is not None:
                dye = fluorophore_of(self.sample, look.dye)
                faded[look.dye] = self._faded.get(look.dye, 0.0)
            image = look.scope.image(
                self.sample,
                look.view,
                look.dye,
                sight.z_um,
                look.light,
                seconds,
                fluorophore=dye,
                axis_um=look.axis_um,
            )
            if sight.emission_nm is not None and look.dye is not None:
                image *= np.float32(dye.emission_share(*sight.emission_nm))
            total = image if total is None else total + image
        photons = binned(np.zeros(sight.shape, np.float32) if total is None else total, sight.binning)
        photons.flags.writeable = False
        return _Image(photons, faded)

    def _step(self, time_s: float) -> int | float:
        """Changes whenever time has changed the sample; of a sample that does not tell its step, with every time."""
        step_s = getattr(self.sample, "step_s", None)
        return time_s if not step_s else int((time_s + 1e-9) / step_s)


def drift_at(drift: Drift, time_s: float) -> tuple[float, float, float]:
    """(z, y, x) in um at a time in seconds, in steps of DRIFT_STEP_UM."""
    z_um, y_um, x_um = (round(each / DRIFT_STEP_UM) * DRIFT_STEP_UM for each in drift.at(time_s))
    return z_um, y_um, x_um


def binned(photons: Array, by: int) -> Array:
    """Sums over `by` x `by` pixels, float32 of (rows // by, columns // by)."""
    if by == 1:
        return photons
    rows, columns = (side // by for side in photons.shape)
    return np.asarray(photons.reshape(rows, by, columns, by).sum(axis=(1, 3)))


def fluorophore_of(sample: Sample, dye: str) -> Fluorophore:
    """That of a dye, where the sample tells it; else EGFP."""
    tells = getattr(sample, "fluorophore", None)
    return EGFP if tells is None else cast("Fluorophore", tells(dye))
