"""`null:MS`: takes MS milliseconds and answers what the graph answered to the first frame of that shape.

It stands for a network of a chosen cost: rehearsals and tests of overload need no heavy model. Its warm-ups are not
slowed down.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from .._errors import ProviderError
from ._interface import WARM_UPS, Array, Session
from ._onnxruntime import OnnxRuntimeSession


class NullEngine:
    """Opens graphs that are run once per shape, and then only waited for."""

    def __init__(self, argument: str = "") -> None:
        try:
            self._delay_s = float(argument or 0) / 1e3
        except ValueError:
            raise ProviderError(
                f"found the provider 'null:{argument}', expected 'null:MS' with the milliseconds of one run"
            ) from None

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return NullSession(OnnxRuntimeSession(graph, threads), self._delay_s)


class NullSession:
    """Remembers the first answer per shape."""

    def __init__(self, real: OnnxRuntimeSession, delay_s: float) -> None:
        self._real = real
        self._delay_s = delay_s
        self._runs = 0
        self._answers: dict[tuple[tuple[int, ...], ...], list[Array]] = {}
        self.provider = f"null:{delay_s * 1e3:g}"
        self.inputs = real.inputs
        self.outputs = real.outputs

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        shapes = tuple(array.shape for array in arrays)
        if shapes not in self._answers:
            self._answers[shapes] = self._real.run(arrays)
        self._runs += 1
        if self._delay_s and self._runs > WARM_UPS:
            time.sleep(self._delay_s)
        return self._answers[shapes]
