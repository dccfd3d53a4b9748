"""A living sample under a microscope before a camera: the specimen without any devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ._channel import Channel
from ._looking import Look, Looking, Sight, drift_at
from ._snap import Light, Snap
from ._view import Sample, Truth, View
from .optics import Drift, Mask, Microscope, Stripes
from .sensor import SCMOS, Emccd, Sensor


class Specimen:
    """A `Sample` under a `Microscope`, lit by `channels`, before a `sensor`.

    `drift` moves stage and focus with time. The same sample, seed and order of calls give the same bits; the noise of
    exposure n comes from (seed, n) alone. Light bleaches the dye of its channel and harms whatever lives in
    its field, seen or not; the same light is booked in portions of 0.1 s at most, and always before the sample's next
    step. The noise-free image is kept until the sample's next step, or until a thousandth of its dye has bleached
    (see `Looking`). One thread at a time. Raises ValueError for no channels, KeyError for a channel with a dye that the
    sample has not.
    """

    def __init__(
        self,
        sample: Sample,
        microscope: Microscope,
        channels: Mapping[str, Channel],
        *,
        sensor: Sensor | Emccd = SCMOS,
        drift: Drift | None = None,
        seed: int = 0,
    ) -> None:
        if not channels:
            raise ValueError("found no channels, expected one or more: without light nothing is seen")
        for name, channel in channels.items():
            if channel.dye is not None and channel.dye not in sample.dyes:
                known = ", ".join(sample.dyes)
                raise KeyError(f"found dye {channel.dye!r} in channel {name!r}, expected one of {known}, or none")
        self.sample, self.microscope, self.channels = sample, microscope, dict(channels)
        self.sensor, self.drift, self.seed = sensor, drift or Drift(), seed
        self._looking = Looking(sample, seed)
        self._through = replace(microscope, mode="transmitted") if self._any_transmitted() else microscope
        self._taken = 0
        self._light: dict[str, Light] = {name: Light() for name in self.channels}

    @property
    def time_s(self) -> float:
        """The sample's age in seconds."""
        return self.sample.time_s

    @property
    def pixel_um(self) -> float:
        """Side of an unbinned camera pixel in the sample, in um."""
        return self.microscope.pixel_um

    @property
    def light(self) -> dict[str, Light]:
        """By channel, what light it has sent since the start."""
        return dict(self._light)

    def advance(self, to_s: float) -> None:
        """The sample lives on until `to_s` seconds. Raises ValueError for a time that is past."""
        self._looking.advance(to_s)

    def snap(
        self,
        stage_um: tuple[float, float],
        channel: str,
        *,
        shape: tuple[int, int] = (512, 512),
        exposure_s: float | None = None,
        z_um: float | None = None,
        pattern: Stripes | Mask | None = None,
        corner: tuple[int, int] | None = None,
        binning: int = 1,
        truth: bool = True,
    ) -> Snap:
        """One exposure now, and its light's harm.

        `stage_um` (y, x) is the sample point under the middle of the image; `shape` (rows, columns) counts binned
        pixels, `corner` is the first row and column that is read, in unbinned pixels (None: the chip's middle).
        `exposure_s` and `z_um` are the channel's own where they are None. `pattern` shapes the channel's light: give
        the same `Mask` object for as long as the modulator shows the same, for fields of light are kept by it. Without
        `truth` no labels are made. Raises KeyError for an unknown channel, ValueError for what the sensor cannot read.
        """
        look, seconds, plane = self._look(stage_um, channel, shape, exposure_s, z_um, pattern, binning)
        sight = Sight(((look, seconds),), shape, plane, self.channels[channel].emission_nm)
        photons = self._looking.photons(sight)
        rng = self._looking.generator(self._taken)
        at = self._middle(shape, binning) if corner is None else corner
        counts = self.sensor.expose(photons, rng, exposure_s=seconds, corner=at, binning=binning)
        seen = self.truth(look.view) if truth else None
        expected = self.sensor.expected_counts(photons, binning=binning)
        snap = Snap(self._taken, self.time_s, channel, seconds, plane, look.view, counts, photons, expected, seen)
        self._taken += 1
        self._send(channel, look, seconds, read=1)
        return snap

    def illuminate(
        self,
        stage_um: tuple[float, float],
        channel: str,
        seconds: float,
        *,
        shape: tuple[int, int] = (512, 512),
        pattern: Stripes | Mask | None = None,
    ) -> None:
        """Light on the sample for some seconds while no frame is read: it bleaches and harms all the same."""
        look, seconds, _ = self._look(stage_um, channel, shape, seconds, None, pattern, 1)
        self._send(channel, look, seconds, read=0)

    def truth(self, view: View) -> Truth:
        """What is where in a view now. Doses lack what has not been booked yet: less than 0.1 s of light."""
        return self.sample.truth(view)

    def _look(
        self,
        stage_um: tuple[float, float],
        channel: str,
        shape: tuple[int, int],
        exposure_s: float | None,
        z_um: float | None,
        pattern: Stripes | Mask | None,
        binning: int,
    ) -> tuple[Look, float, float]:
        if channel not in self.channels:
            raise KeyError(f"found channel {channel!r}, expected one of {', '.join(self.channels)}")
        how = self.channels[channel]
        seconds = how.exposure_s if exposure_s is None else exposure_s
        if not seconds >= 0:
            raise ValueError(f"found an exposure of {seconds} s, expected none below 0")
        z_off, y_off, x_off = drift_at(self.drift, self.time_s)
        middle = (stage_um[0] + y_off, stage_um[1] + x_off)
        view = View(middle, shape, self.pixel_um * binning)
        light = how.illumination if pattern is None else replace(how.illumination, pattern=pattern)
        scope = self._through if how.dye is None else self.microscope
        plane = (how.z_um if z_um is None else z_um) + z_off
        return Look(scope, light, view, middle, how.dye), seconds, plane

    def _send(self, channel: str, look: Look, seconds: float, read: int) -> None:
        sent = self._light[channel]
        energy = sent.mj + look.light.power_mw * seconds
        self._light[channel] = Light(sent.exposures + read, sent.seconds + seconds, energy)
        self._looking.send(look, seconds)

    def _middle(self, shape: tuple[int, int], binning: int) -> tuple[int, int]:
        chip = self.sensor.chip
        if chip is None:
            return 0, 0
        row, column = ((size - n * binning) // 2 for size, n in zip(chip, shape, strict=True))
        return max(row, 0), max(column, 0)

    def _any_transmitted(self) -> bool:
        return any(channel.dye is None for channel in self.channels.values())
