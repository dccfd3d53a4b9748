"""Makes the pictures of docs/specimen.md: python docs/images/specimen_pictures.py [SCENARIO ...].

Most are what `onscope simulate` draws beside its data. Two show more: what structured light is good for, and a series
over the dose.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from onscope.drivers.simulate._picture import Panel, write_picture
from onscope.specimen import Snap
from onscope.specimen.optics import Stripes
from onscope.specimen.scenarios import as_specimen, read_scenario

Array = npt.NDArray[Any]
HERE = Path(__file__).parent
SIMULATED = {
    "dividing-cells": (7, 600),
    "rare-event": (5, 300),
    "wound": (4, 1800),
    "bacteria": (5, 300),
    "spots": (200, None),
    "label-free": (1, None),
}
"""Frames, and seconds between them (None: the scenario's)."""
SHOWN = (0, 18, 60)
"""Frames of the series over the dose: before, while the first die, and at its end."""
GREYS, COLOURS = 96, 64
"""Of a picture: enough for images and labels, and the file is small."""


def reconstructed(
    raw: Mapping[Stripes, Array], pixel_um: float, na: float, emission_um: float, noise: float = 0.03
) -> Array:
    """An image of half the pixels, twice as fine as the raw ones (rows, columns), from three phases per angle.

    M. G. L. Gustafsson, Journal of Microscopy 198, 82 (2000): three phases give the sample's spectrum three times, as
    it is and moved by the stripes' frequency to either side. Moved back, they are summed after Wiener, with `noise` as
    the ratio of the noise's power to the signal's, and tapered to the cutoff of both together. The stripes are known.
    """
    rows, columns = next(iter(raw.values())).shape
    y, x = ((np.arange(2 * n) - (2 * n - 1) / 2) * pixel_um / 2 for n in (rows, columns))
    fy, fx = np.fft.fftfreq(2 * rows, pixel_um / 2)[:, None], np.fft.fftfreq(2 * columns, pixel_um / 2)[None, :]
    cutoff = 2 * na / emission_um
    top, below = np.zeros((2 * rows, 2 * columns), dtype=complex), np.zeros((2 * rows, 2 * columns))
    reach = cutoff + max(1 / each.period_um for each in raw)
    for angle in sorted({each.angle_rad for each in raw}):
        group = {stripes: image for stripes, image in raw.items() if stripes.angle_rad == angle}
        one = next(iter(group))
        at = np.array([math.sin(angle), math.cos(angle)]) / one.period_um
        wave = np.exp(-2j * math.pi * (y[:, None] * at[0] + x[None, :] * at[1]))
        fine = {stripes: _finer(image) for stripes, image in group.items()}
        even = sum(fine.values()) / len(fine)
        moved = sum(np.exp(-1j * stripes.phase_rad) * image for stripes, image in fine.items())
        moved = moved * (2 / len(fine) / one.modulation) * wave
        for image, by in ((even, 0.0), (moved, 1.0), (np.conj(moved), -1.0)):
            passed = _passed(np.hypot(fy + by * at[0], fx + by * at[1]) / cutoff)
            top += passed * np.fft.fft2(image)
            below += passed**2
    taper = np.cos(np.clip(np.hypot(fy, fx) / reach, 0, 1) * math.pi / 2)
    return np.asarray(np.fft.ifft2(top / (below + noise) * taper).real)


def _passed(share: Array) -> Array:
    """The transfer function of a round lens for incoherent light, at shares of its cutoff."""
    s = np.clip(share, 0, 1)
    return np.asarray(2 / math.pi * (np.arccos(s) - s * np.sqrt(1 - s * s)))


def _finer(image: Array) -> Array:
    """Twice as many pixels per side, of the same area in sum; the middle stays where it is."""
    rows, columns = image.shape
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    wide = np.fft.ifftshift(np.pad(spectrum, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))))
    # Half a fine pixel to the left and up: there the first of two fine pixels has its middle.
    fy, fx = np.fft.fftfreq(2 * rows)[:, None], np.fft.fftfreq(2 * columns)[None, :]
    return np.asarray(np.fft.ifft2(wide * np.exp(-1j * math.pi * (fy + fx))).real * 4)


