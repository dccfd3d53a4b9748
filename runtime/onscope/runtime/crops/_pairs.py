"""Pairwise networks: of two frames and the objects in both, where has each object gone?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ..graph import Raw, StageRequest
from ..package import TensorDescription
from ._cut import Border, background, cut
from ._links import Links, joined, scored
from ._scale import at_scale, labels_at_scale, places_at_scale, scaled_for
from ._sessions import Sessions
from ._settings import CropSettings, crop_border, crop_side, image_of, pixel_size

PARTS = ("previous", "object", "current", "objects", "previous_objects")
"""What a channel of such a network may be: the frame before, in it the one object's mask, this frame, the mask of all
objects in it, and the mask of all objects before. Masks are 0 and 1."""
BACKGROUND = "background"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame with its objects, at the network's pixel size. `rows` (y, x) is the row of each pixel's object, or -1."""

    image: Pixels
    ground: Pixels
    rows: npt.NDArray[np.int32]
    centres: npt.NDArray[np.float64]
    areas: npt.NDArray[np.int64]


class PairNetwork:
    """Runs a network on a crop around each object before, and tells which objects now it has become.

    Its input's channels are `PARTS`, told in their order by the setting `pair` or the channels' names; its answer is a
    mask of where the object and its daughters are now, or several (those named "background" are left out). `raw` are
    the frames, without a window; the other arguments are those of CropsRunner. Raises PipelineError, PackageError or
    ProviderError.
    """

    def __init__(
        self,
        request: StageRequest,
        settings: CropSettings,
        raw: Raw,
        engine: tuple[str, int | None],
        *,
        build: Callable[[Path], object] = lambda graph: None,
    ) -> None:
        image = image_of(request)
        self.name = request.name
        self.parts, self.side, self._border = check_pairs(request, settings)
        self._raw = raw
        self._shape, self.notes = scaled_for(request, raw, pixel_size(request, image))
        crop = replace(raw, shape=(self.side, self.side), length=len(self.parts), letter="c", target=0)
        self._sessions = Sessions(replace(request, normalise="per_crop"), crop, engine, None, build)
        self.provider, self.sha256 = self._sessions.provider, self._sessions.sha256
        self._answer = self._sessions.compiled.answers[0]
        names = next((axis.channels for axis in request.outputs[0].described if axis.kind == "channel"), ())
        self._masks = [at for at, name in enumerate(names) if name != BACKGROUND]
        self._check_answer()
        pixels = self._shape[0] * self._shape[1]
        self.nbytes = pixels * (np.dtype(raw.dtype).itemsize + np.dtype(np.int32).itemsize)
        """Bytes of what a tracker remembers of a frame."""

    def look(self, image: Pixels, labels: npt.NDArray[np.int32], objects: npt.NDArray[Any]) -> Seen:
        """A frame (y, x) with its label image and its objects: `label`, and y and x in pixels of the frame.

        Raises PipelineError for objects without these columns, or without a place.
        """
        names = set(objects.dtype.names or ())
        if not {"label", "y", "x"} <= names:
            raise PipelineError(
                f"found objects without {', '.join(sorted({'label', 'y', 'x'} - names))} for the stage {self.name!r}, "
                "expected those that were measured by labels"
            )
        scaled = at_scale(image, self._shape)
        ids = np.asarray(objects["label"], np.int64)
        known = np.full(max(int(labels.max(initial=0)), int(ids.max(initial=0))) + 1, -1, np.int32)
        known[ids] = np.arange(len(ids))
        known[0] = -1
        rows = known[labels_at_scale(labels, self._shape)]
        centres = np.stack([np.asarray(objects[axis], np.float64) for axis in ("y", "x")], axis=1)
        areas = np.bincount(rows[rows >= 0], minlength=len(ids))
        places = places_at_scale(centres, self._raw.shape, self._shape)
        return Seen(scaled, background(scaled), rows, places, areas)

    def links(self, before: Seen, now: Seen) -> Links:
        """All pairs of objects that the network's masks join. Raises ProviderError when it fails or answers NaN."""
        parts: list[Links] = []
        for batch, part in self._sessions.batches(len(before.centres)):
            centres = before.centres[part]
            rows = cut(now.rows, centres, self.side, border="constant", value=-1)
            for array, what in zip(batch.crops, self.parts, strict=True):
                array[: len(centres)] = self._channel(what, before, now, part, rows)
            answer = self._sessions.run(batch, len(centres))
            parts.append(scored(self._mask(answer), rows, now.areas, part.start))
        return joined(parts)

    def _channel(self, what: str, before: Seen, now: Seen, part: slice, rows: Pixels) -> Pixels:
        if what == "objects":
            return np.asarray(rows >= 0)
        centres = before.centres[part]
        if what in ("previous", "current"):
            seen = before if what == "previous" else now
            border: Border = "constant" if self._border == "background" else self._border
            return cut(seen.image, centres, self.side, border=border, value=seen.ground)
        own = cut(before.rows, centres, self.side, border="constant", value=-1)
        if what == "previous_objects":
            return np.asarray(own >= 0)
        return np.asarray(own == np.arange(len(before.centres))[part, np.newaxis, np.newaxis])

    def _mask(self, answer: Pixels) -> Pixels:
        """The largest of the masks (crops, y, x)."""
        axes = [axis for axis in self._answer.axes if axis != "batch"]
        order = [0, *(1 + axes.index(axis) for axis in axes if axis not in ("y", "x"))]
        turned = np.transpose(answer, [*order, 1 + axes.index("y"), 1 + axes.index("x")])
        masks = turned.reshape(len(answer), -1, self.side, self.side)
        return np.asarray(masks[:, self._masks or slice(None)].max(axis=1))

    def _check_answer(self) -> None:
        sizes = dict(zip(self._answer.axes, self._answer.shape, strict=True))
        if (sizes.get("y"), sizes.get("x")) != (self.side, self.side):
            raise PipelineError(
                f"found a network for the stage {self.name!r} that answers to crops of {self.side} pixels with "
                f"{sizes.get('y')} x {sizes.get('x')}, expected a mask of the same size"
            )


def check_pairs(request: StageRequest, settings: CropSettings) -> tuple[tuple[str, ...], int, Border]:
    """What each channel of a pairwise network is, the side of its crops, and what lies beyond the border.

    Raises PipelineError when the package is no such network, or takes no such crops.
    """
    image = image_of(request)
    if not {"y", "x"} <= set(request.outputs[0].axes):
        raise PipelineError(
            f"found the stage {request.name!r}, whose package answers without y and x, expected masks of where objects "
            "have gone: take `crops` for one that answers with numbers"
        )
    parts, side = _parts(request, image), crop_side(request.name, image, settings.side)
    return parts, side, crop_border(request, image, settings)


def _parts(request: StageRequest, image: TensorDescription) -> tuple[str, ...]:
    channel = next((axis for axis in image.described if axis.kind == "channel"), None)
    parts = tuple(request.settings.get("pair") or (channel.channels if channel else ()))
    if len(set(parts)) != len(parts) or not {"object", "objects"} <= set(parts) <= set(PARTS):
        raise PipelineError(
            f"found the channels {', '.join(map(str, parts)) or 'none'} for the stage {request.name!r}, expected "
            f"some of {', '.join(PARTS)}, object and objects among them: name them in config.onscope.pair"
        )
    if channel is None or channel.size.fixed not in (None, len(parts)):
        raise PipelineError(
            f"found {len(parts)} names in config.onscope.pair for the stage {request.name!r}, expected "
            f"{channel.size.fixed if channel else 'an axis of channels'}: one for each channel"
        )
    return parts
