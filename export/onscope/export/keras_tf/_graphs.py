"""TensorFlow's files, parsed and looked through before TensorFlow gets them: SavedModel folders and frozen graphs.

Formats: tensorflow/core/protobuf/saved_model.proto and tensorflow/core/framework/graph.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onscope.runtime import ExportError

from .._original import one_line
from ._door import quiet
from ._ops import check_unused, check_used, name_of, reachable

MOST_BYTES = (2 << 30) - 1
"""Protocol buffers hold no more."""
SERVING = "serving_default"
ENDS = ("Const", "NoOp", "Placeholder", "Assert", "VarHandleOp", "VariableV2")


class Signature(NamedTuple):
    """The entry of a SavedModel: its name, and its input's."""

    name: str
    input_name: str


def saved_signature(folder: Path) -> Signature:
    """The signature of a SavedModel that serves, after nothing harmful was found in the folder.

    Raises ExportError: the folder is none or leads out of itself, several signatures and none the default, several
    inputs, or operations, tables and files that an image network does not need.
    """
    where = f"the SavedModel {folder.name}"
    root = folder.resolve()
    for file in folder.rglob("*"):
        if not file.resolve().is_relative_to(root):
            raise ExportError(f"found {where} with {file.name!r}, which leads out of its folder")
    from tensorflow.core.protobuf import saved_model_pb2

    content = _parsed(saved_model_pb2.SavedModel(), folder / "saved_model.pb", where)
    graphs = [graph for graph in content.meta_graphs if "serve" in graph.meta_info_def.tags]
    if len(graphs) != 1:
        raise ExportError(f"found {where} with {len(graphs)} graphs for serving, expected one: save it again")
    for node in graphs[0].object_graph_def.nodes:
        if node.WhichOneof("kind") in ("asset", "resource"):
            raise ExportError(f"found {where} with tables or files beside the network, expected variables alone")
    signature = _chosen(graphs[0], where)
    _check(graphs[0], signature, where)
    return signature


def frozen_graph(source: Path) -> tuple[Any, str, list[str]]:
    """The GraphDef of a .pb file with its input (the one placeholder) and its outputs (what nothing else reads).

    Raises ExportError: no graph, variables that are not frozen, several inputs, or operations that are not allowed.
    """
    from tensorflow.core.framework import graph_pb2

    where = f"the frozen graph {source.name}"
    if source.name == "saved_model.pb":
        raise ExportError(f"found {source}, the graph of a SavedModel without its variables: give its folder")
    graph = _parsed(graph_pb2.GraphDef(), source, where)
    check_used((node for node in _all(graph)), where)
    held = [node.name for node in graph.node if node.op in ("VarHandleOp", "VariableV2", "Variable")]
    if held:
        raise ExportError(
            f"found {where} with the variable {held[0]}, expected constants: freeze it, or give a SavedModel"
        )
    given = [node.name for node in graph.node if node.op == "Placeholder"]
    read = {name_of(name) for node in graph.node for name in node.input}
    outputs = [node.name for node in graph.node if node.name not in read and node.op not in ENDS]
    if len(given) != 1 or not outputs:
        raise ExportError(
            f"found {where} with {len(given)} inputs{_listed(given)} and {len(outputs)} outputs, expected one image "
            "and what is made of it"
        )
    return graph, given[0], outputs


def _chosen(graph: Any, where: str) -> Signature:
    found = {name: one for name, one in graph.signature_def.items() if not name.startswith("__") and one.outputs}
    if not found:
        raise ExportError(f"found {where} without signatures, expected {SERVING}: save it with signatures=")
    if SERVING not in found and len(found) > 1:
        raise ExportError(
            f"found {where} with several signatures{_listed(sorted(found))} and none called {SERVING}: save it again "
            "with that of images alone"
        )
    name = SERVING if SERVING in found else next(iter(found))
    inputs = list(found[name].inputs)
    if len(inputs) != 1:
        raise ExportError(
            f"found {where} with {len(inputs)} inputs in {name}{_listed(sorted(inputs))}, expected one image (several "
            "may be its channels)"
        )
    return Signature(name, inputs[0])


def _check(graph: Any, signature: Signature, where: str) -> None:
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    outputs = [value.name for value in graph.signature_def[signature.name].outputs.values()]
    check_used(reachable(outputs, nodes, functions), where)
    starts = [value.name for name, one in graph.signature_def.items() if name.startswith("__")
              for value in one.outputs.values()]  # fmt: skip
    for name in ("saved_model_main_op", "legacy_init_op", "saved_model_init_op", "main_op"):
        if name in graph.collection_def:
            starts.extend(graph.collection_def[name].node_list.value)
    check_used(reachable(starts, nodes, functions), where, loading=True)
    if graph.HasField("saver_def"):
        saving = [graph.saver_def.restore_op_name]
        check_used(reachable(saving, nodes, functions), where, loading=True)
    check_unused(_all(graph.graph_def), where)


def _all(graph: Any) -> list[Any]:
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


def _parsed(message: Any, path: Path, where: str) -> Any:
    from google.protobuf.message import DecodeError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise ExportError(f"found {where} of more than 2 GB, expected what a protocol buffer holds")
        with quiet():
            message.ParseFromString(path.read_bytes())
    except OSError as error:
        raise ExportError(f"found no readable {path.name} at {path} ({error.strerror}), expected a graph") from error
    except (DecodeError, RuntimeError, ValueError) as error:
        raise ExportError(
            f"found {where}, which is cut off or no graph of TensorFlow ({one_line(error, 120)}): copy it again"
        ) from error
    return message


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:6])})" if names else ""