def _sim(path: Path) -> None:
    scenario = read_scenario("sim")
    specimen = as_specimen(scenario)
    snaps: dict[Stripes, Snap] = {}
    for name, channel in scenario.all_channels.items():
        pattern = channel.illumination.pattern
        assert isinstance(pattern, Stripes)
        snaps[pattern] = specimen.snap(scenario.acquisition.stage_um, name, shape=scenario.acquisition.shape)
    raw = {pattern: snap.counts - float(specimen.sensor.offset_counts) for pattern, snap in snaps.items()}
    pixel = specimen.pixel_um
    fine = reconstructed(raw, pixel, scenario.microscope.objective.na, 0.52)
    mean = np.asarray(sum(raw.values()) / len(raw))
    side = 128
    row, column = 256, 300
    part = slice(row - side // 2, row + side // 2), slice(column - side // 2, column + side // 2)
    finer = slice(2 * part[0].start, 2 * part[0].stop), slice(2 * part[1].start, 2 * part[1].stop)
    first = next(iter(raw.values()))
    panels = [
        Panel("one of nine raw images", first, pixel),
        Panel("mean of the nine: TIRF", mean, pixel),
        Panel("made of the nine", np.clip(fine, 0, None), pixel / 2),
        Panel("one of nine, close", first[part], pixel),
        Panel("mean, close", mean[part], pixel),
        Panel("made of the nine, close", np.clip(fine[finer], 0, None), pixel / 2),
    ]
    write_picture(path, panels)


def _photo_toxicity(path: Path) -> None:
    scenario = read_scenario("photo-toxicity")
    specimen = as_specimen(scenario)
    where, shape = scenario.acquisition.stage_um, scenario.acquisition.shape
    start_s = specimen.time_s
    seen: dict[int, tuple[Snap, ...]] = {}
    for frame in range(SHOWN[-1] + 1):
        specimen.advance(start_s + frame * scenario.acquisition.interval_s)
        if frame in SHOWN:
            seen[frame] = tuple(specimen.snap(where, name, shape=shape) for name in ("bodies", "phase"))
        else:
            specimen.illuminate(where, "bodies", specimen.channels["bodies"].exposure_s, shape=shape)
    first = seen[0][0].counts
    limits = float(np.percentile(first, 0.5)), float(np.percentile(first, 99.5))
    top, below = [], []
    for bodies, phase in seen.values():
        assert phase.truth is not None
        ended = sum(kind in ("dying", "dead") for kind in phase.truth.kinds())
        dose = np.percentile(phase.truth.objects["dose_j_cm2"], 90)
        top.append(
            Panel(
                f"after {dose:.2g} J/cm2: {ended} of {len(phase.truth.objects)} dying", phase.counts, specimen.pixel_um
            )
        )
        below.append(Panel("bodies", bodies.counts, specimen.pixel_um, limits))
    write_picture(path, [*top, *below])


def _simulated(name: str, path: Path) -> None:
    frames, interval_s = SIMULATED[name]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        command = [sys.executable, "-m", "onscope.cli", "simulate", name, "-o", str(data), "--frames", str(frames)]
        if interval_s is not None:
            command += ["--interval-s", str(interval_s)]
        subprocess.run(command, check=True)
        path.write_bytes((data / "overview.png").read_bytes())


def _smaller(path: Path) -> None:
    """Even steps of grey, and the commonest colours: those of labels."""
    image = Image.open(path).convert("RGB")
    pixels = np.asarray(image)
    hues = pixels[np.ptp(pixels, axis=2) > 8]
    grey = np.repeat(np.linspace(0, 255, GREYS).round().astype(np.uint8), 3).tolist()
    kinds, counts = np.unique(hues, axis=0, return_counts=True)
    found = kinds[np.argsort(-counts, kind="stable")[:COLOURS]].ravel().tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette(grey + found)
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def main(names: list[str]) -> None:
    """Makes the pictures of some scenarios, or of all."""
    for name in names or [*SIMULATED, "sim", "photo-toxicity"]:
        path = HERE / f"specimen-{name}.png"
        if name in SIMULATED:
            _simulated(name, path)
        else:
            {"sim": _sim, "photo-toxicity": _photo_toxicity}[name](path)
        _smaller(path)
        print(path, path.stat().st_size // 1024, "kB")


if __name__ == "__main__":
    main(sys.argv[1:])
