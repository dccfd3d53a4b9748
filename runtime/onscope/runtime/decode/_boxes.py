"""Boxes with scores, and masks within them, of networks that do not choose among them in their graph.

As of Faster R-CNN (Ren 2015), RetinaNet (Lin 2017), YOLO (Redmon 2016) and Mask R-CNN (He 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ._masks import pasted
from ._settings import Setting, taken
from ._suppression import kept_boxes

COLUMNS = ("y0", "x0", "y1", "x1", "class", "score")
USUAL = ("x0", "y0", "x1", "y1")
CORNERS = {"y0", "x0", "y1", "x1"}
MIDDLES = {"y", "x", "height", "width"}
FURTHER = {"objectness", "score", "class"}
CANDIDATES = 30_000
"""Boxes that are looked at; those of the highest score go first."""
FAR = 1e7
"""Pixels: coordinates beyond are cut."""
SETTINGS = (
    Setting(
        "columns", "words", "of a candidate: y0 x0 y1 x1 or y x height width, then objectness, score, class", USUAL
    ),
    Setting("threshold", "number", "lowest score of a box", 0.5),
    Setting("overlap", "number", "intersection over union above which the worse of two boxes goes", 0.5, 0, 1),
    Setting("most", "whole", "boxes, at most", 1000, 1, 10_000, fixed=True),
    Setting("class_wise", "flag", "whether boxes of different classes leave each other alone", True),
    Setting("background", "flag", "whether the first class is the background", False),
    Setting("unit", "number or numbers", "pixels that a coordinate of 1 stands for, along y and x", 1.0, above=0),
    Setting("from_centre", "flag", "whether coordinate 0 is the first pixel's middle, not its edge", False),
    Setting("masks", "numbers", "rows and columns of the mask that ends a candidate's numbers", least=1, most=512),
    Setting("mask_threshold", "number", "what belongs to the object", 0.5),
    Setting("size", "numbers", "rows and columns of the label image of masks", least=1, most=65_536),
)


class BoxesDecoder:
    """Answers a table `y0 x0 y1 x1 class score`, the best box first; with `masks` int32 labels (y, x), 1 the best.

    The output holds candidates along its index axis, or the one that is neither channel nor batch, and along its
    channel axis what `columns` names, then a score per class where there is no `score`, then a mask. Boxes of a score
    below `threshold` go, and those that overlap better ones of their class too much. `objectness` multiplies scores.
    Table coordinates are such that 0 is the middle of the frame's first pixel.
    """

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        names = tuple(taken(SETTINGS, settings, "columns"))
        place = MIDDLES if "height" in names else CORNERS
        if not place <= set(names) or set(names) - place - FURTHER or {"objectness", "score"} <= set(names):
            raise PipelineError(
                f"found boxes with the columns {', '.join(names)}, expected y0, x0, y1, x1 or y, x, height, width, and "
                "beside them at most objectness, or score and class: correct columns"
            )
        along = [name for name in axes if name not in ("channel", "batch")]
        if "channel" not in axes or len(along) != 1:
            raise PipelineError(
                f"found boxes with the axes {', '.join(axes)}, expected channel and one axis of candidates: correct "
                "the package"
            )
        self._order = [axes.index(along[0]), axes.index("channel")]
        self._names = names
        self._threshold = float(taken(SETTINGS, settings, "threshold"))
        self._overlap = float(taken(SETTINGS, settings, "overlap"))
        self._most = int(taken(SETTINGS, settings, "most"))
        self._class_wise = bool(taken(SETTINGS, settings, "class_wise"))
        self._background = bool(taken(SETTINGS, settings, "background"))
        self._unit = np.broadcast_to(np.asarray(taken(SETTINGS, settings, "unit"), np.float64).ravel(), 2)
        self._shift = 0.0 if taken(SETTINGS, settings, "from_centre") else 0.5
        self._mask = _pair(taken(SETTINGS, settings, "masks"), "masks")
        self._size = _pair(taken(SETTINGS, settings, "size"), "size")
        self._mask_threshold = float(taken(SETTINGS, settings, "mask_threshold"))
        if self._mask and not self._size:
            raise PipelineError(
                "found boxes with masks and no size, expected rows and columns of the label image: put size, such as "
                "[512, 512], into config.onscope of the package or the stage's settings"
            )
        self.labels = self._mask is not None
        self.columns: tuple[str, ...] = () if self.labels else COLUMNS
        self.told: list[str] = []

    def rows(self, shape: Sequence[int]) -> int:
        """The most rows of a table that an output of this shape makes."""
        return min(self._most, shape[self._order[0]])

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        count, channels = (output.shape[at] for at in self._order)
        cells = self._mask[0] * self._mask[1] if self._mask else 0
        stated = "score" in self._names
        classes = channels - len(self._names) - cells
        if output.size != count * channels or (classes != 0 if stated else classes < 1 + self._background):
            shape = "x".join(map(str, output.shape))
            further = ["a score per class"] * (not stated) + [f"{cells} numbers of a mask"] * (cells > 0)
            raise PipelineError(
                f"found an output of {shape}, expected {', '.join((*self._names, *further))} of each candidate: "
                "correct columns or masks"
            )
        others = [at for at in range(output.ndim) if at not in self._order]
        table = output.transpose(*self._order, *others).reshape(count, channels)
        chosen, boxes, kind, score = self._best(table[:, : channels - cells])
        kept = kept_boxes(boxes, kind if self._class_wise else np.zeros_like(kind), self._overlap, self._most)
        boxes = boxes[kept]
        if self._mask is None or self._size is None:
            answer = np.column_stack([boxes, kind[kept], score[kept]]).astype(np.float32)
            return answer, "ic"
        masks = table[chosen[kept], channels - cells :].astype(np.float32).reshape(-1, *self._mask)
        return pasted(boxes, masks, self._mask_threshold, self._size), "yx"

    def _best(
        self, table: Pixels
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Numbers, boxes, classes and scores of the candidates that reach the threshold, the best first."""
        at = {name: place for place, name in enumerate(self._names)}
        if "score" in at:
            score = table[:, at["score"]].astype(np.float64)
            kind = table[:, at["class"]].astype(np.intp) if "class" in at else np.zeros(len(table), np.intp)
        else:
            scores = table[:, len(self._names) + self._background :]
            kind = scores.argmax(1)
            score = np.take_along_axis(scores, kind[:, None], 1)[:, 0].astype(np.float64)
            if "objectness" in at:
                score = score * table[:, at["objectness"]]
        chosen = np.flatnonzero(score >= self._threshold)
        chosen = chosen[np.argsort(-score[chosen], kind="stable")]
        self.told = []
        if len(chosen) > CANDIDATES:
            self.told = [f"{len(chosen)} candidates for boxes: the {CANDIDATES} of the highest score were looked at"]
            chosen = chosen[:CANDIDATES]
        wanted = ("y0", "x0", "y1", "x1") if "y0" in at else ("y", "x", "height", "width")
        places = np.array([at[name] for name in wanted])
        found = np.clip(table[chosen[:, None], places].astype(np.float64), -FAR, FAR)
        if "y0" not in at:
            found = np.concatenate([found[:, :2] - found[:, 2:] / 2, found[:, :2] + found[:, 2:] / 2], axis=1)
        found = found * np.tile(self._unit, 2) - self._shift
        solid = (found[:, 2:] > found[:, :2]).all(1)
        return chosen[solid], found[solid], kind[chosen[solid]], score[chosen[solid]]


def _pair(value: Any, name: str) -> tuple[int, int] | None:
    if value is None:
        return None
    if len(value) != 2 or any(each != int(each) for each in value):
        raise PipelineError(f"found {name} {value!r} for boxes, expected rows and columns: correct {name}")
    return int(value[0]), int(value[1])
