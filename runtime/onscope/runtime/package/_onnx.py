"""Check an ONNX file before any engine opens it: one whole file, standard operators only, tensors as described."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .._errors import PackageError
from ._bounds import refuse_absurd_sizes, refuse_endless_functions
from ._files import short
from ._walk import nodes, parse_onnx, tensors

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Operator domains that every engine knows; any other one needs a library of its own, which is code."""
OLDEST_OPSET, SURE_OPSET = 9, 21
"""The oldest operator set that is taken, and the newest that every ONNX Runtime from 1.22 on takes."""


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
    """Inputs and outputs of an ONNX file.

    Raises PackageError unless it is whole, valid, free of foreign code, of plausible sizes, and of an operator set from
    9 on that ONNX Runtime here takes.
    """
    import onnx

    model = parse_onnx(path)
    if not model.graph.node:
        raise PackageError(f"found {path.name} without any operator, expected a network: export it again")
    _refuse_external_data(model, path)
    _refuse_foreign_operators(model, path)
    refuse_endless_functions(model, path)
    refuse_absurd_sizes(model, path)
    _require_opset(model, path)
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


def _require_opset(model: ModelProto, path: Path) -> None:
    opset = max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=OLDEST_OPSET)
    if opset < OLDEST_OPSET:
        raise PackageError(
            f"found ONNX operator set {opset} in {path.name}, expected {OLDEST_OPSET} or newer: export it again"
        )
    if opset > SURE_OPSET and not _runs(opset):
        raise PackageError(
            f"found ONNX operator set {opset} in {path.name}, which is newer than ONNX Runtime here takes: export the "
            f"network with {SURE_OPSET}, or update onnxruntime"
        )


@functools.cache
def _runs(opset: int) -> bool:
    """Whether ONNX Runtime here opens a graph of that operator set; true where it is not installed: others decide."""
    try:
        import onnxruntime
    except ImportError:
        return True
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "ab"]
    graph = helper.make_graph([helper.make_node("Relu", ["a"], ["b"])], "probe", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime's errors have no common base below Exception
        return False
    return True


def _refuse_external_data(model: ModelProto, path: Path) -> None:
    import onnx

    for tensor in tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise PackageError(
                f"found weights outside of {path.name} (tensor {short(tensor.name)!r}), expected all of them in that "
                "file, or in a file of the package that the rdf.yaml names as external_data with its sha256"
            )


def _refuse_foreign_operators(model: ModelProto, path: Path) -> None:
    known = DOMAINS | {function.domain for function in model.functions}
    for node in nodes(model):
        if node.domain not in known:
            raise PackageError(
                f"found the operator {short(node.domain)}.{short(node.op_type)} in {path.name}, expected standard "
                "ONNX operators: custom operators need foreign libraries, export the network without them"
            )
