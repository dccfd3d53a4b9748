"""Small, quick microscopes for the tests of the specimen's devices."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np

from onscope.drivers import specimen
from onscope.specimen import Sensor

SIZE = 64
QUICK = specimen.Hardware(camera=specimen.CameraModel(shape=(SIZE, SIZE)), turret_s=0.05)
"""A 64 x 64 camera and a turret that does not take a second."""
ONE = (0.0, 50.0, 50.0)
"""Place (z, y, x) in um of the one bead of `one_bead`: in focus and in the middle, where everything starts."""


def one_bead(**options: Any) -> specimen.FieldOfBeads:
    """A Scene of 100 x 100 um with a bead in its middle, behind a sensor without read noise."""
    return specimen.FieldOfBeads(np.array([ONE]), extent_um=(100.0, 100.0), **options)


def even_light(**options: Any) -> specimen.FieldOfBeads:
    """A Scene without beads: the medium alone shines."""
    return specimen.FieldOfBeads(np.zeros((0, 3)), extent_um=(100.0, 100.0), **options)


class Broken(specimen.FieldOfBeads):
    """Beads of which the fourth picture cannot be taken."""

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        if shot.number == 3:
            raise ValueError("no such bead")
        super().expose(shot, out)


def mounted(scene: specimen.Scene | None = None, *, size: int = SIZE, **options: Any) -> specimen.SpecimenCore:
    """A core with the quick microscope; in time that passes when somebody waits, unless a clock is given."""
    hardware = options.pop("hardware", replace(QUICK, camera=replace(QUICK.camera, shape=(size, size))))
    options.setdefault("clock", specimen.PatientClock())
    return specimen.mount(scene or one_bead(), hardware=hardware, buffer_mb=options.pop("buffer_mb", 16), **options)


def snapped(mmc: specimen.SpecimenCore) -> Any:
    """A snapped image."""
    mmc.snapImage()
    return mmc.getImage()


def popped(mmc: specimen.SpecimenCore, n: int) -> list[tuple[Any, dict[str, str]]]:
    """`n` images of the running sequence with their tags, waited for half a minute at most."""
    pause, got = threading.Event(), list[tuple[Any, dict[str, str]]]()
    for _ in range(30_000):
        while len(got) < n and mmc.getRemainingImageCount():
            got.append(mmc.pop_with_tags())
        if len(got) == n:
            return got
        if not mmc.isSequenceRunning() and not mmc.getRemainingImageCount():
            break
        pause.wait(0.001)
    raise AssertionError(f"{len(got)} of {n} images came")


def commands(mmc: specimen.SpecimenCore, *devices: str) -> list[tuple[str, str]]:
    """(device, verb) of all commands so far, in order; of these devices alone, where they are named."""
    return [(one.device, one.verb) for one in mmc.bench.journal if not devices or one.device in devices]


def spot(image: Any) -> tuple[float, float, float]:
    """Light (counts), row and column of the brightest spot: sum and centroid of 11 x 11 pixels over the median.

    The centroid of a dark image is nan.
    """
    row, column = np.unravel_index(image.argmax(), image.shape)
    rows, columns = np.indices(image.shape)
    near = (abs(rows - row) <= 5) & (abs(columns - column) <= 5)
    light = image[near].astype(float) - np.median(image)
    total = float(light.sum())
    if total == 0:
        return 0.0, float("nan"), float("nan")
    return total, float(rows[near] @ light / total), float(columns[near] @ light / total)


QUIET = Sensor(read_noise_electrons=0.0)
