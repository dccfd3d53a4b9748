"""What a lane's graph is, for whoever records it, and its answers' axes, for whoever decodes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..graph import Answer, Compiled, StageRequest


def described(compiled: Compiled, reads: str, provider: str, statistics: Sequence[dict[str, str]]) -> dict[str, Any]:
    """A graph that runs on a provider, as plain values; `statistics` are those that the host takes for it."""
    return {
        "stages": list(compiled.stages),
        "reads": reads,
        "sha256": compiled.sha256,
        "provider": provider,
        "opset": compiled.opset,
        "frames": compiled.frames,
        "memory_mb": round(compiled.memory_mb, 1),
        "tiling": None if compiled.tiling is None else asdict(compiled.tiling),
        "recurrent": bool(compiled.states),
        "statistics": list(statistics),
    }


def names_of(request: StageRequest, answer: Answer) -> list[str]:
    """The answer's axes as decoders name them: y, x and z by their ids, the others by their kinds."""
    described = next(tensor for tensor in request.outputs if tensor.name == answer.tensor)
    kinds = {axis.id: axis.kind for axis in described.described if axis.kind != "space"}
    return [kinds.get(id, id) for id in answer.axes]
