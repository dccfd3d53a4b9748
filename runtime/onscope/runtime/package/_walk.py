"""Everything that an ONNX file holds: graphs within graphs, functions, nodes, tensors, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import PackageError
from ._files import short

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto

_OTHERS = (
    (b"PK\x03\x04", "a .zip archive, as PyTorch writes them"),
    (b"\x89HDF", "an HDF5 file, as Keras writes them"),
    *((bytes((0x80, protocol)), "a pickle, which can run any code") for protocol in range(2, 6)),
)


def parse_onnx(path: Path) -> ModelProto:
    """An ONNX file, without its external data; raises PackageError when it is none, and says what it is instead."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        with path.open("rb") as file:
            begins = file.read(4)
        for mark, what in _OTHERS:
            if begins.startswith(mark):
                raise PackageError(f"found {path.name}, which is {what}, expected weights in ONNX: export the network")
        return onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise PackageError(
            f"found {path.name}, which is no ONNX file ({short(error)}), expected weights in ONNX"
        ) from error


def bodies(model: ModelProto) -> Iterator[GraphProto | FunctionProto]:
    """The graph, all that stand in attributes of nodes, and the functions."""
    yield from _graphs(model.graph)
    for function in model.functions:
        yield function
        yield from _subgraphs(function.node)


def nodes(model: ModelProto) -> Iterator[NodeProto]:
    for body in bodies(model):
        yield from body.node


def tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Initializers and tensors in attributes, the parts of sparse ones among them."""
    for body in bodies(model):
        if hasattr(body, "initializer"):
            yield from body.initializer
            for sparse in body.sparse_initializer:
                yield from (sparse.values, sparse.indices)
        for node in body.node:
            for attribute in node.attribute:
                yield from (*([attribute.t] if attribute.HasField("t") else ()), *attribute.tensors)
                lone = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else ()
                for sparse in (*lone, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    yield from _subgraphs(graph.node)


def _subgraphs(nodes: object) -> Iterator[GraphProto]:
    for node in nodes:  # type: ignore[attr-defined]  # protobuf's repeated field has no public type
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if attribute.ByteSize() else ():
                if inner.node or inner.initializer:
                    yield from _graphs(inner)
