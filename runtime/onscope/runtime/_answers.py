"""The slots in which a lane's answers come back, and how a result is made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ._frame import Pixels
from ._lane import Lane, Window
from ._result import Provenance, Result, Stamps, read_only
from ._ring import SlotPool
from ._shm import Lease, SharedSlots
from .worker import as_table, dtype_of

_ALIGN = 64
"""What a worker that comes after another must answer with, too."""


class AnswerSlots:
    """Result slots of one lane.

    `opened` is the worker's description of the answers (stage, largest shape, dtype, axes, columns, provider, graph)
    and `stages` the pipeline's messages, in the same order; `ways` both for each other way of running.
    """

    def __init__(
        self,
        opened: Sequence[Mapping[str, Any]],
        stages: Sequence[Mapping[str, Any]],
        slots: int,
        lendable: int,
        ways: Sequence[tuple[Sequence[Mapping[str, Any] | None], Sequence[Mapping[str, Any]]]] = (),
    ) -> None:
        self._opened = opened
        self.offsets: list[int] = []
        end = 0
        for number, answer in enumerate(opened):
            self.offsets.append(end)
            others = [each for told, _ in ways if (each := told[number]) is not None]
            size = max(int(np.prod(each["shape"])) for each in (answer, *others)) * _dtype(answer).itemsize
            end += -(-size // _ALIGN) * _ALIGN
        self.pool = SlotPool(SharedSlots.create(max(end, _ALIGN), slots), lendable)
        self._know(stages, ways)

    def _know(
        self,
        stages: Sequence[Mapping[str, Any]],
        ways: Sequence[tuple[Sequence[Mapping[str, Any] | None], Sequence[Mapping[str, Any]]]],
    ) -> None:
        self.provenance = _provenance(self._opened, stages)
        self._by_way = [self.provenance, *(_provenance(told, theirs) for told, theirs in ways)]

    def renew(
        self,
        opened: Sequence[Mapping[str, Any]],
        stages: Sequence[Mapping[str, Any]],
        ways: Sequence[tuple[Sequence[Mapping[str, Any] | None], Sequence[Mapping[str, Any]]]],
    ) -> None:
        """The same answers are given by another worker from now on, perhaps by another provider; there must be a place
        for them (`no_place_for`)."""
        self._opened = opened
        self._know(stages, ways)

    def unlike(self, other: AnswerSlots, stage: str) -> str:
        """What differs of a stage's answers, which readers rely on, in words; empty: nothing."""
        mine, theirs = (next(each for each in one._opened if each["stage"] == stage) for one in (self, other))
        return _unlike(mine, theirs)

    def no_place_for(self, opened: Sequence[Mapping[str, Any]]) -> str:
        """Why these slots are not for what another worker says of the same stages, in words; empty: they are."""
        for mine, theirs in zip(self._opened, opened, strict=True):
            if words := _unlike(mine, theirs):
                return f"{words} from {mine['stage']!r}"
            if theirs["shape"][0] > mine["shape"][0]:
                return f"{theirs['shape'][0]} rows instead of {mine['shape'][0]} from {mine['stage']!r}"
        return ""

    @property
    def message(self) -> dict[str, Any]:
        """What the worker needs to write into the slots."""
        memory = self.pool.memory
        return {
            "kind": "answers",
            "name": memory.name,
            "slot_bytes": memory.slot_bytes,
            "slots": memory.slots,
            "offsets": self.offsets,
        }

    def result(
        self,
        window: Window,
        done: Mapping[str, Any],
        leases: tuple[Lease | None, Sequence[Lease | None]],
        lane: Lane,
        state: Literal["done", "late"],
        delivered_ns: int,
    ) -> Result:
        """The result of a window; what is not leased is copied, and its slots are the caller's to give back."""
        answer_lease, frame_leases = leases
        answers: dict[str, Pixels] = {}
        scales: dict[str, float] = {}
        ran = range(len(self._opened)) if window.chosen is None else window.chosen
        opened = [self._opened[number] for number in ran]
        offsets = [self.offsets[number] for number in ran]
        for answer, shape, offset in zip(opened, done["shapes"], offsets, strict=True):
            array = self._array(window.answer_slot, answer_lease, tuple(shape), _dtype(answer), offset)
            if answer["columns"]:
                array = as_table(array, answer["columns"])
            else:
                scales[answer["stage"]] = array.shape[answer["axes"].index("y")] / lane.spec.shape[0]
            answers[answer["stage"]] = array
        frames = []
        for frame, slot, lease in zip(window.frames, window.slots, frame_leases, strict=True):
            if lease is None:
                pixels = read_only(lane.ring.views[slot].copy())
            else:
                pixels = lease.array(lane.spec.shape, lane.spec.dtype)
            frames.append(replace(frame, pixels=pixels))
        stamps = Stamps(
            received=window.newest_ns,
            submitted=window.submitted_ns,
            copied=window.copied_ns,
            sent=window.sent_ns,
            started=done["started"],
            stages=MappingProxyType(
                {answer["stage"]: (start, end) for answer, (start, end) in zip(opened, done["stages"], strict=True)}
            ),
            finished=done["finished"],
            delivered=delivered_ns,
        )
        return Result(
            tuple(frames),
            MappingProxyType(answers),
            stamps,
            self._by_way[window.way],
            state,
            MappingProxyType(scales),
            window.target,
            window.padded,
            window.reset or bool(done.get("reset", False)),
            _by_stage(done.get("parameters", {})),
            _by_stage(done.get("trust", {})),
            MappingProxyType({stage: tuple(names) for stage, names in done.get("suspect", {}).items()}),
            window.level or 0,
        )

    def _array(
        self, slot: int, lease: Lease | None, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int
    ) -> Pixels:
        if lease is not None:
            return lease.array(shape, dtype, offset)
        return read_only(self.pool.memory.view(slot, shape, dtype, offset).copy())

    def close(self) -> None:
        self.pool.close()


def _by_stage(values: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
    return MappingProxyType({stage: MappingProxyType(dict(each)) for stage, each in values.items()})


def _provenance(
    opened: Sequence[Mapping[str, Any] | None], stages: Sequence[Mapping[str, Any]]
) -> Mapping[str, Provenance]:
    by_name = {answer["stage"]: answer for answer in opened if answer is not None}
    return MappingProxyType(
        {
            stage["name"]: Provenance(
                stage["package_sha256"],
                by_name[stage["name"]]["graph"],
                by_name[stage["name"]]["provider"],
                stage.get("precision", "float32"),
            )
            for stage in stages
        }
    )


def _unlike(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    for name in ("axes", "dtype", "columns", "dtypes"):
        if list(mine[name]) != list(theirs[name]):
            return f"{name} {_words(theirs[name])} instead of {_words(mine[name])}"
    if not mine["columns"] and list(mine["shape"]) != list(theirs["shape"]):
        return f"{_words(theirs['shape'])} pixels instead of {_words(mine['shape'])}"
    return ""


def _words(values: str | Sequence[Any]) -> str:
    return values if isinstance(values, str) else ", ".join(map(str, values)) or "none"


def _dtype(answer: Mapping[str, Any]) -> np.dtype[Any]:
    return dtype_of(answer["dtype"], answer["columns"], answer["dtypes"])
