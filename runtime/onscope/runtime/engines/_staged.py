"""`staged:UP+MS+DOWN`: a GPU that is none. Frames go up, a graph runs, answers come down, each by a thread of its own.

The three take at least so many milliseconds each (`staged` alone: no longer than they need) while Python goes on, with
several windows under way. ONNX Runtime runs the graph on the CPU, so the numbers are real: rehearsals, tests and
benchmarks meet what a GPU's engine would have them meet.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from .._errors import ProviderError
from ._interface import WARM_UPS, Array, Pending, Stayed, check_arrays
from ._onnxruntime import OnnxRuntimeSession

DEPTH = 3
KEPT = 64
"""Frames that stay there by their keys, for windows that overlap."""


class StagedEngine:
    """Opens graphs as sessions whose work is done by threads."""

    def __init__(self, argument: str = "") -> None:
        try:
            up, run, down = (float(each) for each in argument.split("+")) if argument else (0.0, 0.0, 0.0)
        except ValueError:
            raise ProviderError(
                f"found the provider 'staged:{argument}', expected 'staged:UP+MS+DOWN' with the milliseconds of a copy "
                "there, of a run and of a copy back"
            ) from None
        self._times_ms = up, run, down

    def open(self, graph: Path, threads: int | None = None) -> StagedSession:
        return StagedSession(OnnxRuntimeSession(graph, threads), self._times_ms)


class StagedSession:
    """A session as `Staged` describes it. `sent` counts the arrays that were copied there."""

    depth = DEPTH

    def __init__(self, real: OnnxRuntimeSession, times_ms: tuple[float, float, float]) -> None:
        self.provider = f"staged:{'+'.join(f'{each:g}' for each in times_ms)}" if any(times_ms) else "staged"
        self.inputs, self.outputs = real.inputs, real.outputs
        self.sent = 0
        self._real = real
        self._seconds = [each / 1e3 for each in times_ms]
        self._streams = [_Stream(name) for name in ("up", "run", "down")]
        self._begun: deque[_Window] = deque()
        self._stays: tuple[int, ...] = ()
        self._there: OrderedDict[int, _There] = OrderedDict()
        self._answers: list[dict[int, Array]] = [{} for _ in range(DEPTH)]
        self._windows = 0

    def lie_in(self, memory: Array) -> None:
        """Nothing has to be made ready."""

    def stay(self, outputs: Sequence[int]) -> None:
        self._stays = tuple(outputs)

    def run(self, arrays: Sequence[Array | Stayed]) -> list[Array]:
        return self._begin(arrays, (), ()).wait()

    def start(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None] | None = None) -> Pending:
        return self._begin(arrays, keys or (), self._stays)

    def _begin(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None], stays: Sequence[int]) -> _Window:
        check_arrays(self.inputs, arrays)
        while len(self._begun) >= DEPTH:
            self._begun.popleft().done.wait()
        self._windows += 1
        sources: dict[int, tuple[Array, _There]] = {}
        named = zip(arrays, keys or [None] * len(arrays), strict=True)
        inputs = [self._input(array, key, sources) for array, key in named]
        self.sent += len(sources)
        window = _Window(
            inputs, [_There(tuple(size or 0 for size in each.shape), each.dtype) for each in self.outputs], stays
        )
        self._begun.append(window)
        up, run, down = self._seconds if self._windows > WARM_UPS else (0.0, 0.0, 0.0)
        into = self._answers[self._windows % DEPTH]
        self._streams[0].put(_Stream.NOW, up, lambda: window.go_up(list(sources.values())), window.up)
        self._streams[1].put(window.up, run, lambda: window.go(self._real), window.ran)
        self._streams[2].put(window.ran, down, lambda: window.come_down(into), window.done)
        return window

    def _input(self, array: Array | Stayed, key: int | None, sources: dict[int, tuple[Array, _There]]) -> _There:
        if isinstance(array, _There):
            return array
        if not isinstance(array, np.ndarray):
            raise ProviderError(f"found a {type(array).__name__} of another session, expected one of this session")
        there = None if key is None else self._there.get(key)
        if there is None:
            there = _There(array.shape, array.dtype)
            sources[id(there)] = array, there
            if key is not None:
                self._there[key] = there
                if len(self._there) > KEPT:
                    self._there.popitem(last=False)
        return there

    def __del__(self) -> None:
        for stream in getattr(self, "_streams", ()):
            stream.end()


class _There:
    """Memory that lies there: of an input, or of an output."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self.written = threading.Event()
        self.content: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape if self.content is None else self.content.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype if self.content is None else self.content.dtype

    def read(self) -> Array:
        self.written.wait()
        if self.content is None:
            raise ProviderError("the window before this one failed, and what it should have left is not there")
        return self.content

    def fetch(self) -> Array:
        return np.array(self.read())


class _Window:
    """One window on its way through the three threads."""

    def __init__(self, inputs: Sequence[_There], outputs: Sequence[_There], stays: Sequence[int]) -> None:
        self.up, self.ran, self.done = threading.Event(), threading.Event(), threading.Event()
        self._inputs, self._stays = inputs, stays
        self._outputs = outputs
        self.stayed: Sequence[Stayed] = tuple(outputs[at] for at in stays)
        self._answers: list[Array] = []
        self._error: Exception | None = None

    def wait(self) -> list[Array]:
        self.done.wait()
        if self._error is not None:
            raise self._error
        return self._answers

    def go_up(self, sources: Sequence[tuple[Array, _There]]) -> None:
        for array, there in sources:
            there.content = np.array(array)
            there.written.set()

    def go(self, real: OnnxRuntimeSession) -> None:
        try:
            answers = real.run([each.read() for each in self._inputs])
            for there, answer in zip(self._outputs, answers, strict=True):
                there.content = answer
        except Exception as error:  # told by `wait`, to whom asked for it
            self._error = error
        self._inputs = ()
        for there in self._outputs:
            there.written.set()

    def come_down(self, into: dict[int, Array]) -> None:
        for at, there in enumerate(self._outputs):
            if at in self._stays or there.content is None:
                continue
            if at not in into or into[at].shape != there.shape:
                into[at] = np.empty_like(there.content)
            np.copyto(into[at], there.content)
            self._answers.append(into[at])


Work = tuple[threading.Event, float, Callable[[], object], threading.Event]


class _Stream:
    """A thread that does one thing after another: once `after` is set, for `seconds` at least, and then sets `done`."""

    NOW = threading.Event()
    NOW.set()

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        threading.Thread(target=_work, args=(self._queue,), name=f"onscope-staged-{name}", daemon=True).start()

    def put(self, after: threading.Event, seconds: float, work: Callable[[], object], done: threading.Event) -> None:
        self._queue.put((after, seconds, work, done))

    def end(self) -> None:
        """Once all that was put is done."""
        self._queue.put(None)


def _work(queue: SimpleQueue[Work | None]) -> None:
    while (item := queue.get()) is not None:
        after, seconds, work, done = item
        after.wait()
        began = time.perf_counter()
        work()
        time.sleep(max(0.0, seconds - (time.perf_counter() - began)))
        done.set()
        del item, work  # what they hold may be freed while this waits for more
