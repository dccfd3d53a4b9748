"""A graph and the model that it is on a server: the same tensors, with windows along an axis in front where it batches,
and without the memories that the server keeps itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .._errors import ProviderError
from ..engines import TensorSpec
from ._address import Address
from ._server import Model, Server, Tensor

NAME = "onscope-"
CHAIN = "onscope-chain-"
"""Of ensembles."""
HEX = 16
"""Digits of the graph's sha256 in its model's name."""
FREE = -1


@dataclass(frozen=True, slots=True)
class Served:
    """How a graph's tensors are given to a model.

    `batches`: it takes several windows at once, along one more axis in front. `kept` are the numbers of inputs that the
    server keeps between the windows of a sequence, and `left` those of the outputs that they become: the memories of a
    recurrent network.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batches: bool
    kept: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    as_bytes: frozenset[str] = frozenset()
    """Tensors of 16-bit counts that the model has as pairs of bytes, along one more axis at the end: TensorRT's."""


def model_name(sha256: str) -> str:
    """The name of a compiled graph's model: it follows the graph, so that no other can be taken for it."""
    return NAME + sha256[:HEX]


def class_name(name: str, priority: int) -> str:
    """The name of the same model for microscopes of a class before the usual one: 1 is the first."""
    return f"{name}-priority-{priority}"


def model_of(server: Server, graph: Path, address: Address) -> tuple[Model, bool]:
    """The server's model of a graph, and whether it is that of the class that the address asks for; the usual one has
    no class. Raises ProviderError where the server has none."""
    name = address.model or model_name(sha256_of(graph))
    if address.priority and not address.model:
        own = server.find(class_name(name, address.priority))
        if own is not None:
            return own, True
    return server.model(name), False


@cache
def sha256_of(graph: Path) -> str:
    """Of a file's content."""
    with graph.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors_of(graph: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """A graph's inputs and outputs; raises ProviderError for a file that is no graph."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        content = onnx.load_model(graph, load_external_data=False).graph
    except (OSError, DecodeError) as error:
        raise ProviderError(f"cannot read {graph.name} as a graph ({error}): compile it again") from error
    constants = {each.name for each in content.initializer}
    inputs = (each for each in content.input if each.name not in constants)
    return tuple(map(_spec, inputs)), tuple(map(_spec, content.output))


def _spec(value: object) -> TensorSpec:
    import onnx

    tensor = value.type.tensor_type  # type: ignore[attr-defined]
    sizes = tuple(each.dim_value if each.HasField("dim_value") else None for each in tensor.shape.dim)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return TensorSpec(value.name, sizes, np.dtype(dtype).name)  # type: ignore[attr-defined]


def served(graph: Path, model: Model) -> Served:
    """How the graph is run by the model. Raises ProviderError where it is another one's."""
    inputs, outputs = tensors_of(graph)
    there = {each.name: each for each in (*model.inputs, *model.outputs)}
    kept = tuple(at for at, each in enumerate(inputs) if each.name not in there)
    left = tuple(at for at, each in enumerate(outputs) if each.name not in there)
    strangers = there.keys() - {each.name for each in (*inputs, *outputs)}
    # A memory's output is the next one's input: of the same shape and type, and as many of both.
    looks = ([(each[at].shape, each[at].dtype) for at in ats] for each, ats in ((inputs, kept), (outputs, left)))
    if strangers or len({tuple(look) for look in looks}) > 1:
        expected = ", ".join(each.name for each in (*inputs, *outputs))
        raise ProviderError(
            f"found the model {model.name!r} with {', '.join(there) or 'no tensors'}, expected {expected}: it is "
            "another graph's; write it again with `onscope deploy`"
        )
    here = [each for each in (*inputs, *outputs) if each.name in there]
    paired = frozenset(each.name for each in here if each.dtype == "uint16" and there[each.name].dtype == "UINT8")
    seen = [_as_bytes(each) if each.name in paired else each for each in here]
    front = {len(there[each.name].shape) - len(each.shape) for each in seen}
    batches = front == {1} and all(there[each.name].shape[0] == FREE for each in seen)
    for each in seen:
        _check(model, each, there[each.name], batches)
    return Served(inputs, outputs, batches, kept, left, paired)


def _as_bytes(spec: TensorSpec) -> TensorSpec:
    return TensorSpec(spec.name, (*spec.shape, 2), "uint8")


def _check(model: Model, spec: TensorSpec, found: Tensor, batches: bool) -> None:
    from tritonclient.utils import np_to_triton_dtype

    shape = found.shape[1:] if batches else found.shape
    fits = len(shape) == len(spec.shape) and all(
        FREE in (a, b) or a == b for a, b in zip(shape, (FREE if s is None else s for s in spec.shape), strict=True)
    )
    if not fits or found.dtype != np_to_triton_dtype(np.dtype(spec.dtype)):
        raise ProviderError(
            f"found {found.name!r} of the model {model.name!r} as {found.dtype} {list(found.shape)}, expected "
            f"{spec.dtype} {['?' if size is None else size for size in spec.shape]} as in the graph: write the model "
            "again with `onscope deploy` for frames of this size"
        )
