"""A compiled graph's description as plain values that JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..package import make_step
from ._types import Answer, Compiled, Note, Scalar, State, Statistic, Tiling


def compiled_message(compiled: Compiled) -> dict[str, Any]:
    """All but the path; `compiled_from` reads it back."""
    plain = {
        "sha256": compiled.sha256,
        "stages": list(compiled.stages),
        "frames": compiled.frames,
        "scalars": [asdict(scalar) for scalar in compiled.scalars],
        "states": [asdict(state) for state in compiled.states],
        "answers": [_answer_message(answer) for answer in compiled.answers],
        "notes": [asdict(note) for note in compiled.notes],
        "tiling": asdict(compiled.tiling) if compiled.tiling else None,
        "memory_mb": compiled.memory_mb,
        "opset": compiled.opset,
        "ir_version": compiled.ir_version,
    }
    return plain


def compiled_from(message: Mapping[str, Any], path: Path) -> Compiled:
    """What `compiled_message` wrote, with the file at `path`; KeyError, TypeError or ValueError if it is not."""
    tiling = message["tiling"]
    return Compiled(
        path=path,
        sha256=str(message["sha256"]),
        stages=tuple(message["stages"]),
        frames=int(message["frames"]),
        scalars=tuple(_scalar(each) for each in message["scalars"]),
        states=tuple(State(**{**each, "shape": tuple(each["shape"])}) for each in message["states"]),
        answers=tuple(_answer(each) for each in message["answers"]),
        notes=tuple(Note(**each) for each in message["notes"]),
        tiling=_tiling(tiling) if tiling else None,
        memory_mb=float(message["memory_mb"]),
        opset=int(message["opset"]),
        ir_version=int(message["ir_version"]),
    )


def _scalar(message: Mapping[str, Any]) -> Scalar:
    statistic = message["statistic"]
    return Scalar(
        **{
            **message,
            "statistic": Statistic(**{**statistic, "keeps": tuple(statistic["keeps"])}),
            "shape": tuple(message["shape"]),
            "frames": tuple(message["frames"]),
        }
    )


def _tiling(message: Mapping[str, Any]) -> Tiling:
    pairs = {name: tuple(message[name]) for name in ("tile", "halo", "period")}
    return Tiling(**{**message, **pairs, "scales": tuple(tuple(scale) for scale in message["scales"])})


def _answer_message(answer: Answer) -> dict[str, Any]:
    decoded = [{"id": step.id, "arguments": _plain(step.arguments)} for step in answer.decoded]
    return {
        "stage": answer.stage,
        "tensor": answer.tensor,
        "output": answer.output,
        "axes": list(answer.axes),
        "dtype": answer.dtype,
        "shape": list(answer.shape),
        "decoded": decoded,
    }


def _answer(message: Mapping[str, Any]) -> Answer:
    return Answer(
        **{
            **message,
            "axes": tuple(message["axes"]),
            "shape": tuple(message["shape"]),
            "decoded": tuple(make_step(step["id"], step["arguments"]) for step in message["decoded"]),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
