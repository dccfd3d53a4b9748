"""Depth: what networks answer of each pixel's distance, as an image in micrometres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._axes import from_tensor
from .._errors import PipelineError
from .._frame import Pixels
from ._activation import activated
from ._classes import best_of
from ._settings import Setting, taken

SETTINGS = (
    Setting("scale_um", "number", "micrometres per unit of the network's values", 1.0),
    Setting("offset_um", "number", "micrometres at the network's value 0", 0.0),
    Setting("planes_um", "numbers", "depths of the planes that the channels are scores of, in micrometres"),
    Setting(
        "choose", "word", "depth of the best plane, or the mean of all, weighted by their scores", "mean",
        choices=("best", "mean"),
    ),
    Setting(
        "activation", "word", "what makes scores of the channels; none: they are scores", "none",
        choices=("none", "softmax"),
    ),
)  # fmt: skip


class DepthDecoder:
    """Answers float32 (y, x) in micrometres.

    Of values (one channel, or none) that is value * `scale_um` + `offset_um`. With `planes_um` the channels are scores
    of planes at these depths: the answer is the first of the best ones' depth, or the mean of the depths weighted by
    the scores (the expected depth, where they are probabilities). Weights are not below 0; where they are all 0 the
    mean of all planes is the answer.
    """

    columns: tuple[str, ...] = ()
    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        if not {"y", "x"} <= set(axes):
            raise PipelineError(
                f"found depth in an output with the axes {', '.join(axes)}, expected y and x: set `decode` in the "
                "package's config.onscope to what the network answers"
            )
        self.told: list[str] = []
        self._axes = tuple(axes)
        self._scale = np.float32(taken(SETTINGS, settings, "scale_um"))
        self._offset = np.float32(taken(SETTINGS, settings, "offset_um"))
        self._best = taken(SETTINGS, settings, "choose") == "best"
        self._activation = str(taken(SETTINGS, settings, "activation"))
        planes = settings.get("planes_um")
        self._planes = None if planes is None else np.asarray(planes, np.float32)
        if self._planes is not None and "channel" not in axes:
            raise PipelineError(
                f"found planes of depth for an output with the axes {', '.join(axes)}, expected channel: remove "
                "planes_um, or correct the package"
            )

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        at = self._axes.index("channel") if "channel" in self._axes else -1
        count = output.shape[at] if at >= 0 else 1
        if self._planes is None:
            if count != 1:
                raise PipelineError(
                    f"found {count} channels of depth, expected one, or planes_um with a depth for each: state them"
                )
            return from_tensor(output.astype(np.float32) * self._scale + self._offset, self._axes)
        if count != len(self._planes):
            raise PipelineError(
                f"found {count} channels, expected {len(self._planes)}, one for each of planes_um: correct them"
            )
        scores = np.moveaxis(output, at, 0)
        axes = self._axes[:at] + self._axes[at + 1 :]
        if self._best:
            return from_tensor(self._planes[best_of(scores)], axes)
        weights = activated(self._activation, scores, axis=0)
        if self._activation == "none":
            weights = np.maximum(weights, 0)
        flat = weights.reshape(count, -1)
        total = flat.sum(axis=0)
        none = total <= 0
        depth = (self._planes @ flat) / np.where(none, 1, total)
        depth = np.where(none, self._planes.mean(), depth).astype(np.float32)
        return from_tensor(depth.reshape(scores.shape[1:]), axes)
