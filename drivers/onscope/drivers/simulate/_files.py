"""Images of a data set on the disk: OME-Zarr 0.5, or OME-TIFF."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tifffile

from onscope.runtime.record import ImageWriter, Layout, list_labels

from ._plan import Plan, SimulateError

Array = npt.NDArray[Any]

DTYPES: Mapping[str, Any] = {"frames": np.uint16, "photons": np.float32, "labels": np.int32, "nuclei": np.int32}
LABELS = {"labels": "bodies", "nuclei": "nuclei"}
"""By their names among the labels of an OME-Zarr image."""


class Files(Protocol):
    """Takes what was seen at one time point after the other."""

    def add(self, images: Mapping[str, Array]) -> None:
        """By the names of DTYPES: the shape of `plan.element`, labels (rows, columns). They must not change later.
        Raises SimulateError or RecordError when the disk refuses them."""

    def close(self) -> None:
        """Return when all is on the disk."""


class ZarrFiles:
    """`frames.ome.zarr` with its labels `bodies` and `nuclei`, and `photons.ome.zarr`; a chunk per plane."""

    def __init__(self, folder: Path, plan: Plan, pixel_um: float) -> None:
        self._folder, self._plan, self._pixel_um = folder, plan, pixel_um
        self._writers: dict[str, ImageWriter] = {}
        self._written: list[tuple[str, Any]] = []

    def add(self, images: Mapping[str, Array]) -> None:
        """See `Files`."""
        if not self._writers:
            self._begin(images)
        self._wait()
        for name, writer in self._writers.items():
            self._written.append((name, writer.write(images[name])[1]))

    def close(self) -> None:
        """See `Files`."""
        self._wait()
        for writer in self._writers.values():
            writer.close(self._plan.frames)

    def _begin(self, images: Mapping[str, Array]) -> None:
        plan = self._plan
        frames = self._folder / "frames.ome.zarr"
        for name in ("frames", "photons"):
            windows = tuple(_window(channel) for channel in images[name])
            step_um = plan.step_um if plan.planes > 1 else None
            layout = Layout(plan.axes, plan.interval_s, step_um, plan.channels, windows)
            self._make(name, self._folder / f"{name}.ome.zarr", plan.element, layout)
        beside = list_labels(frames, list(LABELS.values()))
        for name, label in LABELS.items():
            self._make(name, beside / label, plan.shape, Layout("yx", plan.interval_s, labels=True))

    def _make(self, name: str, path: Path, shape: tuple[int, ...], layout: Layout) -> None:
        about = {"scenario": self._plan.scenario.name, "seed": self._plan.seed, "what": name}
        self._writers[name] = ImageWriter(
            path,
            shape,
            np.dtype(DTYPES[name]).name,
            layout=layout,
            pixel_size_um=self._pixel_um,
            expected=self._plan.frames,
            attributes=about,
        )

    def _wait(self) -> None:
        written, self._written = self._written, []
        for name, future in written:
            try:
                future.result()
            except (ValueError, RuntimeError, OSError) as error:
                raise refused(self._folder, f"{name} ({error})") from error


class TiffFiles:
    """`frames.ome.tif`, `photons.ome.tif`, `labels.ome.tif`, `nuclei.ome.tif`: uncompressed, so that what is taken is
    written where it belongs, into files that have their full size from the start."""

    def __init__(self, folder: Path, plan: Plan, pixel_um: float) -> None:
        self._count = 0
        scale = _scale(pixel_um, plan)
        self._arrays: dict[str, Any] = {}
        for name, dtype in DTYPES.items():
            flat = name in LABELS
            shape = (plan.frames, *(plan.shape if flat else plan.element))
            # TIFF has the axes of a stack before those of channels: TZCYX.
            axes = "TYX" if flat else "TZCYX" if plan.planes > 1 else "TCYX"
            if axes == "TZCYX":
                shape = (shape[0], shape[2], shape[1], *shape[3:])
            metadata = scale | {"axes": axes} | ({} if flat else {"Channel": {"Name": list(plan.channels)}})
            self._arrays[name] = _image(folder / f"{name}.ome.tif", shape, dtype, metadata)

    def add(self, images: Mapping[str, Array]) -> None:
        """See `Files`."""
        for name, array in self._arrays.items():
            image = images[name]
            array[self._count] = image.swapaxes(0, 1) if image.ndim == 4 else image
        self._count += 1

    def close(self) -> None:
        """See `Files`."""
        for array in self._arrays.values():
            array.flush()


def refused(folder: Path, what: str) -> SimulateError:
    """What to say when the disk does not take something."""
    return SimulateError(
        f"found that {folder.parent} does not take {what}, expected room for the whole data set: make room, take fewer "
        "frames, or choose another disk"
    )


def _window(image: Array) -> tuple[float, float]:
    """Percentiles 0.5 and 99.8 of the first image, which viewers show a channel with."""
    low, high = (float(value) for value in np.percentile(image, (0.5, 99.8)))
    return low, max(high, low + 1)


def _scale(pixel_um: float, plan: Plan) -> dict[str, Any]:
    told: dict[str, Any] = {
        "PhysicalSizeX": pixel_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_um,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": plan.interval_s,
        "TimeIncrementUnit": "s",
    }
    return told if plan.planes == 1 else told | {"PhysicalSizeZ": plan.step_um, "PhysicalSizeZUnit": "µm"}


def _image(path: Path, shape: tuple[int, ...], dtype: Any, metadata: dict[str, Any]) -> Any:
    """An OME-TIFF on disk as an array, with all its room taken: writing to a full disk through memory kills."""
    large = int(np.prod(shape)) * np.dtype(dtype).itemsize > 2**31
    kept = {"photometric": "minisblack", "ome": True, "bigtiff": large, "metadata": metadata}
    try:
        array = tifffile.memmap(path, shape=shape, dtype=dtype, **kept)
        with suppress(AttributeError), open(path, "rb+") as file:  # where systems can (not on Windows)
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise refused(path.parent, f"{path.name} ({error.strerror})") from error
    return array
