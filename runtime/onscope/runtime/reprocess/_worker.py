"""What a worker of Dask does: it reads a chunk's frames, runs its windows, writes their images, and says it is done.

Tasks are the functions `describe` and `compute` with plain values. Frames and answers never pass the scheduler.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._clock import now_ns
from .._errors import OnscopeError, ProviderError
from .._frame import Pixels
from ..record.reprocessed import ElementWriter, PixelReader
from ..worker import Moment, UnderWay, Ways, as_table
from ._chains import Chains, described
from ._store import Store

_desks: dict[str, Desk] = {}
"""By folder of the reprocessing: a worker process keeps what it opened. One at a time is there."""
_one_at_a_time = threading.Lock()


def describe(message: Mapping[str, Any]) -> dict[str, Any]:
    """See `described`."""
    return described(message)


def compute(work: str, chunk: Mapping[str, Any]) -> dict[str, int]:
    """Compute a chunk, unless it is done; how many windows were `computed`, how many `failed`.

    Raises RecordError when frames cannot be read or answers not be written, ProviderError when the engine fails.
    """
    desk = desk_of(work)
    with desk.lock:
        return desk.compute(chunk)


def desk_of(work: str, store: Store | None = None) -> Desk:
    """What this process keeps for a reprocessing; `store` says how it is made, where it is none on the disk."""
    with _one_at_a_time:
        if work not in _desks:
            for desk in _desks.values():
                with desk.lock:
                    desk.chains.close()
            _desks.clear()
            _desks[work] = Desk(store or Store(Path(work)))
        return _desks[work]


class Desk:
    """A worker's open chains, its way to the pixels, and its way to the images."""

    def __init__(self, store: Store) -> None:
        self._store = store
        job = store.told("job")
        self.chains = Chains(store, job["kind"], counts=job["counts"])
        self._pixels = PixelReader(job["reading"])
        self._images = ElementWriter(Path(job["folder"]))
        self._labels = frozenset(job["labels"])
        self.lock = threading.Lock()
        """Engines and files are used by one thread at a time; a worker of Dask may have several."""

    def compute(self, chunk: Mapping[str, Any]) -> dict[str, int]:
        if self._store.has(chunk["key"]):
            return {"computed": 0, "failed": 0}
        ways = self.chains.ready(chunk, self._again)
        answered: list[dict[str, Any]] = []
        tables: dict[str, list[npt.NDArray[Any]]] = {}
        for outcome, answers in self.run(ways, chunk):
            told = chunk["windows"][len(answered)]
            answered.append(outcome)
            for stage, answer in answers.items():
                if stage in told["places"]:
                    path, at = told["places"][stage]
                    self._images.write(path, at, answer, labels=stage in self._labels)
                else:
                    tables.setdefault(stage, []).append(answer)
        self._images.finish()
        arrays = {f"rows {stage}": np.concatenate(each) for stage, each in tables.items()}
        arrays |= {f"counts {stage}": np.array([len(one) for one in each]) for stage, each in tables.items()}
        self.chains.ran(chunk)
        self.chains.keep(chunk)
        told = {"message": dict(chunk), "windows": answered, "frozen": ways.now.frozen()}
        self._store.write(chunk["key"], told, arrays)
        if chunk["previous"]:
            self._store.forget_state(chunk["previous"])
        failed = sum("failed" in each for each in answered)
        return {"computed": len(answered), "failed": failed}

    def _again(self, chunk: Mapping[str, Any]) -> None:
        """Run a chunk that is done once more, for what is remembered after it."""
        ways = self.chains.ready(chunk, self._again)
        for _ in self.run(ways, chunk):
            pass
        ways.now.frozen()
        self.chains.ran(chunk)

    def run(self, ways: Ways, chunk: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]]:
        """What came of each window, in their order, and its answers by stage; these are the reader's."""
        named = {each[0]: each for each in chunk["frames"]}
        needed = {row: n for n, window in enumerate(chunk["windows"]) for row in window["rows"]}
        there: dict[int, Pixels] = {}
        begun: deque[tuple[Mapping[str, Any], int, UnderWay | OnscopeError]] = deque()
        for number, window in enumerate(chunk["windows"]):
            for row in window["rows"]:
                if row not in there:
                    there[row] = self._pixels.read(named[row])
            while begun and not ways.room(0):
                yield _finished(ways, *begun.popleft())
            begun.append((window, now_ns(), _begin(ways, window, [there[row] for row in window["rows"]])))
            for row in [row for row in there if needed[row] <= number]:
                del there[row]
            while begun and ways.depth == 1:
                yield _finished(ways, *begun.popleft())
        while begun:
            yield _finished(ways, *begun.popleft())


def _begin(ways: Ways, window: Mapping[str, Any], pixels: list[Pixels]) -> UnderWay | OnscopeError:
    more = (window["state"], window["reset"], window["channel"], window["keys"])
    try:
        return ways.begin(0, pixels, window["stages"], *more, moment=Moment(*window["moment"]))
    except OnscopeError as error:  # told in its turn
        return error


def _finished(
    ways: Ways, window: Mapping[str, Any], started: int, begun: UnderWay | OnscopeError
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    try:
        if isinstance(begun, OnscopeError):
            raise begun
        answers, stamps = ways.finish(0, begun)
    except ProviderError:  # the engine's fault: the window is computed by another worker, or told
        raise
    except OnscopeError as error:
        return {"failed": str(error)}, {}
    chain = ways.now
    chosen = range(len(chain.opened)) if window["stages"] is None else window["stages"]
    found = {}
    for number, answer in zip(chosen, answers, strict=True):
        opened = chain.opened[number]
        found[opened.stage] = np.array(as_table(answer, opened.columns) if opened.columns else answer)
    outcome = {
        "reset": window["reset"] or chain.began_anew,
        "parameters": chain.parameters,
        "trust": chain.watches.trust,
        "suspect": chain.watches.suspect,
        "stages": [[start - started, end - started] for start, end in stamps],
        "took": now_ns() - started,
    }
    chain.warned()
    return outcome, found
