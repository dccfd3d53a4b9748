"""What finished chunks hold, as the rows of a recording's tables: by the writers of the live run, window by window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from .._ledger import Ledger, LedgerRow
from .._result import Provenance, Result, Stamps
from ..record.reprocessed import KnownFrame, ReprocessedRecording
from ._job import Job, provenance_of
from ._store import Store

Arrays = Mapping[str, npt.NDArray[Any]]


class Account:
    """The planned account of a run, in which the windows that `failed` are told as such: ids and why."""

    def __init__(self, planned: Ledger, failed: Mapping[tuple[Any, ...], str]) -> None:
        self._planned, self._failed = planned, failed

    @property
    def counts(self) -> dict[str, int]:
        counts = self._planned.counts
        counts["done"] -= len(self._failed)
        counts["failed"] += len(self._failed)
        return counts

    def table(self) -> Iterator[LedgerRow]:
        for row in self._planned.table():
            why = self._failed.get(tuple(row.id))
            yield row if why is None else row._replace(state="failed", reason=why)


class Assembler:
    """Enters chunks into a recording, in the order in which they are given; `failed` are the frames without answers."""

    def __init__(self, job: Job, recording: ReprocessedRecording, store: Store) -> None:
        self._job, self._recording, self._store = job, recording, store
        self._origins = [provenance_of(look) for look in job.looks]
        self.failed: dict[tuple[Any, ...], str] = {}
        self.frozen: list[dict[str, Any]] = []
        """Statistics that were frozen, as the manifest tells them."""

    def add(self, keys: Iterable[str]) -> Iterator[int]:
        """Enter chunks; how many windows each had, as it is done. Raises RecordError."""
        self._recording.begin_tables()
        for key in keys:
            told, arrays = self._store.read(key)
            yield self._enter(told, arrays)

    def _enter(self, told: Mapping[str, Any], arrays: Arrays) -> int:
        chunk = told["message"]
        windows = chunk["windows"]
        known = self._job.frames.known({row for window in windows for row in (*window["rows"], window["last"])})
        sums = {tuple(each.frame.id): int(each.named[-1]) for each in known.values()}
        tables = {name.removeprefix("rows "): _Cut(arrays, name) for name in arrays if name.startswith("rows ")}
        for window, outcome in zip(windows, told["windows"], strict=True):
            if "failed" in outcome:
                for row in window["owned"]:
                    self.failed[tuple(known[row].frame.id)] = outcome["failed"]
                continue
            result = self._result(chunk["lane"], window, outcome, known, tables)
            given = {stage: (path, at) for stage, (path, at) in window["places"].items()}
            self._recording.answers.note(result, known[window["rows"][window["target"]]].place, given, sums)
        self._freeze(chunk["lane"], told["frozen"])
        return len(windows)

    def _result(
        self,
        lane: int,
        window: Mapping[str, Any],
        outcome: Mapping[str, Any],
        known: Mapping[int, KnownFrame],
        tables: Mapping[str, _Cut],
    ) -> Result:
        look = self._job.looks[lane]
        ran = range(len(look["answers"])) if window["stages"] is None else window["stages"]
        answers: dict[str, npt.NDArray[Any]] = {}
        scales: dict[str, float] = {}
        spans: dict[str, tuple[int, int]] = {}
        received = known[window["last"]].frame.received_ns
        for number, (start, end) in zip(ran, outcome["stages"], strict=True):
            opened = look["answers"][number]
            stage, shape = opened["stage"], tuple(opened["shape"])
            spans[stage] = received + start, received + end
            if opened["columns"]:
                answers[stage] = tables[stage].next()
            else:  # it is on the disk already
                answers[stage] = np.broadcast_to(np.zeros((), opened["dtype"]), shape)
                scales[stage] = shape[opened["axes"].index("y")] / look["message"]["spec"]["shape"][0]
        finished = received + outcome["took"]
        begun = (received, received, received, received, received)
        stamps = Stamps(*begun, MappingProxyType(spans), finished, finished)
        origins: Mapping[str, Provenance] = self._origins[lane]
        return Result(
            tuple(known[row].frame for row in window["rows"]),
            answers,
            stamps,
            origins,
            "done",
            scales,
            window["target"],
            window["padded"],
            bool(outcome["reset"]),
            outcome["parameters"],
            outcome["trust"],
            {stage: tuple(names) for stage, names in outcome["suspect"].items()},
        )

    def _freeze(self, lane: int, news: Sequence[Mapping[str, Any]]) -> None:
        look = self._job.looks[lane]
        for each in news:
            pairs = zip(each["statistics"], each["values"], strict=True)
            named = {name: got[0] if len(got) == 1 else list(got) for name, got in pairs if got is not None}
            shape = list(look["message"]["spec"]["shape"])
            self.frozen.append({"camera": look["camera"], "shape": shape, "channel": each["channel"], "frozen": named})


class _Cut:
    """A chunk's rows of one stage, given window by window."""

    def __init__(self, arrays: Arrays, name: str) -> None:
        self._rows = arrays[name]
        self._counts = iter(arrays[name.replace("rows ", "counts ", 1)])
        self._at = 0

    def next(self) -> npt.NDArray[Any]:
        start = self._at
        self._at += int(next(self._counts))
        return self._rows[start : self._at]
