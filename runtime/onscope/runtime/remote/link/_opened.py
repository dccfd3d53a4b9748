"""What the box says of a lane that was opened, against what was asked of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...worker import Message, dtype_of
from ..wire import WireError, text, whole, whole_list
from ._machine import provider_of
from ._words import cut, plain, sentence, sentences, some

LARGEST_ANSWER = 4 << 30
"""Bytes of one stage's answer to one window."""
MOST_COLUMNS, MOST_GRAPHS = 4096, 256
PLAIN = frozenset("?bhilqBHILQefd")
"""Elements that are numbers: of any other kind the bytes of an answer would be read as what they are not."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One stage's answer: its shape, of a table the largest; bytes of an element."""

    shape: tuple[int, ...]
    itemsize: int
    table: bool

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.itemsize

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether an answer may have a shape: of a table, rows may be fewer."""
        if tuple(shape) == self.shape:
            return True
        alike = len(shape) == len(self.shape) and tuple(shape[1:]) == self.shape[1:]
        return self.table and alike and shape[0] <= self.shape[0]


@dataclass(frozen=True, slots=True)
class Opened:
    """What each stage answers, by way; None where it is left out. `graphs`: how many there are."""

    ways: tuple[tuple[Expected | None, ...], ...]
    graphs: int

    @property
    def nbytes(self) -> int:
        """Bytes of one window's answers at most."""
        return sum(max(each.nbytes for each in one if each is not None) for one in zip(*self.ways, strict=True))


def checked_opened(asked: Message, told: Mapping[str, Any], took_ns: int) -> tuple[Message, Opened]:
    """What the supervisor may be told of a lane that `asked` opens, `took_ns` ago; raises WireError for a lie."""
    names = [stage["name"] for stage in asked["stages"]]
    ways = [names, *([stage["name"] for stage in way["stages"]] for way in asked.get("ways", ()))]
    answers = [_answer(each) for each in some(told.get("answers"), "answers", len(names))]
    if [answer["stage"] for answer in answers] != names:
        raise WireError(f"found answers of {_listed(answers)}, expected those of {', '.join(names)}")
    told_ways = [some(way, "a way", len(names)) for way in _ways(told, len(ways))]
    by_way = [[None if each is None else _answer(each) for each in way] for way in told_ways]
    for way, wanted in zip(by_way, ways, strict=True):
        _compare(answers, way, [name for name in names if name in wanted])
    warm = whole_list(told, "ways_warm_ns", took_ns, len(ways))
    if len(warm) != len(ways):
        raise WireError(f"found the warm-ups of {len(warm)} ways, expected {len(ways)}")
    graphs = _graphs(told.get("graphs"))
    made = {"kind": "opened", "lane": told["lane"], "answers": answers, "ways": by_way}
    made["provider"] = provider_of(told, asked["provider"])
    made |= {"ways_warm_ns": warm, "warm_ns": whole(told, "warm_ns", 0, took_ns)}
    made |= {"report": sentences(told, "report"), "warnings": sentences(told, "warnings"), "graphs": graphs}
    made["way_graphs"] = [_graphs(each) for each in some(told.get("way_graphs"), "graphs by way", len(ways) - 1)]
    expected = (tuple(None if each is None else _expected(each) for each in way) for way in by_way)
    return made, Opened(tuple(expected), len(graphs))


def _ways(told: Mapping[str, Any], count: int) -> list[Any]:
    ways = some(told.get("ways"), "ways", count)
    if len(ways) != count:
        raise WireError(f"found {len(ways)} ways of a lane, expected {count}")
    return ways


def _answer(told: Any) -> Message:
    """What one stage answers, as `StageAnswer` says."""
    made: Message = {name: text(told, name) for name in ("stage", "dtype", "axes")}
    made |= {name: sentence(told, name) for name in ("provider", "graph")}
    shape = whole_list(told, "shape", LARGEST_ANSWER, 8)
    columns = [cut(each, "a column") for each in some(told.get("columns"), "columns", MOST_COLUMNS)]
    dtypes = [cut(each, "a column's dtype") for each in some(told.get("dtypes"), "dtypes", MOST_COLUMNS)]
    made |= {"shape": shape, "columns": columns, "dtypes": dtypes}
    plain_ones = all(_is_plain(each) for each in dtypes or [made["dtype"]])
    if not plain_ones or len(set(columns)) < len(columns) or "" in columns:
        raise WireError(f"found an answer of {made['dtype'] or dtypes!r:.40}, expected numbers")
    if columns:
        right = len(shape) == 1 and len(dtypes) == len(columns) if dtypes else shape[1:] == [len(columns)]
    else:
        axes = made["axes"]
        right = not dtypes and len(set(axes)) == len(axes) == len(shape) and {"y", "x"} <= set(axes) and 0 not in shape
    if not right or _expected(made).nbytes > LARGEST_ANSWER:
        raise WireError(f"found an answer of {shape!r:.40} along {made['axes']!r:.20}, expected an image or a table")
    return made


def _is_plain(dtype: str) -> bool:
    try:
        return np.dtype(dtype).char in PLAIN
    except TypeError:
        return False


def _expected(answer: Message) -> Expected:
    dtype = dtype_of(answer["dtype"], answer["columns"], answer["dtypes"])
    return Expected(tuple(answer["shape"]), dtype.itemsize, bool(answer["columns"]))


def _compare(answers: Sequence[Message], way: Sequence[Message | None], wanted: Sequence[str]) -> None:
    """Raise WireError unless a way answers for the stages that are wanted of it what the lane itself does."""
    if len(way) != len(answers) or _stages(way) != wanted:
        raise WireError(f"found a way that answers for {_listed(way)}, expected {', '.join(wanted)}")
    for own, other in zip(answers, way, strict=True):
        for name in ("stage", "dtype", "axes", "columns", "dtypes"):
            if other is not None and other[name] != own[name]:
                found, expected = f"{other[name]!r:.40}", f"{own[name]!r:.40}"
                raise WireError(f"found the {name} {found} in a way of {own['stage']!r:.40}, expected {expected}")
        if other is not None and not own["columns"] and other["shape"] != own["shape"]:
            raise WireError(f"found {other['shape']} pixels in a way of {own['stage']!r:.40}, expected {own['shape']}")


def _stages(answers: Sequence[Message | None]) -> list[str]:
    return [answer["stage"] for answer in answers if answer is not None]


def _listed(answers: Sequence[Message | None]) -> str:
    return f"{', '.join(_stages(answers))!r:.100}"


def _graphs(told: Any) -> list[dict[str, Any]]:
    graphs = some(told, "graphs", MOST_GRAPHS)
    if not all(isinstance(each, dict) for each in graphs):
        raise WireError(f"found graphs {graphs!r:.40}, expected what each is by name")
    return [plain(each, "graphs") for each in graphs]
