"""Does an engine that was built give what the graph gives? Its answers against those of the CPU, and of float weights.

A network in fewer bits has an error already, which was judged when the variant was made. An engine may add to it what
rounding in another order adds, and TensorRT's signed 8 bits: its error against the float network may be `SLACK` times
that of the same variant on the CPU, and `FLOOR` of the answer's range, and one count where answers are whole numbers.
Rows of a table are compared as places, for equal scores may change their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._frame import Pixels
from ..graph import StageRequest, compile_group
from ._chain import Chain
from ._group import Group
from ._plan import FRAME
from ._scalars import Scalars

SLACK = 3.0
FLOOR = 1e-3
PERCENTILE = 99.9
"""Of the errors of an answer's pixels."""
NEAR_PX = 1.0
STEPS = 8
"""Of rounding: an answer that is flat but for so many differs by no more than rounding in another order adds."""

Array = npt.NDArray[Any]


def reach(numbers: Array) -> float:
    """What errors are a share of: the range of the finite numbers, and 1 where all are one whole number, or 0.

    The range of floats that are all but one number is nothing but rounding: it is taken for at least so much that
    `STEPS` steps of the largest number's rounding are `FLOOR` of it (of float16, one step).
    """
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return 1.0
    lowest, highest = float(finite.min()), float(finite.max())
    least = 0.0
    if finite.dtype.kind == "f":
        share = min(STEPS * float(np.finfo(finite.dtype).eps) / FLOOR, 1.0)
        least = share * max(abs(lowest), abs(highest))
    return max(highest - lowest, least) or 1.0


@dataclass(frozen=True, slots=True)
class EngineError:
    """How far one stage's answer is from the float network's on the CPU: the engine's, and the same graph's there."""

    engine: float
    cpu: float
    count: float = 0.0
    """What one count is of the answer's range; 0 where answers are no whole numbers."""

    @property
    def passed(self) -> bool:
        return self.engine <= SLACK * self.cpu + FLOOR + self.count


def engine_errors(
    chain: Chain, window: Sequence[Pixels], floats: Mapping[str, StageRequest], provider: str = "cpu"
) -> dict[str, EngineError]:
    """The error of each stage of a chain on one window, by name.

    `floats` are the stages that run a variant, with their float weights. `provider` is what is compared with. Raises
    what a Chain raises.
    """
    errors: dict[str, EngineError] = {}
    images: dict[str, Pixels] = {}
    for group in chain.groups:
        reads = window if group.reads == FRAME else [np.ascontiguousarray(images[group.reads])]
        outputs = [np.array(output) for output in group.outputs(reads, reset=True)]
        variants = any(request.name in floats for request in group.requests.values())
        same = _answers(chain, group, {}, provider, reads)
        exact = _answers(chain, group, floats, provider, reads) if variants else same
        for number, place in group.places.items():
            name, decode = group.requests[number].name, group.decoders[number]
            found = [(decode(answers[place])[0], decode) for answers in (outputs, same, exact)]
            (engine, _), (cpu, _), (wanted, _) = found
            if decode.columns:
                errors[name] = EngineError(*(_unmatched(each, wanted, decode.columns) for each in (engine, cpu)))
            elif decode.labels or wanted.dtype.kind == "b":
                errors[name] = EngineError(_differing(engine, wanted), _differing(cpu, wanted))
            else:
                count = 1 / reach(wanted) if wanted.dtype.kind in "iu" else 0.0
                errors[name] = EngineError(_distance(engine, wanted), _distance(cpu, wanted), count)
            images[name] = engine
    return errors


def _answers(
    chain: Chain, group: Group, floats: Mapping[str, StageRequest], provider: str, window: Sequence[Pixels]
) -> list[Array]:
    """All answers of a group's graph on another provider, the stages in `floats` with their float weights."""
    requests = {number: floats.get(request.name, request) for number, request in group.requests.items()}
    calibration = chain.calibration if group.reads == FRAME else None
    compiled = compile_group(list(requests.values()), group.raw, calibration) if floats else group.compiled
    scalars = Scalars(compiled.scalars, group.raw, chain.bit_depth, lambda note: None)
    other = Group(requests, group.reads, compiled, group.raw, scalars, (provider, None))
    return [np.array(output) for output in other.outputs(window, reset=True)]


def _distance(found: Array, wanted: Array) -> float:
    """How far an image is from another, as a share of its range."""
    if found.shape != wanted.shape:
        return float("inf")
    apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    return float(np.percentile(apart, PERCENTILE)) / reach(wanted) if apart.size else 0.0


def _differing(found: Array, wanted: Array) -> float:
    """The share of pixels that differ: of labels, one more is as wrong as any other."""
    return float((found != wanted).mean()) if found.shape == wanted.shape else float("inf")


def _unmatched(found: Array, wanted: Array, columns: Sequence[str]) -> float:
    """The share of places in either table that have none of the other within a pixel."""
    places = [table[:, [columns.index(name) for name in ("y", "x")]] for table in (found, wanted)]
    if not all(map(len, places)):
        return float(len(found) != len(wanted))
    apart = np.linalg.norm(places[0][:, np.newaxis] - places[1][np.newaxis], axis=2) > NEAR_PX
    return float((apart.all(axis=1).sum() + apart.all(axis=0).sum()) / (len(found) + len(wanted)))
