"""What goes into a model and comes out of it: a graph's tensors, less the memories that the server keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..engines import TensorSpec
from ..graph import Compiled
from ..kserve import tensors_of


@dataclass(frozen=True, slots=True)
class Ports:
    """`memories` are pairs of an input and the output that it is after the next window. `most`: windows in one run, 0
    where the graph has no axis for them."""

    given: tuple[TensorSpec, ...]
    answered: tuple[TensorSpec, ...]
    memories: tuple[tuple[TensorSpec, TensorSpec], ...] = ()
    most: int = 0


def ports_of(compiled: Compiled, keep_memories: bool, most: int = 0) -> Ports:
    """The tensors of a graph's model; with `keep_memories` the server keeps those of recurrent networks."""
    inputs, outputs = tensors_of(compiled.path)
    by_name = {each.name: each for each in (*inputs, *outputs)}
    kept = compiled.states if keep_memories else ()
    memories = tuple((by_name[state.input], by_name[state.output]) for state in kept)
    hidden = {each.name for pair in memories for each in pair}
    given = tuple(each for each in inputs if each.name not in hidden)
    answered = tuple(each for each in outputs if each.name not in hidden)
    return Ports(given, answered, memories, most)


def as_bytes(ports: Ports) -> Ports:
    """The same where 16-bit counts are pairs of bytes, as TensorRT's engines have them."""

    def one(spec: TensorSpec) -> TensorSpec:
        return replace(spec, shape=(*spec.shape, 2), dtype="uint8") if spec.dtype == "uint16" else spec

    return replace(ports, given=tuple(map(one, ports.given)), answered=tuple(map(one, ports.answered)))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all in a folder."""
    return sum(each.stat().st_size for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())
