"""How fast a variant is against the float weights, engine by engine, on this machine: in turns, as ratios."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import ProviderError
from onscope.runtime.engines import Session, open_session
from onscope.runtime.record import machine

from .._original import Array
from ..frames import Tell

if TYPE_CHECKING:
    from onnx import ModelProto

ENGINES = ("cpu", "openvino")
ROUNDS, TURN, WARM_UP = 7, 3, 3
LIMIT_S = 60.0
"""Seconds for an engine's rounds, after which no further one begins: of slow networks there are fewer."""


@dataclass(frozen=True, slots=True)
class Timed:
    """`ratio` is float time / variant time: above 1 the variant is faster. The smallest of three: the median
    of the rounds' ratios, the ratio of the median rounds, and that of the fastest rounds of both; what else runs on the
    machine must make no variant faster.

    Times are medians per frame of `size`, in milliseconds. `load` is the machine's load average before.
    """

    ratio: float
    float_ms: float
    variant_ms: float
    size: str
    cpu: str
    cores: int
    load: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def speeds(
    whole: ModelProto, variants: Mapping[str, ModelProto], fed: Sequence[Array], threads: int | None = None,
    rounds: int = ROUNDS, engines: Sequence[str] = ENGINES, limit_s: float = LIMIT_S,
    tell: Tell = lambda step, done, total: None,
) -> dict[str, dict[str, Timed]]:  # fmt: skip
    """Speeds of each variant by engine; engines that are not here, or cannot run one of them, are left out for it.

    All run on one frame, `fed` in the order of the graph's inputs, with its sizes written into the graph. `limit_s`
    bounds the rounds of each engine, of which there is one at least; `tell` hears of each.
    """
    found: dict[str, dict[str, Timed]] = {name: {} for name in variants}
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            step = f"measuring speeds on {engine}"
            tell(step, 0, rounds)
            sessions: dict[str, Session] = {}
            for name, model in {"float32": whole, **variants}.items():
                path = Path(folder, f"{name}.onnx")
                path.write_bytes(of_size(model, fed).SerializeToString())
                try:
                    sessions[name] = open_session(path, engine, threads)
                    sessions[name].run(fed)
                except ProviderError:
                    sessions.pop(name, None)
            if "float32" not in sessions or len(sessions) == 1:
                tell(step, rounds, rounds)
                continue
            load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0
            times = _turns(sessions, fed, rounds, limit_s, partial(_done, tell, step, rounds))
            tell(step, rounds, rounds)
            for name in sessions:
                if name != "float32":
                    found[name][engine] = _timed(times["float32"], times[name], fed[0].shape, load)
    return found


def _done(tell: Tell, step: str, rounds: int, done: int) -> None:
    tell(step, done, rounds)


def of_size(model: ModelProto, fed: Sequence[Array]) -> ModelProto:
    """A copy for inputs of these shapes alone."""
    import onnx
    from onnx import helper

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]  # inferred for whatever sizes there may be
    constants = {tensor.name for tensor in fixed.graph.initializer}
    inputs = [value for value in fixed.graph.input if value.name not in constants]
    for value, array in zip(inputs, fed, strict=True):
        dtype = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(value.name, dtype, list(array.shape)))
    return fixed


def _turns(
    sessions: Mapping[str, Session], fed: Sequence[Array], rounds: int, limit_s: float, tell: Callable[[int], object]
) -> dict[str, list[float]]:
    """Median milliseconds of each round's turn; turns go in one order and in the other, first frames do not count."""
    times: dict[str, list[float]] = {name: [] for name in sessions}
    ends = time.monotonic() + limit_s
    for session in sessions.values():
        for _ in range(WARM_UP):
            if time.monotonic() < ends:
                session.run(fed)
    for number in range(rounds):
        tell(number)
        if number and time.monotonic() > ends:
            break
        order = list(sessions.items())
        for name, session in order if number % 2 else reversed(order):
            session.run(fed)
            times[name].append(statistics.median(_ms(session, fed) for _ in range(TURN)))
    return times


def _ms(session: Session, fed: Sequence[Array]) -> float:
    start = time.perf_counter_ns()
    session.run(fed)
    return (time.perf_counter_ns() - start) / 1e6


def _timed(whole: Sequence[float], variant: Sequence[float], shape: Sequence[int], load: float) -> Timed:
    here = machine()
    # On a busy machine the rounds' ratios scatter; the fastest rounds of both were the least disturbed, but are few.
    ratios = (
        statistics.median(a / b for a, b in zip(whole, variant, strict=True)),
        min(whole) / min(variant),
        statistics.median(whole) / statistics.median(variant),
    )
    return Timed(
        ratio=round(min(ratios), 3),
        float_ms=round(statistics.median(whole), 3),
        variant_ms=round(statistics.median(variant), 3),
        size="x".join(map(str, shape)),
        cpu=str(here["cpu"]),
        cores=int(here["cores"]),
        load=load,
    )
