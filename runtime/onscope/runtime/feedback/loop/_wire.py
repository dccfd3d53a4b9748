"""What rules see and what they ask for, as messages between two processes: plain values, read back with care."""

from __future__ import annotations

import base64
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from ..._errors import RuleError
from ..._frame import Frame, FrameId
from .._actions import KINDS
from .._proposal import Proposal, Seen, Table
from .._wishes import WISHES, Asked, Target

MOST_PROPOSALS = 200
"""Of one result; a rule that asks for more at once is told so, and the rest is left out."""
Plain = dict[str, Any]
WORDS: Mapping[str, type[Asked]] = MappingProxyType({**KINDS, **WISHES})


def seen_message(seen: Seen) -> Plain:
    """What rules see of a result."""
    frame = seen.frame
    return {
        "kind": "seen",
        "number": seen.number,
        "now_ns": seen.now_ns,
        "shape": list(seen.shape),
        "frame": {
            "id": list(frame.id),
            "axes": frame.axes,
            "index": dict(frame.index),
            "received_ns": frame.received_ns,
            "exposure_end_ns": frame.exposure_end_ns,
            "pixel_size_um": frame.pixel_size_um,
            "exposure_ms": frame.exposure_ms,
            "stage_um": frame.stage_um,
            "labels": dict(frame.labels),
        },
        "tables": {name: _array(table) for name, table in seen.tables.items()},
        "numbers": {name: float(value) for name, value in seen.numbers.items()},
        "trust": {stage: {name: float(one) for name, one in each.items()} for stage, each in seen.trust.items()},
        "suspect": {stage: list(names) for stage, names in seen.suspect.items()},
        "models": dict(seen.models),
    }


def seen_from(message: Mapping[str, Any]) -> Seen:
    """It in the rules' process."""
    told = dict(message["frame"])
    stage_um = told.pop("stage_um")
    frame = Frame(
        id=FrameId(*told.pop("id")),
        pixels=np.zeros((0, 0), np.uint8),
        index=MappingProxyType(told.pop("index")),
        labels=MappingProxyType(told.pop("labels")),
        stage_um=None if stage_um is None else tuple(stage_um),
        **told,
    )
    return Seen(
        number=message["number"],
        frame=frame,
        shape=tuple(message["shape"]),
        tables=MappingProxyType({name: _from_array(table) for name, table in message["tables"].items()}),
        numbers=MappingProxyType(message["numbers"]),
        trust=MappingProxyType({stage: MappingProxyType(each) for stage, each in message["trust"].items()}),
        suspect=MappingProxyType({stage: tuple(names) for stage, names in message["suspect"].items()}),
        now_ns=message["now_ns"],
        models=MappingProxyType(message["models"]),
    )


def asked_message(asked: Asked) -> Plain:
    """An action or a wish."""
    return {"kind": asked.kind, **_fields(asked)}


def proposal_message(proposal: Proposal) -> Plain:
    """What a rule asks for."""
    target = proposal.target
    return {
        "rule": proposal.rule,
        "asked": asked_message(proposal.asked),
        "because": proposal.because,
        "proposed_ns": proposal.proposed_ns,
        "priority": proposal.priority,
        "target": None
        if target is None
        else {each.name: _plain(getattr(target, each.name)) for each in fields(target)},
        "values": {name: float(value) for name, value in proposal.values.items()},
    }


def asked_from(message: Mapping[str, Any]) -> Asked:
    """An action or a wish of its message; raises RuleError for one that there is not, or whose values are of no use."""
    kind = WORDS.get(str(message.get("kind")))
    if kind is None:
        raise RuleError(f"found {message.get('kind')!r}, expected an action or a wish: one of {', '.join(WORDS)}")
    made: Asked = _read(kind, {name: value for name, value in message.items() if name != "kind"})
    return made


def proposal_from(message: Mapping[str, Any], seen: Seen, answered_ns: int) -> Proposal:
    """A proposal of its message, made of `seen`, whose frame, time and models it has: rules cannot make an old frame
    new. Raises RuleError when it makes no sense.
    """
    try:
        target = message.get("target")
        return Proposal(
            rule=str(message["rule"]),
            asked=asked_from(message["asked"]),
            because=str(message["because"]),
            frame=seen.frame.id,
            received_ns=seen.frame.received_ns,
            proposed_ns=min(max(int(message["proposed_ns"]), seen.now_ns), answered_ns),
            priority=int(message["priority"]),
            target=None if target is None else _read(Target, target),
            values=MappingProxyType({str(name): float(value) for name, value in message["values"].items()}),
            models=seen.models,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RuleError(f"found a proposal that makes no sense ({error!r}), expected one as rules make them") from error


def too_many(count: int) -> str:
    """What is said of more proposals than are taken."""
    return (
        f"found {count} proposals for one result, expected at most {MOST_PROPOSALS}: the rest is left out; give the "
        "rules cooldowns"
    )


def _fields(value: Asked | Target) -> Plain:
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}


def _array(array: Table) -> Plain:
    array = np.ascontiguousarray(array)
    dtype: Any = array.dtype.descr if array.dtype.names else array.dtype.str
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode("ascii")}


def _from_array(message: Mapping[str, Any]) -> Table:
    told = message["dtype"]
    dtype = np.dtype(told if isinstance(told, str) else [_field(each) for each in told])
    if dtype.hasobject:
        raise ValueError("found an array of objects, expected numbers")
    array = np.frombuffer(base64.b64decode(message["data"], validate=True), dtype)
    return array.reshape(tuple(message["shape"]))


def _field(told: Sequence[Any]) -> Any:
    return (str(told[0]), str(told[1]), *(tuple(each) for each in told[2:]))


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _read(kind: type[Any], values: Mapping[str, Any]) -> Any:
    readers = READERS[kind]
    unknown = values.keys() - readers.keys()
    if unknown:
        raise RuleError(f"found {', '.join(sorted(map(str, unknown)))} of {kind.__name__}, expected its own fields")
    try:
        return kind(**{name: readers[name](value) for name, value in values.items()})
    except (TypeError, ValueError, OverflowError) as error:
        raise RuleError(f"found a {kind.__name__} that makes no sense ({error}), expected its values") from error


def _reader(hint: Any) -> Callable[[Any], Any]:
    """What makes a field's value of a message's, or raises TypeError or ValueError."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (each for each in arguments if each is not types.NoneType)
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if origin is tuple and arguments[-1] is Ellipsis:
        one = _reader(arguments[0])
        return lambda value: tuple(one(each) for each in value)
    if origin is tuple:
        each_of = [_reader(each) for each in arguments]
        return lambda value: tuple(one(each) for one, each in zip(each_of, value, strict=True))
    if origin is np.ndarray:
        return _from_array
    if hint in (bool, int, str):
        return lambda value: _exactly(hint, value)
    if hint is float:
        return float
    return lambda value: MappingProxyType(_tupled(value)) if isinstance(value, dict) else value


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in values.items()}


def _exactly(kind: type[Any], value: object) -> object:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _readers(kind: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {each.name: _reader(hints[each.name]) for each in fields(kind)}


READERS = {kind: _readers(kind) for kind in (*WORDS.values(), Target)}
"""What reads each field of what is asked for, of a message."""
