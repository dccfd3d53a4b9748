"""Classes: of each pixel as a label image, of a whole image or crop as a table with a score per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from .._axes import from_tensor
from .._errors import PipelineError, ProviderError
from .._frame import Pixels
from ._activation import ACTIVATION, activated, before_activation
from ._settings import Setting, taken

UNKNOWN = -1
"""What the graph calls the class of a pixel whose scores hold NaN; no answer ever holds it."""
SETTINGS = (
    Setting("classes", "words", "names of the classes, in the order of the channels (default: the channels' names)"),
    ACTIVATION,
    Setting("multi_label", "flag", "classes do not exclude each other: a row for each above its threshold", False),
    Setting("threshold", "number or numbers", "lowest score of a class, or one for each class", 0.5),
    Setting("frequencies", "numbers", "how frequent each class is, where the network takes all for alike", above=0.0),
)


class ClassesDecoder:
    """Answers int32 (y, x) with the number of the best class of each pixel, 0 for the first; or a table.

    Of scores (channel, y, x) the first of the largest is a pixel's class; the graph has done it already where the
    output has no channels (`graph/_decode.py`). Of one channel, class 1 is where the score reaches the threshold. Of
    scores (batch, channel) without y and x the table has one row per entry of the batch: `class`, `score`, and
    `score_NAME` of all classes; with `multi_label` a row for each class whose score reaches its threshold, by falling
    score. With `frequencies` the scores of a table, chances for classes that are alike in number, become those for
    classes of these frequencies (Bayes' rule). Raises ProviderError for NaN, which the graph marks.
    """

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.told: list[str] = []
        self._axes = tuple(axes)
        self.labels = {"y", "x"} <= set(axes)
        self._activation = str(taken(SETTINGS, settings, "activation"))
        self._several = bool(taken(SETTINGS, settings, "multi_label"))
        self._threshold = np.asarray(taken(SETTINGS, settings, "threshold"), np.float64)
        frequencies = taken(SETTINGS, settings, "frequencies")
        self._frequencies = None if frequencies is None else np.asarray(frequencies, np.float32)
        names = tuple(settings.get("classes") or ())
        self._count = len(names)
        self.columns: tuple[str, ...] = () if self.labels else ("class", "score", *(f"score_{name}" for name in names))
        if self.labels:
            self._check_image()
        else:
            self._check_table(names)

    def _check_image(self) -> None:
        if self._several or self._threshold.size > 1 or self._frequencies is not None:
            raise PipelineError(
                "found several labels, thresholds or frequencies for classes of pixels, expected one class for each "
                "pixel: remove multi_label, frequencies and all thresholds but one, or decode the scores as an image"
            )

    def _check_table(self, names: Sequence[str]) -> None:
        if "channel" not in self._axes:
            raise PipelineError(
                f"found an output with the axes {', '.join(self._axes)}, expected channel, one score for each class: "
                "set `decode` in the package's config.onscope to what the network answers"
            )
        if not names:
            raise PipelineError(
                "found decode: classes without names, expected `classes`, a name for each channel: state them"
            )
        if self._threshold.size not in (1, len(names)):
            raise PipelineError(
                f"found {self._threshold.size} thresholds for {len(names)} classes, expected one, or one for each"
            )
        if self._frequencies is not None and (self._several or self._frequencies.size != len(names)):
            raise PipelineError(
                f"found {self._frequencies.size} frequencies for {len(names)} classes, expected one for each, of "
                "classes that exclude each other: correct them, or remove multi_label"
            )

    def rows(self, shape: Sequence[int]) -> int:
        """The most rows that an output of this shape makes."""
        entries = prod(shape) // max(self._count, 1)
        return entries * self._count if self._several else entries

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        return self._image(output) if self.labels else (self._table(output), "ic")

    def _image(self, output: Pixels) -> tuple[Pixels, str]:
        if "channel" not in self._axes:
            if output.size and output.min() <= UNKNOWN:
                raise ProviderError(
                    "the scores of the classes hold NaN: the network's input holds NaN, or it overflows on it"
                )
            return from_tensor(output.astype(np.int32, copy=False), self._axes)
        at = self._axes.index("channel")
        axes = self._axes[:at] + self._axes[at + 1 :]
        if output.shape[at] == 1:
            least = before_activation(self._activation, float(self._threshold.reshape(-1)[0]))
            return from_tensor((output.take(0, axis=at) >= least).astype(np.int32), axes)
        return from_tensor(best_of(np.moveaxis(output, at, 0)), axes)

    def _table(self, output: Pixels) -> npt.NDArray[np.float32]:
        at = self._axes.index("channel")
        if output.shape[at] != self._count:
            raise PipelineError(
                f"found {output.shape[at]} scores, expected {self._count}, one for each of `classes`: correct the names"
            )
        scores = activated(self._activation, np.moveaxis(output, at, -1).reshape(-1, self._count))
        if np.isnan(scores).any():  # of infinite numbers
            raise ProviderError("the scores of the classes are NaN: the network overflows on its input")
        if self._frequencies is not None:
            weighted = scores * self._frequencies
            total = weighted.sum(axis=1, keepdims=True)
            scores = np.divide(weighted, total, out=weighted, where=total > 0)
        if not self._several:
            best = scores.argmax(axis=1)
            return _rows(best, np.arange(len(scores)), scores)
        entries, found = np.nonzero(scores >= self._threshold)
        order = np.lexsort((-scores[entries, found], entries))
        return _rows(found[order], entries[order], scores)


def best_of(scores: Pixels) -> npt.NDArray[np.int32]:
    """The number of the first of the largest `scores` (class, ...) along their first axis, int32 (...).

    What `argmax` answers, in a quarter of its time: it walks over the classes of one pixel after the other.
    """
    largest = scores[0].copy()
    best = np.zeros(largest.shape, np.int32)
    for number in range(1, len(scores)):
        np.copyto(best, number, where=scores[number] > largest)
        np.maximum(largest, scores[number], out=largest)
    return best


def _rows(
    found: npt.NDArray[np.intp], entries: npt.NDArray[np.intp], scores: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """A row for each of the classes that were `found`, whose scores are those of its entry."""
    own = scores[entries, found]
    return np.concatenate([found[:, None], own[:, None], scores[entries]], axis=1, dtype=np.float32, casting="unsafe")
