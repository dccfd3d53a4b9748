"""`measure`: a row per object of a label image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._errors import PipelineError
from .._frame import Pixels
from ..objects import measure
from ._hosted import HOST, Opening, Table
from ._plan import FRAME

SIDE = 8


class MeasureStage:
    """Measures the objects of one stage's labels. Raises PipelineError for labels that are no image of y and x."""

    provider, graph, began_anew = HOST, "", False

    def __init__(self, opening: Opening) -> None:
        self.told: list[str] = []
        self._of: str = opening.message["reads"]
        self._intensity: list[str] = opening.message["settings"]["intensity"]
        self._columns: list[str] = opening.message["settings"]["columns"]
        self._raw = opening.raw
        self._name = opening.message["name"]
        labels, axes = opening.images[self._of]
        if axes != "yx":
            raise PipelineError(
                f"found labels with the axes {axes} of the stage {self._of!r} for {self._name!r}, expected y and x: "
                "objects are measured in single planes"
            )
        self._scale = labels.shape[0] / self._raw.shape[0]
        for name in self._intensity:
            if name != FRAME:
                self._check_image(name, *opening.images[name])
        example = np.zeros_like(labels)
        example[:SIDE, :SIDE] = 1  # one object, so that nothing is loaded when frames come
        window = [np.zeros(self._raw.shape, self._raw.dtype)] * self._raw.length
        images = {name: np.asarray(image) for name, (image, _) in opening.images.items()}
        self._empty: Table = self.run(window, {**images, self._of: example}, None, 0, False)[:0].copy()

    def _check_image(self, name: str, image: Pixels, axes: str) -> None:
        if axes.replace("c", "s") not in ("yx", "yxs") or image.shape[:2] not in self._sizes:
            sizes = " or ".join("x".join(map(str, size)) for size in sorted(self._sizes))
            raise PipelineError(
                f"found an image of {'x'.join(map(str, image.shape))} ({axes}) of the stage {name!r} as an intensity "
                f"of {self._name!r}, expected {sizes}: measure it on labels of its own size"
            )

    @property
    def _sizes(self) -> set[tuple[int, ...]]:
        frame = self._raw.shape[:2]
        return {tuple(frame), tuple(round(side * self._scale) for side in frame)}

    def empty(self) -> Table:
        return self._empty

    def run(
        self, window: Sequence[Pixels], answers: Mapping[str, Table], place: int | None, number: int, reset: bool
    ) -> Table:
        images: dict[str, Any] = {}
        for name in self._intensity:
            image = window[self._raw.target] if name == FRAME else answers[name]
            if image.ndim == 2:
                images[name] = image
            else:
                images |= {f"{name}_{sample}": image[..., sample] for sample in range(image.shape[2])}
        return measure(answers[self._of], images, self._raw.pixel_size_um, self._scale, self._columns)

    def forget(self, place: int | None) -> None:
        """It remembers nothing."""
