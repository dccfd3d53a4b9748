"""Operations of TensorFlow graphs as untrusted input: what an image network needs, and what reads or runs anything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onscope.runtime import ExportError

WAITING = re.compile(r"Queue|Iterator")
"""Words in the names of operations that wait for what nobody gives here."""
PLUMBING = frozenset(
    {
        "Placeholder", "PlaceholderWithDefault", "NoOp", "VarHandleOp", "ReadVariableOp", "VariableV2", "Variable",
        "PartitionedCall", "StatefulPartitionedCall", "DisableCopyOnRead", "Assert", "CheckNumerics", "PreventGradient",
        "StopGradient", "IdentityN", "Const", "ControlTrigger", "EnsureShape", "If", "StatelessIf", "While",
        "StatelessWhile", "Enter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond", "TensorListReserve",
        "TensorListFromTensor", "TensorListStack", "TensorListGetItem", "TensorListSetItem",
    }
)  # fmt: skip
"""What holds a graph together and computes nothing that would have to become ONNX."""
STARTING = frozenset(
    {
        "StringJoin", "StaticRegexFullMatch", "Assign", "AssignVariableOp", "VarIsInitializedOp",
        "IsVariableInitialized", "Pack", "Select", "Identity",
    }
)  # fmt: skip
"""What TensorFlow runs when it opens a file, to fill its variables."""
RESTORING = STARTING | {"RestoreV2"}
SAVING = RESTORING | {"SaveV2", "MergeV2Checkpoints", "ShardedFilename"}
"""What it writes beside a network and runs when it is asked to."""
HARMFUL = re.compile(
    r"File|Py_?Func|Reader|Record|Dataset|Iterator|Socket|Rpc|Http|Debug|Dump|Summary|Blob|ImmutableConst|Remap"
    r"|Print|CustomCall|HostCompute|Send|Recv|Checkpoint|Vocab|Sql|Launch|Plugin"
)
"""Words in the names of operations that read, write, listen, or run code."""


MOST_CONSTANTS = 2 << 30


def check_used(nodes: Iterable[Any], where: str, besides: frozenset[str] = frozenset()) -> None:
    """Raise ExportError, with its name, for an operation that is not of an image network.

    Allowed are those that tf2onnx converts, and what holds graphs together, and `besides`.
    """
    allowed = convertible() | PLUMBING | besides
    for node in nodes:
        if node.op not in allowed:
            raise ExportError(
                f"found {where} with the operation {node.op} ({node.name[:60]}), expected those that compute images: "
                "it would read or write something, run code, or has no counterpart in ONNX; save the network without it"
            )


def check_constants(nodes: Iterable[Any], where: str) -> None:
    """Raise ExportError for constants that take more memory than a file could hold: one number may stand for all."""
    import tensorflow as tf

    total = 0
    for node in nodes:
        if node.op == "Const" and "value" in node.attr:
            tensor = node.attr["value"].tensor
            size = tf.as_dtype(tensor.dtype).size or 1
            total += size * math.prod(max(0, dim.size) for dim in tensor.tensor_shape.dim)
    if total > MOST_CONSTANTS:
        raise ExportError(f"found {where} with constants of {total >> 20} MB, expected at most {MOST_CONSTANTS >> 20}")


def check_unused(nodes: Iterable[Any], where: str) -> None:
    """Raise ExportError for operations beside the network which could do harm; training may stay there."""
    from tensorflow.python.framework import op_def_registry

    for node in nodes:
        if node.op in SAVING:
            continue
        if HARMFUL.search(node.op) or op_def_registry.get(node.op) is None:
            raise ExportError(
                f"found {where} with the operation {node.op} ({node.name[:60]}) beside the network, which could read "
                "or write something or run code: save it again for inference alone"
            )


def convertible() -> frozenset[str]:
    """Names of TensorFlow's operations that tf2onnx has handlers for, and that end by themselves."""
    from tf2onnx import (
        handler,
        onnx_opset,  # noqa: F401  # fills the table
    )

    versions = handler.tf_op.get_opsets().get("", [])
    return frozenset(name for version in versions for name in version if not WAITING.search(name))


def reachable(roots: Iterable[str], nodes: Mapping[str, Any], functions: Mapping[str, Any]) -> Iterator[Any]:
    """The nodes that the named ones depend on, and all those of the functions that they call."""
    waiting = [name_of(root) for root in roots]
    seen: set[str] = set()
    called: set[str] = set()
    while waiting:
        name = waiting.pop()
        node = nodes.get(name)
        if name in seen or node is None:
            continue
        seen.add(name)
        yield node
        waiting.extend(name_of(given) for given in node.input)
        yield from _bodies(node, functions, called)


def _bodies(node: Any, functions: Mapping[str, Any], called: set[str]) -> Iterator[Any]:
    waiting = list(_functions_of(node, functions))
    while waiting:
        name = waiting.pop()
        if name in called:
            continue
        called.add(name)
        for inner in functions[name].node_def:
            yield inner
            waiting.extend(_functions_of(inner, functions))


def _functions_of(node: Any, functions: Mapping[str, Any]) -> Iterator[str]:
    if node.op in functions:
        yield node.op
    for value in node.attr.values():
        for function in (value.func, *value.list.func):
            if function.name in functions:
                yield function.name


def name_of(text: str) -> str:
    """The node of "name:0" or "^name"."""
    return text.removeprefix("^").partition(":")[0]
