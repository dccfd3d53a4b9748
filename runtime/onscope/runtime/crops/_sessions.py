"""A stage's compiled graphs for batches of crops of fixed sizes, opened and warmed up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .._clock import now_ns
from .._errors import PipelineError, ProviderError
from .._frame import Pixels
from ..engines import WARM_UPS, Session, open_session
from ..graph import Calibration, Compiled, Raw, StageRequest, compile_group
from ._batches import batches_of, sizes_of

MOST_MB = 500.0
"""Memory that one run may take by its estimate: batches are made no larger."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A compiled graph for `size` crops, its session, and the arrays that crops are put in, one per frame."""

    size: int
    compiled: Compiled
    session: Session
    crops: tuple[Pixels, ...]


class Sessions:
    """The graphs of a stage for crops of `raw`: its shape, without their number, is that of one crop.

    `build` is called with each graph's file before it is opened. Raises PipelineError, PackageError or ProviderError.
    """

    def __init__(
        self,
        request: StageRequest,
        raw: Raw,
        engine: tuple[str, int | None],
        calibration: Calibration | None = None,
        build: Callable[[Path], object] = lambda graph: None,
    ) -> None:
        self._stage = request.name
        self._batches: dict[int, Batch] = {}
        self.warm_ns = 0
        """What the last of the warm-ups of the largest batch took."""
        alone = replace(request, rescale=False, tile=None, reads="frame")
        sizes = sizes_of(next(tensor for tensor in request.inputs if not tensor.optional))
        for size in sizes:
            crops = replace(raw, shape=(size, *raw.shape), axes="n" + raw.axes, pixel_size_um=None)
            compiled = compile_group([alone], crops, calibration)
            if size > sizes[0] and compiled.memory_mb > MOST_MB:
                break
            build(compiled.path)
            session = open_session(compiled.path, *engine)
            arrays = tuple(np.zeros(crops.shape, raw.dtype) for _ in range(compiled.frames))
            self._batches[size] = Batch(size, compiled, session, arrays)
        self.sizes = tuple(self._batches)
        """Crops that are run at once, rising."""
        first = self._batches[self.sizes[0]]
        self.compiled = first.compiled
        """The graph for the smallest batch."""
        self.provider = first.session.provider
        hashes = [batch.compiled.sha256 for batch in self._batches.values()]
        self.sha256 = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
        """That of the lines of the graphs' sha256, smallest batch first."""
        self._warm_up()

    def batches(self, count: int) -> list[tuple[Batch, slice]]:
        """Which of `count` crops are run in which batch, in their order."""
        parts = []
        start = 0
        for size in batches_of(count, self.sizes):
            parts.append((self._batches[size], slice(start, min(start + size, count))))
            start += size
        return parts

    def run(self, batch: Batch, count: int, scalars: Sequence[Pixels] = ()) -> Pixels:
        """The network's first answer to the first `count` crops that lie in a batch's arrays, the others left empty.

        Raises ProviderError when the engine fails, or one of the answers is NaN.
        """
        for crops in batch.crops:
            crops[count:] = 0
        answer = self._by_crop(batch, scalars)[:count]
        if answer.dtype.kind == "f" and answer.size and np.isnan(answer.max()):
            raise ProviderError(
                f"the stage {self._stage!r} answered NaN to a crop: its input holds NaN, or the network overflows on it"
            )
        return answer

    def _by_crop(self, batch: Batch, scalars: Sequence[Pixels]) -> Pixels:
        """The first answer to what lies in a batch's arrays, with the axis of the batch in front."""
        answer = batch.session.run([*batch.crops, *scalars])[0]
        axes = self.compiled.answers[0].axes
        return np.moveaxis(answer, axes.index("batch"), 0) if "batch" in axes else answer[np.newaxis]

    def _warm_up(self) -> None:
        scalars = [np.zeros(scalar.shape, np.float32) for scalar in self.compiled.scalars]
        for batch in self._batches.values():
            for _ in range(WARM_UPS):
                start = now_ns()
                answer = self._by_crop(batch, scalars)
                self.warm_ns = now_ns() - start
            if answer.shape[0] != batch.size:
                raise PipelineError(
                    f"found {answer.shape[0]} answers to {batch.size} crops from the stage {self._stage!r}, expected "
                    "one for each along the axis batch: correct the package"
                )
