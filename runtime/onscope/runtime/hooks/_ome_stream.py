"""Images of a stage to an OME-Zarr or OME-TIFF, as pymmcore-plus saves raw ones: by ome-writers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import SourceError
from .._frame import FrameId
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
        self._places: Iterator[Any] = iter(())
        self._last: FrameId | None = None
        self._walked = self._next = 0

    def put(self, stage: str, image: np.ndarray[Any, Any], result: Result, told: Told) -> bool:
        if told.run is None:
            raise SourceError("found a frame without a useq event, expected one for an OME file: use runtime.attach")
        if self._stream is None:
            self._stream, self._run = self._make(image, told.run, pixel_size_um(stage, result)), told.run
            self._places = iter(told.run.sequence)
        if told.run is not self._run:
            raise SourceError("found a second run, expected one per file: attach anew for each, with a path of its own")
        if (number := self._number_of(result.frame.id, told)) is None:
            return False
        self._skip_to(number)
        words: dict[str, Any] = {"onscope": json.dumps(identity(stage, result))}  # OME-XML has places for text alone
        words["delta_t"] = float(told.meta.get("runner_time_ms") or 0.0) / 1e3
        if result.frame.exposure_ms is not None:
            words["exposure_time"] = result.frame.exposure_ms / 1e3
        position = told.meta.get("position") or {}
        words |= {f"position_{axis}": position[axis] for axis in "xyz" if axis in position}
        self._next += 1  # also where it is refused: the stream has counted it
        self._stream.append(image, frame_metadata=words)
        return True

    def finish(self, last: Told | None) -> None:
        if self._stream is not None:
            try:
                if last is not None and last.run is self._run and self._walk_to(last.event):
                    self._skip_to(self._walked)
            finally:
                self._stream.close()

    def _number_of(self, id: FrameId, told: Told) -> int | None:
        """Which of the sequence's frames it is; None for one that comes late, or is none of them.

        Not counted by the frames that came: a camera may lose some of a hardware sequence, and the others keep theirs.
        """
        if self._last is not None and id <= self._last:
            return None
        self._last = id
        return self._walked - 1 if self._walk_to(told.event) else None

    def _walk_to(self, event: Any) -> bool:
        index = dict(event.index)
        for place in self._places:
            self._walked += 1
            if dict(place.index) == index:
                return True
        return False

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
