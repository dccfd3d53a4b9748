"""`crops`: a network on each object of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .._frame import Pixels
from .._requests import request_from
from ..crops import CropSettings, CropsRunner
from ._fit import check_weights
from ._hosted import Opening, Table
from ._plan import FRAME, image_as_raw


class CropsStage:
    """Runs a package on crops around the objects of one stage's table. Raises what CropsRunner raises."""

    began_anew = False

    def __init__(self, opening: Opening) -> None:
        message = opening.message
        request = request_from(message["request"])
        check_weights(request)
        self._of, self._image = message["inputs"]
        settings = CropSettings(**message["crops"])
        read = opening.messages.get(self._of, {})
        self._labels: str | None = read.get("reads") if settings.masked else None
        raw, calibration, ratio = opening.raw, opening.calibration, 1.0
        if self._image != FRAME:
            image, axes = opening.images[self._image]
            ratio = image.shape[0] / raw.shape[0]
            raw, calibration = image_as_raw(self._image, image, axes, raw, [request]), None
        self._runner = CropsRunner(
            request,
            settings,
            raw,
            (opening.provider, opening.threads),
            pixels_per_raw=ratio,
            calibration=calibration,
            build=opening.build,
        )
        self.provider, self.graph = self._runner.provider, self._runner.sha256
        self.told = [f"{note.what}: {note.why}" for note in self._runner.notes if note.kind == "warning"]
        self._empty: Table = np.zeros(0, self._runner.columns)

    def empty(self) -> Table:
        return self._empty

    def run(
        self, window: Sequence[Pixels], answers: Mapping[str, Table], place: int | None, number: int, reset: bool
    ) -> Table:
        frames = window if self._image == FRAME else [np.ascontiguousarray(answers[self._image])]
        labels = None if self._labels is None else answers[self._labels]
        return self._runner.run(frames, answers[self._of], labels)

    def forget(self, place: int | None) -> None:
        """It remembers nothing."""
