"""Inference on a part of the frame: windows are cut, answers are put back into the raw frame's coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._errors import PipelineError
from .._frame import Pixels
from ._chain import Chain
from ._opened import PLACES, StageAnswer
from ._runs import UnderWay

MICROMETRES = {"y_um": 0, "x_um": 1}
"""Columns that are places in micrometres."""


class Regional:
    """A chain that sees `region` (y, x, height, width; None: all) of frames of `spec`, and answers as of all of it.

    Images have the size that those of the whole frame have. Outside the region floats are NaN, whole numbers 0. Raises
    PipelineError when an answer's pixels do not divide the region.
    """

    def __init__(self, chain: Chain, spec: Mapping[str, Any], region: Sequence[int] | None) -> None:
        self.chain = chain
        self._region = None if region is None else tuple(region)
        self._shape = tuple(spec["shape"])
        self._pixel_um = spec["pixel_size_um"] or 1.0
        self.opened = [self._whole(answer) for answer in chain.opened]

    def run(self, window: Sequence[Pixels], chosen: Sequence[int] | None, *more: Any, **named: Any) -> Any:
        """As `Chain.run`."""
        return self.finish(self.begin(window, chosen, *more, **named))

    def lie_in(self, memory: Pixels, segment: str) -> None:
        """The frames will lie in this memory, the shared segment of that name."""
        if self._region is None:  # else they are cut, and copied for it
            for group in self.chain.groups:
                group.lie_in(memory, segment)

    def begin(self, window: Sequence[Pixels], chosen: Sequence[int] | None, *more: Any, **named: Any) -> UnderWay:
        """As `Chain.begin`."""
        if self._region is not None:
            y, x, height, width = self._region
            window = [np.ascontiguousarray(frame[y : y + height, x : x + width]) for frame in window]
        return self.chain.begin(window, chosen, *more, **named)

    def finish(self, one: UnderWay) -> Any:
        """As `Chain.finish`."""
        answers, stamps = self.chain.finish(one)
        if self._region is None:
            return answers, stamps
        numbers = range(len(self.opened)) if one.chosen is None else one.chosen
        return [self._back(number, answer) for number, answer in zip(numbers, answers, strict=True)], stamps

    def _whole(self, answer: StageAnswer) -> StageAnswer:
        if self._region is None or answer.columns:
            return answer
        shape = list(answer.shape)
        for axis, (name, start, size) in enumerate(zip("yx", self._region[:2], self._region[2:], strict=True)):
            at = answer.axes.index(name)
            if start * shape[at] % size or self._shape[axis] * shape[at] % size:
                raise PipelineError(
                    f"found answers of {shape[at]} pixels along {name} from the stage {answer.stage!r} for a region of "
                    f"{size}, expected pixels that its border does not cut: leave out the step roi"
                )
            shape[at] = self._shape[axis] * shape[at] // size
        return replace(answer, shape=tuple(shape))

    def _back(self, number: int, answer: Pixels) -> Pixels:
        assert self._region is not None
        expected = self.opened[number]
        if not expected.columns:
            whole = np.full(expected.shape, np.nan if answer.dtype.kind == "f" else 0, answer.dtype)
            place = [slice(None)] * answer.ndim
            for axis, name in enumerate("yx"):
                at = expected.axes.index(name)
                start = self._region[axis] * answer.shape[at] // self._region[2 + axis]
                place[at] = slice(start, start + answer.shape[at])
            whole[tuple(place)] = answer
            return whole
        moved = answer.copy()
        for column, name in enumerate(expected.columns):
            if name in PLACES:
                shift: float = self._region[PLACES[name]]
            elif name in MICROMETRES:
                shift = self._region[MICROMETRES[name]] * self._pixel_um
            else:
                continue
            values = moved[name] if moved.dtype.names else moved[:, column]
            values += np.asarray(shift).astype(values.dtype)
        return moved
