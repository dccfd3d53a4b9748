"""Check an ONNX file before any engine opens it: one whole file, standard operators only, tensors as described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .._errors import PackageError
from ._files import short

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Operator domains that every engine knows; any other one needs a library of its own, which is code."""


class Port(NamedTuple):
    """One input or output of a graph: its name in the graph, NumPy dtype and number of axes."""

    name: str
    dtype: str
    rank: int | None


class Ports(NamedTuple):
    """Inputs and outputs of a graph in its order; `spare` are the inputs that it has values for."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    spare: tuple[Port, ...]


def inspect_onnx(path: Path) -> Ports:
    """Inputs and outputs of an ONNX file. Raises PackageError unless it is whole, valid and free of foreign code."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise PackageError(
            f"found {path.name}, which is no ONNX file ({short(error)}), expected weights in ONNX"
        ) from error
    if not model.graph.node:
        raise PackageError(f"found {path.name} without any operator, expected a network: export it again")
    _refuse_external_data(model, path)
    _refuse_foreign_operators(model, path)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
        raise PackageError(f"found {path.name}, which is not valid ONNX ({short(error)}): export it again") from error
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [(_port(value), value.name in initializers) for value in model.graph.input]
    return Ports(
        tuple(port for port, spare in inputs if not spare),
        tuple(_port(value) for value in model.graph.output),
        tuple(port for port, spare in inputs if spare),
    )


def _port(value: ValueInfoProto) -> Port:
    import onnx

    tensor = value.type.tensor_type
    try:
        dtype = str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    except (KeyError, ValueError, TypeError):
        dtype = "unknown"
    return Port(value.name, dtype, len(tensor.shape.dim) if tensor.HasField("shape") else None)


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    yield from _subgraphs(graph.node)


def _subgraphs(nodes: object) -> Iterator[GraphProto]:
    for node in nodes:  # type: ignore[attr-defined]  # protobuf's repeated field has no public type
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if attribute.ByteSize() else ():
                if inner.node or inner.initializer:
                    yield from _graphs(inner)


def _bodies(model: ModelProto) -> Iterator[GraphProto | FunctionProto]:
    yield from _graphs(model.graph)
    for function in model.functions:
        yield function
        yield from _subgraphs(function.node)


def _nodes(model: ModelProto) -> Iterator[NodeProto]:
    for body in _bodies(model):
        yield from body.node


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    for graph in _bodies(model):
        if hasattr(graph, "initializer"):
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)


def _refuse_external_data(model: ModelProto, path: Path) -> None:
    import onnx

    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise PackageError(
                f"found weights outside of {path.name} (tensor {short(tensor.name)!r}), expected all of them in the "
                "one file that the hash covers: save it without external data"
            )


def _refuse_foreign_operators(model: ModelProto, path: Path) -> None:
    known = DOMAINS | {function.domain for function in model.functions}
    for node in _nodes(model):
        if node.domain not in known:
            raise PackageError(
                f"found the operator {short(node.domain)}.{short(node.op_type)} in {path.name}, expected standard "
                "ONNX operators: custom operators need foreign libraries, export the network without them"
            )
