"""A package's network on the crops of a frame's objects: opened for one FrameSpec, a row of answers per object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ..graph import Calibration, HostScalars, Raw, StageRequest
from ._cut import Border, background, cut, reaches_over
from ._scale import at_scale, labels_at_scale, places_at_scale, scaled_for
from ._sessions import Batch, Sessions
from ._settings import CropSettings, plan_crops, rows_decoder


class CropsRunner:
    """Runs a stage's network on the crops around objects. Used by one thread at a time.

    `raw` are the frames (or the image) that crops are cut from, `engine` the provider and its threads. Graphs for
    batches of fixed sizes are compiled, opened and run on empty crops here; nothing is built later. `build` is called
    with each graph's file before it is opened. `pixels_per_raw` is how many pixels of that image one of the raw frame
    is: objects' places are in pixels of the raw frame. Raises PipelineError, PackageError or ProviderError.
    """

    def __init__(
        self,
        request: StageRequest,
        settings: CropSettings,
        raw: Raw,
        engine: tuple[str, int | None],
        *,
        pixels_per_raw: float = 1.0,
        calibration: Calibration | None = None,
        build: Callable[[Path], object] = lambda graph: None,
    ) -> None:
        self.plan = plan_crops(request, settings)
        self.name = request.name
        self.columns = list(self.plan.columns)
        """Names and NumPy dtypes of the table's columns."""
        self._raw = raw
        self._pixels_per_raw = pixels_per_raw
        self._decode = rows_decoder(request)
        self._shape, self.notes = scaled_for(request, raw, self.plan.pixel_um)
        side = self.plan.side
        crop = replace(raw, shape=(side, side, *raw.shape[2:]))
        self._sessions = Sessions(request, crop, engine, calibration, build)
        self.sizes = self._sessions.sizes
        self.provider, self.sha256 = self._sessions.provider, self._sessions.sha256
        self.compiled = self._sessions.compiled
        self.warm_ns = self._sessions.warm_ns
        self.scalars = HostScalars(self.compiled.scalars, raw)
        """Statistics of the whole frame, where the stage is normalised with them."""
        self.notes += [note for note in self.compiled.notes if note.kind == "warning"]

    def empty(self) -> npt.NDArray[Any]:
        """The table without a row."""
        return np.zeros(0, [(name, dtype) for name, dtype in self.columns])

    def run(
        self, window: Sequence[Pixels], objects: npt.NDArray[Any], labels: npt.NDArray[np.int32] | None = None
    ) -> npt.NDArray[Any]:
        """A structured array with `columns`, row for row that of `objects`; no row for no object.

        `window` are the frames that crops are cut from, `objects` a structured array with the columns y and x (in
        pixels of the raw frame) and, with masked crops, `label`: the number in the label image `labels` (y, x), which
        may have another size. Raises ProviderError when the engine fails, or answers NaN for one of them; PipelineError
        for objects without a place.
        """
        table = np.zeros(len(objects), [(name, dtype) for name, dtype in self.columns])
        table["row"] = np.arange(len(objects))
        if not len(objects):
            return table
        frames = window if self.compiled.frames == len(window) else [window[self._raw.target]]
        scalars = self.scalars.values(frames) if self.compiled.scalars else []
        images = [at_scale(frame, self._shape) for frame in frames]
        names = objects.dtype.names or ()
        if self.plan.masked and (labels is None or "label" not in names):
            raise PipelineError(
                f"found masked crops for the stage {self.name!r} and no labels, expected those that its objects were "
                "measured by: let it read a table of measured labels"
            )
        mask = labels_at_scale(labels, self._shape) if self.plan.masked and labels is not None else None
        ids = np.asarray(objects["label"]) if mask is not None else None
        centres = self._centres(objects)
        fills = self._fills(images, centres)
        for batch, part in self._sessions.batches(len(objects)):
            self._cut(batch, images, fills, centres[part], mask, None if ids is None else ids[part])
            self._put(table[part], self._sessions.run(batch, part.stop - part.start, scalars))
        return table

    def _centres(self, objects: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        raw = np.stack([np.asarray(objects[axis], np.float64) for axis in ("y", "x")], axis=1)
        own = (raw + 0.5) * self._pixels_per_raw - 0.5
        return places_at_scale(own, self._raw.shape, self._shape)

    def _fills(self, images: Sequence[Pixels], centres: npt.NDArray[np.float64]) -> list[Pixels]:
        """What lies beyond the border of each image; the background is looked for once, and only if it is seen."""
        plan = self.plan
        seen = plan.masked or reaches_over(centres, self._shape, plan.side)
        return [
            background(image) if seen and plan.border == "background" else np.asarray(plan.value) for image in images
        ]

    def _cut(
        self,
        batch: Batch,
        images: Sequence[Pixels],
        fills: Sequence[Pixels],
        centres: npt.NDArray[np.float64],
        mask: npt.NDArray[np.int32] | None,
        ids: npt.NDArray[Any] | None,
    ) -> None:
        border: Border = "constant" if self.plan.border == "background" else self.plan.border
        for array, image, fill in zip(batch.crops, images, fills, strict=True):
            array[: len(centres)] = cut(image, centres, self.plan.side, mask, ids, border=border, value=fill)

    def _put(self, table: npt.NDArray[Any], answer: Pixels) -> None:
        rows, _ = self._decode(answer.reshape(len(answer), -1))
        for at, name in enumerate(self._decode.columns):
            table[name] = rows[:, at]
