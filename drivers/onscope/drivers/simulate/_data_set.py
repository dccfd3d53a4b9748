"""A data set on disk: frames as a camera gives them, and beside them what is true."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onscope.specimen import Snap, Specimen, Truth

from ._files import DTYPES, Files, TiffFiles, ZarrFiles, refused
from ._plan import Plan, SimulateError
from ._tables import EXPOSURES, OBJECTS, Table, exposure_rows, object_rows

Array = npt.NDArray[Any]
Format = Literal["ome-zarr", "ome-tiff"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a run kept in mind for its picture and its last words: the first and the last time point (of stacks the
    middle plane), the mean over all of them, how many of each kind there are at the end, and what happened."""

    first: tuple[Snap, ...]
    last: tuple[Snap, ...]
    mean: Array
    kinds: dict[str, int]
    divisions: int
    deaths: int


def write_data_set(
    folder: Path, plan: Plan, specimen: Specimen, step: Callable[[], None], kind: Format = "ome-zarr"
) -> Written:
    """Simulate and write; `step` is called after every time point. `folder` is there and empty.

    Images are `frames` (uint16), `photons` (float32, mean photons per pixel without noise) and the int32 ids of
    `labels` and `nuclei`; objects and exposures are tables as Parquet and CSV; data_set.json says what was simulated.
    Raises SimulateError or RecordError when the disk has no room for it.
    """
    _require_room(folder, plan)
    files: Files = (ZarrFiles if kind == "ome-zarr" else TiffFiles)(folder, plan, specimen.pixel_um)
    begin_s, mean, story = specimen.time_s, np.zeros(plan.shape, np.float64), _Story()
    first: tuple[Snap, ...] = ()
    shown: tuple[Snap, ...] = ()
    try:
        with Table(folder / "objects", OBJECTS) as objects, Table(folder / "exposures", EXPOSURES) as exposures:
            for n in range(plan.frames):
                specimen.advance(begin_s + n * plan.interval_s)
                snaps = _snaps(specimen, plan)
                truth = _truth(snaps[0])
                files.add(_images(plan, snaps, truth))
                objects.add(object_rows(n, truth))
                exposures.add(exposure_rows(n, snaps))
                story.add(truth)
                shown = tuple(replace(snap, truth=truth) for snap in snaps[plan.middle :: plan.planes])
                mean += shown[0].counts
                first = first or shown
                step()
        files.close()
        _describe(folder, plan, specimen, kind)
    except OSError as error:
        raise refused(folder, f"what is written ({error.strerror or error})") from error
    return Written(first, shown, mean / plan.frames, story.kinds, story.divisions, story.deaths)


class _Story:
    """What happened to the objects in view; `kinds` are those of the last time point."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self._alive: set[int] = set()
        self._mothers: set[int] = set()
        self._died: set[int] = set()

    @property
    def divisions(self) -> int:
        """Objects that were seen, and then two daughters in their place."""
        return len(self._mothers)

    @property
    def deaths(self) -> int:
        """Objects that were seen alive, and then dying or dead."""
        return len(self._died)

    def add(self, truth: Truth) -> None:
        """The next time point."""
        self.kinds = {}
        for row, kind in zip(truth.objects, truth.kinds(), strict=True):
            if kind == "emitter" and not row["on"]:
                continue
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            who, mother = int(row["id"]), int(row["parent"])
            if mother in self._alive:
                self._mothers.add(mother)
            if kind not in ("dying", "dead"):
                self._alive.add(who)
            elif who in self._alive:
                self._died.add(who)


def _snaps(specimen: Specimen, plan: Plan) -> tuple[Snap, ...]:
    """All planes of the first channel, then those of the next; truth comes with the first exposure."""
    snaps: list[Snap] = []
    for name in plan.channels:
        for offset_um in plan.offsets_um:
            z_um = specimen.channels[name].z_um + offset_um
            try:
                at = plan.scenario.acquisition.stage_um
                snaps.append(specimen.snap(at, name, shape=plan.shape, z_um=z_um, truth=not snaps))
            except ValueError as error:
                raise SimulateError(str(error)) from error
    return tuple(snaps)


def _images(plan: Plan, snaps: tuple[Snap, ...], truth: Truth) -> dict[str, Array]:
    seen = {
        "frames": np.stack([snap.counts for snap in snaps]).reshape(plan.element),
        "photons": np.stack([snap.photons for snap in snaps]).reshape(plan.element),
        "labels": truth.labels,
        "nuclei": truth.nuclei,
    }
    return {name: np.ascontiguousarray(image, dtype=DTYPES[name]) for name, image in seen.items()}


def _truth(snap: Snap) -> Truth:
    if snap.truth is None:
        raise SimulateError("found an exposure without truth, expected the first channel's to have it")
    return snap.truth


def _require_room(folder: Path, plan: Plan) -> None:
    """Raise SimulateError unless the disk holds all images as they are before compression."""
    pixels, flat = int(np.prod(plan.element)), int(np.prod(plan.shape))
    needed = plan.frames * (pixels * 6 + flat * 8) * 1.02
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SimulateError(
            f"found {free / 1e9:.1f} GB free at {folder.parent}, expected {needed / 1e9:.1f} GB for {plan.frames} time "
            f"points of {len(plan.channels) * plan.planes} images: take fewer, or another disk"
        )


def _describe(folder: Path, plan: Plan, specimen: Specimen, kind: Format) -> None:
    said = {
        "schema": 1,
        "onscope": version("onscope"),
        "scenario": plan.scenario.name,
        "description": plan.scenario.description,
        "seed": plan.seed,
        "format": kind,
        "frames": plan.frames,
        "interval_s": plan.interval_s,
        "shape": list(plan.shape),
        "planes": plan.planes,
        "step_um": plan.step_um if plan.planes > 1 else None,
        "pixel_um": specimen.pixel_um,
        "stage_um": list(plan.scenario.acquisition.stage_um),
        "channels": [
            {
                "name": name,
                "dye": channel.dye,
                "wavelength_nm": channel.illumination.wavelength_nm,
                "power_mw": channel.illumination.power_mw,
                "field_um": channel.illumination.field_um,
                "emission_nm": channel.emission_nm,
                "exposure_s": channel.exposure_s,
                "z_um": channel.z_um,
                "seconds_of_light": specimen.light[name].seconds,
                "energy_mj": specimen.light[name].mj,
            }
            for name, channel in specimen.channels.items()
            if name in plan.channels
        ],
        "sensor": repr(specimen.sensor),
    }
    (folder / "data_set.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
