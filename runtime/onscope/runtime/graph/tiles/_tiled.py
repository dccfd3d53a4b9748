"""Run a graph over the tiles of a frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ProviderError
from ...engines import Staged, TensorSpec
from .._types import Compiled, Raw
from ._blend import Joined, seam_error
from ._tiles import AXES, starts_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...engines import Pending, Session

    Array = npt.NDArray[Any]


class Tiled:
    """A session over the tiles of a frame, to be called as the session of an untiled graph is: the Session contract.

    `compiled` is what the session was opened with; its `tiling` and `answers` say how, `raw` the shape of the whole
    frames. Answers are cut in the middle of the overlap; where the tiling says so, floats are blended over it (a label
    is no quantity). A graph of more than one tile at a time takes frames, and gives
    answers, with one more axis in front.

    An exact tiling's answers are bit for bit those of whole frames with ONNX Runtime 1.31 on the CPU: its convolutions,
    pooling, resizing, matrix products and most functions compute a pixel in the same way wherever it lies. Softplus,
    Mish and Log do not at the ends of what each thread takes: 1 to 3 units in the last place, in single pixels.
    """

    def __init__(self, session: Session, compiled: Compiled, raw: Raw) -> None:
        tiling = compiled.tiling
        if tiling is None:
            raise ValueError("found a graph that takes whole frames, expected one that takes tiles")
        self._session, self._compiled, self.tiling = session, compiled, tiling
        rows, columns = starts_of(tiling, raw.shape)
        self.starts = rows, columns
        """The first row of every row of tiles, and the first column of every column of them."""
        self._places = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
        self.runs = -(-len(self._places) // tiling.batch)
        """How often the graph is run for one frame."""
        self._many = tiling.batch > 1
        shape = ((tiling.batch,) if self._many else ()) + tiling.tile + raw.shape[2:]
        self._staged = session if isinstance(session, Staged) else None
        depth = 1 if self._staged is None else self._staged.depth
        # As many as tiles are under way: one that is cut must not change those that still go to the engine.
        self._buffers = [[np.zeros(shape, raw.dtype) for _ in range(compiled.frames)] for _ in range(depth)]
        self._joined: list[Joined] = []
        self.provider = session.provider
        frames = tuple(TensorSpec(spec.name, raw.shape, spec.dtype) for spec in session.inputs[: compiled.frames])
        states = {state.input: state.shape for state in compiled.states}
        others = session.inputs[compiled.frames :]
        self.inputs = (
            *frames,
            *(TensorSpec(each.name, states.get(each.name, each.shape), each.dtype) for each in others),
        )
        whole = {answer.output: answer.shape for answer in compiled.answers}
        whole |= {state.output: state.shape for state in compiled.states}
        self.outputs = tuple(
            TensorSpec(each.name, whole.get(each.name, each.shape), each.dtype) for each in session.outputs
        )

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The answers for whole frames, then the new states, for frames, scalars and states in the graph's order.

        Each state has one more axis in front, of size `runs`; scalars go to every tile as they are. The arrays
        returned are the caller's until the next call.
        """
        count, states = len(self._compiled.answers), len(self._compiled.states)
        frames, rest = arrays[: self._compiled.frames], arrays[self._compiled.frames :]
        scalars, held = rest[: len(rest) - states], rest[len(rest) - states :]
        kept: list[list[Array]] = [[] for _ in self._compiled.states]
        for joined in self._joined:
            joined.clear()
        for places, outputs in self._outputs(frames, scalars, held):
            if not self._joined:
                self._joined = [self._join(at, output) for at, output in enumerate(outputs[:count])]
            for joined, output in zip(self._joined, outputs, strict=False):
                for item, place in enumerate(places):
                    joined.put(output[item] if self._many else output, *place)
            for mine, state in zip(kept, outputs[count:], strict=True):
                mine.append(state.copy())
        return [*(joined.array for joined in self._joined), *(np.stack(mine) for mine in kept)]

    def _outputs(
        self, frames: Sequence[Array], scalars: Sequence[Array], held: Sequence[Array]
    ) -> Iterator[tuple[Sequence[tuple[int, int]], list[Array]]]:
        """The graph's outputs for the tiles at some places, in their order; each until the next is asked for."""
        under_way: deque[tuple[Sequence[tuple[int, int]], Pending]] = deque()
        batch = self.tiling.batch
        try:
            for number in range(self.runs):
                places = self._places[number * batch : (number + 1) * batch]
                buffers = self._buffers[number % len(self._buffers)]
                if self._staged is not None and len(under_way) == len(self._buffers):
                    yield self._waited(under_way)
                self._cut(buffers, frames, places)
                given = [*buffers, *scalars, *(state[number] for state in held)]
                if self._staged is None:
                    yield places, self._session.run(given)
                else:
                    under_way.append((places, self._staged.start(given)))
            while under_way:
                yield self._waited(under_way)
        finally:
            for _, pending in under_way:
                with suppress(ProviderError):  # another was raised already
                    pending.wait()

    def _waited(
        self, under_way: deque[tuple[Sequence[tuple[int, int]], Pending]]
    ) -> tuple[Sequence[tuple[int, int]], list[Array]]:
        places, pending = under_way.popleft()
        return places, pending.wait()

    def seam_errors(self, whole: Sequence[Array], tiled: Sequence[Array]) -> list[float]:
        """For each answer the largest difference near a seam, as a part of the range of the whole frame's answer.

        `whole` are the answers of an untiled graph for a frame, `tiled` those of `run` for the same one.
        """
        return [
            seam_error(one, other, joined.seams())
            for one, other, joined in zip(whole, tiled, self._joined, strict=False)
        ]

    def _cut(self, buffers: Sequence[Array], frames: Sequence[Array], places: Sequence[tuple[int, int]]) -> None:
        """The tiles in rows and columns `places` into the buffers; what is left of a batch keeps older pixels."""
        height, width = self.tiling.tile
        for buffer, frame in zip(buffers, frames, strict=True):
            for item, (row, column) in enumerate(places):
                top, left = self.starts[0][row], self.starts[1][column]
                np.copyto(buffer[item] if self._many else buffer, frame[top : top + height, left : left + width])

    def _join(self, at: int, output: Array) -> Joined:
        answer, tile = self._compiled.answers[at], output[0] if self._many else output
        scales = self.tiling.scales[at] if self.tiling.scales else (1.0, 1.0)
        begins = [
            [int(start * Fraction(scale).limit_denominator(1024)) for start in first]
            for first, scale in zip(self.starts, scales, strict=True)
        ]
        axes = answer.axes.index(AXES[0]), answer.axes.index(AXES[1])
        blended = self.tiling.blended and tile.dtype.kind == "f"
        return Joined(tile, axes, (begins[0], begins[1]), blended)
