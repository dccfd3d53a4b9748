"""TensorFlow's files, parsed and looked through before TensorFlow gets them: SavedModel folders and frozen graphs.

Formats: tensorflow/core/protobuf/saved_model.proto and tensorflow/core/framework/graph.proto. A SavedModel of
TensorFlow 1 has a graph alone, one of TensorFlow 2 objects with functions beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._original import one_line
from ._door import quiet
from ._entry import Entry, entry_of
from ._ops import RESTORING, STARTING, check_constants, check_unused, check_used, name_of, reachable

MOST_BYTES = (2 << 30) - 1
"""Protocol buffers hold no more."""
SERVING = "serving_default"
ENDS = {"Const", "NoOp", "Placeholder", "PlaceholderWithDefault", "Assert", "VarHandleOp", "VariableV2"}
VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
PLACES = ("Placeholder", "PlaceholderV2")


@dataclass(frozen=True)
class Signature:
    """The way through a graph: of a SavedModel its tags, the name of the signature ("": it has none), what goes in by
    the names of the arguments, and, in a graph of TensorFlow 1, the tensors ("name:0") of inputs and outputs."""

    tags: tuple[str, ...]
    name: str
    entry: Entry
    feeds: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    """(name, tensor); empty for a SavedModel of TensorFlow 2."""


def saved_signature(folder: Path) -> Signature:
    """The signature of a SavedModel that serves, after nothing harmful was found in the folder.

    Raises ExportError: the folder is none or leads out of itself, several signatures and none the default, no image,
    or operations, tables and files that an image network does not need.
    """
    where = f"the SavedModel {folder.name}"
    root = folder.resolve()
    for file in folder.rglob("*"):
        if not file.resolve().is_relative_to(root):
            raise ExportError(f"found {where} with {file.name!r}, which leads out of its folder")
    from tensorflow.core.protobuf import saved_model_pb2

    content = _parsed(saved_model_pb2.SavedModel(), folder / "saved_model.pb", where)
    graph = _serving(content.meta_graphs, where)
    for node in graph.object_graph_def.nodes:
        if node.WhichOneof("kind") in ("asset", "resource"):
            raise ExportError(f"found {where} with tables or files beside the network, expected variables alone")
    if graph.asset_file_def:
        raise ExportError(f"found {where} with files beside the network, expected variables alone")
    signature = _chosen(graph, where)
    _check(graph, signature, where)
    return signature


def frozen_graph(source: Path) -> tuple[Any, Signature]:
    """The GraphDef of a .pb file, with the way from its placeholders to what is made of them and read by nothing else.

    Raises ExportError: no graph, variables that are not frozen, no image, or operations that are not allowed.
    """
    from tensorflow.core.framework import graph_pb2

    where = f"the frozen graph {source.name}"
    if source.name == "saved_model.pb":
        raise ExportError(f"found {source}, the graph of a SavedModel without its variables: give its folder")
    graph = _parsed(graph_pb2.GraphDef(), source, where)
    held = [node.name for node in graph.node if node.op in VARIABLES]
    if held:
        raise ExportError(
            f"found {where} with the variable {held[0][:60]!r}, expected constants: freeze it "
            "(tf.compat.v1.graph_util.convert_variables_to_constants), or give a SavedModel"
        )
    check_used(_all(graph), where)
    check_constants(_all(graph), where)
    return graph, _ends(graph, where)


def _serving(graphs: Sequence[Any], where: str) -> Any:
    """The graph for serving on a CPU, or the only one unless it is one for training."""
    by_tags = {tuple(sorted(graph.meta_info_def.tags)): graph for graph in graphs}
    if ("serve",) in by_tags:
        return by_tags["serve",]
    serving = [tags for tags in by_tags if "serve" in tags] or [tags for tags in by_tags if "train" not in tags]
    if len(serving) != 1:
        told = "; ".join("+".join(tags) or "no tag" for tags in sorted(by_tags))
        raise ExportError(
            f"found {where} with {len(graphs)} graphs ({told[:120] or 'none'}), expected one tagged serve: save it "
            "again for serving"
        )
    return by_tags[serving[0]]


def _chosen(graph: Any, where: str) -> Signature:
    tags = tuple(graph.meta_info_def.tags)
    found = {name: one for name, one in graph.signature_def.items() if not name.startswith("__") and one.outputs}
    objects = len(graph.object_graph_def.nodes) > 0
    if not found:
        if objects:
            raise ExportError(f"found {where} without signatures, expected {SERVING}: save it with signatures=")
        return _ends(graph.graph_def, where, tags)
    if SERVING not in found and len(found) > 1:
        raise ExportError(
            f"found {where} with several signatures{_listed(sorted(found))} and none called {SERVING}: save it again "
            "with that of images alone"
        )
    name = SERVING if SERVING in found else next(iter(found))
    given = found[name].inputs
    entry = entry_of((key, given[key].dtype, given[key].tensor_shape) for key in sorted(given))
    if not entry.images:
        raise ExportError(f"found {where} with no image among the inputs of {name}{_listed(sorted(given))}")
    if objects:
        return Signature(tags, name, entry)
    within = {name_of(given[key].name) for key in given}
    others = entry_of((), [one for one in _placeholders(graph.graph_def)[1] if one[0] not in within]).switches
    feeds = (*(given[key].name for key in (*entry.images, *entry.switches)), *(f"{key}:0" for key in others))
    entry = Entry(entry.images, {**entry.switches, **others})
    made = found[name].outputs
    return Signature(tags, name, entry, feeds, tuple((key, made[key].name) for key in sorted(made)))


def _ends(graph: Any, where: str, tags: tuple[str, ...] = ()) -> Signature:
    """The way from the inputs of a graph to the nodes that are made of its images and that nothing else reads."""
    entry = entry_of(*_placeholders(graph))
    read = {name_of(name) for node in graph.node for name in node.input}
    behind = _behind(graph.node, entry.images)
    outputs = [node.name for node in graph.node
               if node.name not in read and node.op not in ENDS and node.name in behind]  # fmt: skip
    if not entry.images or not outputs:
        raise ExportError(
            f"found {where} with {len(entry.images)} inputs{_listed(entry.images)} and {len(outputs)} outputs, "
            "expected an image and what is made of it"
        )
    feeds = tuple(f"{name}:0" for name in (*entry.images, *entry.switches))
    return Signature(tags, "", entry, feeds, tuple((name, f"{name}:0") for name in outputs))


def _placeholders(graph: Any) -> tuple[list[tuple[str, int, Any]], list[tuple[str, int, Any]]]:
    """(name, DataType, TensorShapeProto) of what must be given, and of what has a value of its own."""
    told = [[(node.name, node.attr["dtype"].type, node.attr["shape"].shape) for node in graph.node if node.op in ops]
            for ops in (PLACES, ("PlaceholderWithDefault",))]  # fmt: skip
    return told[0], told[1]


def _behind(nodes: Iterable[Any], starts: Iterable[str]) -> set[str]:
    """The names of all nodes that depend on some."""
    readers: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name_of(name), []).append(node.name)
    waiting, found = list(starts), set[str]()
    while waiting:
        for name in readers.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _check(graph: Any, signature: Signature, where: str) -> None:
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    outputs = [tensor for _, tensor in signature.outputs]
    if not outputs:
        outputs = [value.name for value in graph.signature_def[signature.name].outputs.values()]
    check_used(reachable(outputs, nodes, functions), where)
    starts = [value.name for name, one in graph.signature_def.items() if name.startswith("__")
              for value in one.outputs.values()]  # fmt: skip
    for name in ("saved_model_main_op", "legacy_init_op", "saved_model_init_op", "main_op"):
        if name in graph.collection_def:
            starts.extend(graph.collection_def[name].node_list.value)
    check_used(reachable(starts, nodes, functions), where, STARTING)
    if graph.HasField("saver_def"):
        restoring = list(reachable([graph.saver_def.restore_op_name], nodes, functions))
        check_used(restoring, where, RESTORING)
        if not graph.object_graph_def.nodes:  # then TensorFlow runs it, from the file that it names
            _check_restored(restoring, name_of(graph.saver_def.filename_tensor_name), where)
    check_unused(_all(graph.graph_def), where)
    check_constants(_all(graph.graph_def), where)


def _check_restored(nodes: Iterable[Any], filename: str, where: str) -> None:
    """Raise ExportError for what is read from another place than the SavedModel's own variables."""
    for node in nodes:
        if node.op == "RestoreV2" and (not node.input or name_of(node.input[0]) != filename):
            raise ExportError(
                f"found {where} with the operation RestoreV2 ({node.name[:60]}), which reads another file than its own "
                "variables: save it again"
            )


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
    return f" ({', '.join(name[:60] for name in names[:6])})" if names else ""
