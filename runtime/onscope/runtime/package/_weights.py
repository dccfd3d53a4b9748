"""Which weights a package has; what to do where none of them are ONNX."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .._errors import PackageError
from ._description import TensorDescription
from ._external import with_its_data
from ._files import MAX_WEIGHTS_BYTES, checked_sha256, member, short

_NAME = re.compile(r"[A-Za-z_][\w.]{0,100}")
_LETTERS = {"batch": "b", "channel": "c", "time": "t", "z": "z", "y": "y", "x": "x"}


class Weights(NamedTuple):
    """The one ONNX file that holds all weights, and its sha256."""

    path: Path
    sha256: str


def onnx_weights(content: Mapping[str, Any], folder: Path, inputs: Sequence[TensorDescription]) -> Weights:
    """The ONNX weights that a description names, hashes checked; external data is put into one file, in the cache.

    Raises PackageError: none there (with the line that makes them of what is there), outside of the package, changed.
    """
    weights = content.get("weights")
    entry = weights.get("onnx") if isinstance(weights, Mapping) else None
    if not isinstance(entry, Mapping):
        raise PackageError(_no_onnx(weights if isinstance(weights, Mapping) else {}, inputs))
    path = member(folder, entry, "ONNX weights")
    sha256 = checked_sha256(path, entry, "ONNX weights", MAX_WEIGHTS_BYTES)
    stated = entry.get("external_data")
    if stated is None:
        return Weights(path, sha256)
    data = member(folder, stated, "external data")
    data_sha256 = checked_sha256(data, stated, "external data", MAX_WEIGHTS_BYTES)
    whole = with_its_data(path, sha256, data, data_sha256)
    return Weights(whole, checked_sha256(whole, None, "ONNX weights", MAX_WEIGHTS_BYTES))


def _no_onnx(weights: Mapping[Any, Any], inputs: Sequence[TensorDescription]) -> str:
    """One sentence: which command makes ONNX of the weights that are there."""
    there = short(", ".join(map(str, weights)) or "none")
    found = f"found no ONNX weights (weights there: {there}), expected some"
    for kind, options in (("torchscript", ""), ("pytorch_state_dict", _network(weights.get("pytorch_state_dict")))):
        entry = weights.get(kind)
        if isinstance(entry, Mapping) and len(inputs) == 1:
            stated = short(entry.get("source"))
            fetch = f"download {stated}, then " if "://" in stated else ""
            source = shlex.quote(stated.rpartition("/")[2] if fetch else stated)
            torch = "" if importlib.util.find_spec("torch") else ", once torch is there (pip install 'onscope[export]')"
            return (
                f"{found}: {fetch}`onscope export {source}{options} --dtype float32 {_example(inputs[0])} --out FOLDER`"
                f" makes ONNX of the network alone{torch}; put its weights.onnx beside the rdf.yaml and name it under "
                "weights.onnx"
            )
    if not weights:
        return f"{found}: the package is incomplete"
    return (
        f"{found}: onscope has no way from here to ONNX, so convert them where they were trained (Keras and "
        "TensorFlow: tf2onnx), put the file beside the rdf.yaml and name it under weights.onnx"
    )


def _example(tensor: TensorDescription) -> str:
    """Options that say what goes into the network, for frames of about 256 pixels."""
    letters = [_LETTERS.get(axis.id, "") for axis in tensor.described]
    if not all(letters):
        return "--axes AXES --example-shape SHAPE"
    sizes = {axis.id: axis.size.at_least(256 if axis.kind == "space" else 1) for axis in tensor.described}
    for axis in tensor.described:
        follows = axis.size.follows
        if follows and follows.tensor == tensor.name and follows.axis in sizes:
            sizes[axis.id] = follows.size(sizes[follows.axis])
    return f"--axes {''.join(letters)} --example-shape {'x'.join(str(sizes[axis.id]) for axis in tensor.described)}"


def _network(entry: Any) -> str:
    """Options that name a state dict's class; its arguments are for the user to fill in."""
    stated = entry.get("architecture") if isinstance(entry, Mapping) else None
    if isinstance(stated, str):  # format 0.4: file.py:Class or package.module.Class
        place, _, name = stated.partition(":") if ":" in stated else stated.rpartition(".")
        inside = ":" in stated
    elif isinstance(stated, Mapping):
        inside = "source" in stated
        place, name = str(stated.get("source", stated.get("import_from"))), str(stated.get("callable"))
    else:
        inside, place, name = False, "", ""
    module = place.removesuffix(".py")
    if not (_NAME.fullmatch(module) and _NAME.fullmatch(name)):
        return " --network MODULE:CLASS"
    return f" --network '{module}:{name}(...)'" + (" --code . --trust-code" if inside else "")
