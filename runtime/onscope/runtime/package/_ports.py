"""Described tensors and the inputs and outputs of the graph: which is which, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._errors import PackageError
from ._description import TensorDescription
from ._files import short
from ._onnx import Port

DTYPES = frozenset(
    ("float16", "float32", "float64", "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
)


def match_inputs(
    tensors: Sequence[TensorDescription], ports: Sequence[Port], spare: Sequence[Port]
) -> tuple[TensorDescription, ...]:
    """Each described input with its name in the graph; raises PackageError when they do not fit.

    The order decides, not the names, as in bioimageio.core, which calls ONNX Runtime by position. `spare` are inputs
    that the graph has values for: optional tensors find theirs by name. Optional ones that the graph has no place for
    are left out.
    """
    by_name = {port.name: port for port in spare}
    named = {tensor.name: by_name[tensor.name] for tensor in tensors if tensor.optional and tensor.name in by_name}
    in_turn = [tensor for tensor in tensors if tensor.name not in named]
    while len(in_turn) > len(ports) and in_turn[-1].optional:
        in_turn.pop()
    _require_count("input", len(in_turn), len(ports))
    # What the graph has no value for, it needs, whatever the description says.
    found = {
        tensor.name: replace(_fed(tensor, port), optional=False) for tensor, port in zip(in_turn, ports, strict=True)
    }
    found |= {tensor.name: _fed(tensor, named[tensor.name]) for tensor in tensors if tensor.name in named}
    return tuple(found[tensor.name] for tensor in tensors if tensor.name in found)


def match_outputs(tensors: Sequence[TensorDescription], ports: Sequence[Port]) -> tuple[TensorDescription, ...]:
    """Each described output with its name in the graph, in order; further outputs of the graph are not looked at.

    Raises PackageError when they do not fit.
    """
    if len(ports) < len(tensors):
        _require_count("output", len(tensors), len(ports))
    return tuple(_given(tensor, port) for tensor, port in zip(tensors, ports, strict=False))


def _require_count(side: str, described: int, there: int) -> None:
    if described != there:
        raise PackageError(
            f"found {there} {side}s in the ONNX file, expected {described} as described: correct the rdf.yaml"
        )


def _fed(tensor: TensorDescription, port: Port) -> TensorDescription:
    _require_rank("input", tensor, port)
    if port.dtype != tensor.dtype:
        raise PackageError(
            f"found input {short(tensor.name)!r} described as {tensor.dtype} when it reaches the network, but "
            f"{port.dtype} in the ONNX file: make the rdf.yaml say what the graph does"
        )
    return replace(tensor, graph_name=port.name)


def _given(tensor: TensorDescription, port: Port) -> TensorDescription:
    _require_rank("output", tensor, port)
    if port.dtype not in DTYPES:
        raise PackageError(
            f"found output {short(tensor.name)!r} of {port.dtype}, expected numbers that NumPy has: export the network "
            "with a cast inside"
        )
    return replace(tensor, graph_name=port.name, dtype=port.dtype)


def _require_rank(side: str, tensor: TensorDescription, port: Port) -> None:
    if port.rank is not None and port.rank != len(tensor.axes):
        raise PackageError(
            f"found {side} {short(tensor.name)!r} described with {len(tensor.axes)} axes, but {port.rank} in the ONNX "
            "file: make the rdf.yaml say what the graph does"
        )
