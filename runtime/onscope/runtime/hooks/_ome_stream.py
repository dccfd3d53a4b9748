"""Images of a stage to an OME-Zarr or OME-TIFF, as pymmcore-plus saves raw ones: by ome-writers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import SourceError
from .._result import Result
from ._derived import Run, Told
from ._words import identity, pixel_size_um


class OmeStream:
    """One run's images of one stage, at the places of their frames; frames without an image leave theirs empty.

    `target` is a path, or ome-writers' AcquisitionSettings without dimensions. The file is made with the first image.
    ome-writers takes images in the order of the acquisition alone: one that comes after its successor is left out.
    """

    def __init__(self, target: Any) -> None:
        """Raises SourceError when there is something at the path, or ome-writers is not installed."""
        try:
            import ome_writers  # noqa: F401 - whether it is there
        except ImportError:
            raise SourceError(
                "found no ome-writers, expected it for an OME file: it comes with pymmcore-plus, "
                "pip install 'onscope[micromanager]'"
            ) from None
        if isinstance(target, Path) and target.exists():
            raise SourceError(f"found that {target} exists, expected a new file: choose another one, or remove it")
        self._target = target
        self._stream: Any = None
        self._run: Run | None = None
        self._next = 0

    def put(self, stage: str, image: np.ndarray[Any, Any], result: Result, told: Told) -> bool:
        if told.run is None:
            raise SourceError("found a frame without a useq event, expected one for an OME file: use runtime.attach")
        if self._stream is None:
            self._stream, self._run = self._make(image, told.run, pixel_size_um(stage, result)), told.run
        if told.run is not self._run:
            raise SourceError("found a second run, expected one per file: attach anew for each, with a path of its own")
        if told.number < self._next:
            return False
        self._skip_to(told.number)
        words: dict[str, Any] = {"onscope": json.dumps(identity(stage, result))}  # OME-XML has places for text alone
        words["delta_t"] = float(told.meta.get("runner_time_ms") or 0.0) / 1e3
        if result.frame.exposure_ms is not None:
            words["exposure_time"] = result.frame.exposure_ms / 1e3
        position = told.meta.get("position") or {}
        words |= {f"position_{axis}": position[axis] for axis in "xyz" if axis in position}
        self._next += 1  # also where it is refused: the stream has counted it
        self._stream.append(image, frame_metadata=words)
        return True

    def finish(self, frames: int) -> None:
        if self._stream is not None:
            try:
                self._skip_to(frames)
            finally:
                self._stream.close()

    def _skip_to(self, number: int) -> None:
        if number > self._next:
            self._stream.skip(frames=number - self._next)
            self._next = number

    def _make(self, image: np.ndarray[Any, Any], run: Run, size_um: float | None) -> Any:
        from ome_writers import AcquisitionSettings, create_stream, useq_to_acquisition_settings

        told = {"root_path": str(self._target)} if isinstance(self._target, Path) else self._target.model_dump()
        height, width = image.shape[:2]
        dims = useq_to_acquisition_settings(run.sequence, image_width=width, image_height=height, pixel_size_um=size_um)
        return create_stream(AcquisitionSettings.model_validate({**told, **dims, "dtype": str(image.dtype)}))
