"""A data set on disk: frames as a camera gives them, and beside them what is true."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from onscope.runtime import OnscopeError
from onscope.specimen import Snap, Specimen, Truth
from onscope.specimen.scenarios import Scenario

from ._tables import EXPOSURES, OBJECTS, Table, exposure_rows, object_rows

Array = npt.NDArray[Any]


class SimulateError(OnscopeError):
    """A data set that cannot be made."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`frames` time points, `interval_s` apart, of all channels of `scenario`; images of `shape` (rows, columns)."""

    scenario: Scenario
    seed: int
    frames: int
    interval_s: float
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """What a run kept in mind for its picture: the first and the last time point, and the mean over all of them."""

    first: tuple[Snap, ...]
    last: tuple[Snap, ...]
    mean: Array
    kinds: dict[str, int]


def write_data_set(folder: Path, plan: Plan, specimen: Specimen, step: Callable[[], None]) -> Written:
    """Simulate and write; `step` is called after every time point. `folder` is there and empty.

    frames.ome.tif (uint16) and photons.ome.tif (float32, mean photons per pixel without noise) have the axes TCYX,
    labels.ome.tif and nuclei.ome.tif (int32 ids) TYX; objects and exposures are tables as Parquet and CSV;
    data_set.json says what was simulated. Raises SimulateError when the disk has no room for it.
    """
    names = list(specimen.channels)
    many, one = (plan.frames, len(names), *plan.shape), (plan.frames, *plan.shape)
    needed = int(np.prod(many)) * 6 + int(np.prod(one)) * 8
    free = shutil.disk_usage(folder).free
    if free < needed * 1.02:
        raise SimulateError(
            f"found {free / 1e9:.1f} GB free at {folder}, expected {needed / 1e9:.1f} GB for {plan.frames} frames of "
            f"{len(names)} channels: take fewer frames, or another disk"
        )
    scale = _scale(specimen.pixel_um, plan.interval_s)
    in_colours = scale | {"axes": "TCYX", "Channel": {"Name": names}}
    frames = _image(folder / "frames.ome.tif", many, np.uint16, in_colours)
    photons = _image(folder / "photons.ome.tif", many, np.float32, in_colours)
    labels = _image(folder / "labels.ome.tif", one, np.int32, scale | {"axes": "TYX"})
    nuclei = _image(folder / "nuclei.ome.tif", one, np.int32, scale | {"axes": "TYX"})
    begin_s, mean = specimen.time_s, np.zeros(plan.shape, np.float64)
    kinds: dict[str, int] = {}
    first: tuple[Snap, ...] = ()
    snaps: tuple[Snap, ...] = ()
    with Table(folder / "objects", OBJECTS) as objects, Table(folder / "exposures", EXPOSURES) as exposures:
        for n in range(plan.frames):
            specimen.advance(begin_s + n * plan.interval_s)
            snaps = tuple(_snap(specimen, plan, name, truth=c == 0) for c, name in enumerate(names))
            for c, snap in enumerate(snaps):
                frames[n, c], photons[n, c] = snap.counts, snap.photons
            truth = _truth(snaps[0])
            labels[n], nuclei[n] = truth.labels, truth.nuclei
            rows = object_rows(n, truth)
            objects.add(rows)
            exposures.add(exposure_rows(n, snaps))
            for kind in rows["kind"]:
                kinds[kind] = kinds.get(kind, 0) + 1
            mean += snaps[0].counts
            first = first or snaps
            step()
    for image in (frames, photons, labels, nuclei):
        image.flush()
    _describe(folder, plan, specimen)
    return Written(first, snaps, mean / plan.frames, kinds)


def _snap(specimen: Specimen, plan: Plan, channel: str, truth: bool) -> Snap:
    at = plan.scenario.acquisition.stage_um
    try:
        return specimen.snap(at, channel, shape=plan.shape, truth=truth)
    except ValueError as error:
        raise SimulateError(str(error)) from error


def _truth(snap: Snap) -> Truth:
    if snap.truth is None:
        raise SimulateError("found an exposure without truth, expected the first channel's to have it")
    return snap.truth


def _scale(pixel_um: float, interval_s: float) -> dict[str, Any]:
    return {
        "PhysicalSizeX": pixel_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_um,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": interval_s,
        "TimeIncrementUnit": "s",
    }


def _image(path: Path, shape: tuple[int, ...], dtype: Any, metadata: dict[str, Any]) -> Any:
    """An OME-TIFF on disk as an array: uncompressed, so that frames are written where they belong, one by one."""
    large = int(np.prod(shape)) * np.dtype(dtype).itemsize > 2**31
    kept = {"photometric": "minisblack", "ome": True, "bigtiff": large, "metadata": metadata}
    return tifffile.memmap(path, shape=shape, dtype=dtype, **kept)


def _describe(folder: Path, plan: Plan, specimen: Specimen) -> None:
    said = {
        "schema": 1,
        "onscope": version("onscope"),
        "scenario": plan.scenario.name,
        "description": plan.scenario.description,
        "seed": plan.seed,
        "frames": plan.frames,
        "interval_s": plan.interval_s,
        "shape": list(plan.shape),
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
        ],
        "sensor": repr(specimen.sensor),
    }
    (folder / "data_set.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
