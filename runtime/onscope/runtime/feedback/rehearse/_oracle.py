"""`--detector truth`: what is true, told as a pipeline would, with as many errors as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ..._result import Result
from ._answers import result_of
from ._stage import Shot
from ._truth import TrueFrame

Table = npt.NDArray[Any]
CLASSES = ("interphase", "prophase", "metaphase", "anaphase", "dead")
"""What zoo/mitosis-cells tells apart, in its order."""
CLASS_OF: Mapping[str, str] = MappingProxyType(
    {"prometaphase": "prophase", "telophase": "anaphase", "dying": "dead", **{name: name for name in CLASSES}}
)
"""By what the truth calls an object, what such a network calls it; all else is interphase."""
STAGES = ("nuclei", "cells", "tracks", "phase")
"""Labels, and then tables: the pipeline of docs/labels.md."""
_SPLIT = 0x0DD5


@dataclass(frozen=True, slots=True)
class Detector:
    """How good it is: of the objects that are no interphase, the share `sensitivity` is told right, the others are
    called interphase; of those in interphase the share `specificity`, the others are called one of the rest. Each
    object and frame errs by itself. `found` is the share of all objects that there are rows for.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    found: float = 1.0

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.sensitivity, self.specificity, self.found)):
            raise RuleError(f"found {self}, expected shares from 0 to 1")


class TruthAnswers:
    """Results made of the truth: label image, measured objects, perfect tracks, and classes that may be wrong.

    Stages are called as in `stages`: first that of the labels, then tables, which all have all columns. A told class
    has a score of 0.5 to 1, right ones higher than wrong ones on average, so that thresholds matter; the other scores
    add up to the rest. The same seed and frames give the same results.
    """

    def __init__(
        self,
        detector: Detector,
        seed: int,
        stages: Sequence[str] = STAGES,
        classes: Sequence[str] = CLASSES,
    ) -> None:
        self._detector, self._seed = detector, seed
        self._labels, *self._tables = stages
        self._classes = tuple(classes)
        self._count = 0
        self._ages: dict[int, int] = {}

    def result(self, shot: Shot) -> Result | None:
        truth = shot.truth
        self._count += 1
        if truth is None:
            raise RuleError("found a frame whose truth is not known, expected one that is: rehearse with networks")
        table = self._table(shot, truth)
        answers: dict[str, np.ndarray[Any, Any]] = {self._labels: truth.labels()}
        return result_of(shot.frame, answers | dict.fromkeys(self._tables, table))

    def _table(self, shot: Shot, truth: TrueFrame) -> Table:
        rng = np.random.default_rng((self._seed, _SPLIT, self._count))
        objects = truth.objects
        height, width = shot.frame.pixels.shape
        inside = (objects["y"] >= 0) & (objects["y"] < height) & (objects["x"] >= 0) & (objects["x"] < width)
        objects = objects[inside]
        objects = objects[rng.random(len(objects)) < self._detector.found]
        told, scores = self._told(objects["kind"], rng)
        pixel_um = shot.frame.pixel_size_um or np.nan
        columns: dict[str, Table] = {
            "row": np.arange(len(objects), dtype=np.int32),
            "label": objects["id"].astype(np.int32),
            "y": objects["y"].astype(np.float32),
            "x": objects["x"].astype(np.float32),
            "area": objects["area"].astype(np.float32),
            "y_um": (objects["y"] * pixel_um).astype(np.float32),
            "x_um": (objects["x"] * pixel_um).astype(np.float32),
            "area_um2": (objects["area"] * pixel_um**2).astype(np.float32),
            "track": objects["id"].astype(np.int32),
            "parent": objects["parent"].astype(np.int32),
            "age": np.array([self._age(int(who)) for who in objects["id"]], np.int32),
            "class": told.astype(np.int32),
            "score": scores[np.arange(len(objects)), told].astype(np.float32),
        }
        columns |= {f"score_{name}": scores[:, n].astype(np.float32) for n, name in enumerate(self._classes)}
        table = np.zeros(len(objects), [(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            table[name] = values
        return table

    def _age(self, who: int) -> int:
        self._ages[who] = self._ages.get(who, 0) + 1
        return self._ages[who]

    def _told(self, kinds: Table, rng: np.random.Generator) -> tuple[Table, Table]:
        """Numbers of the classes that are told (n,), and scores (n, classes)."""
        names, count = self._classes, len(kinds)
        true = np.array([names.index(CLASS_OF.get(kind, names[0])) for kind in kinds.tolist()], np.int64)
        sure = np.where(true == 0, self._detector.specificity, self._detector.sensitivity)
        right = rng.random(count) < sure
        other = rng.integers(1, max(2, len(names)), count)
        told = np.where(right, true, np.where(true == 0, other, 0))
        draw = rng.random(count)
        score = np.where(right, 1 - 0.4 * draw**2, 0.5 + 0.45 * draw)
        rest = rng.random((count, len(names))) + 1e-3
        rest[np.arange(count), told] = 0
        scores = rest / rest.sum(axis=1, keepdims=True) * (1 - score)[:, None] if count else rest
        scores[np.arange(count), told] = score
        return told, scores
