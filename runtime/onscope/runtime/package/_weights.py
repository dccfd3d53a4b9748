"""Which weights a package has; what to do where none of them are ONNX."""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .._errors import PackageError
from ._external import with_its_data
from ._files import MAX_WEIGHTS_BYTES, checked_sha256, member, short

_LIBRARIES = {
    "torchscript": ("torch", "onscope[export]"),
    "pytorch_state_dict": ("torch", "onscope[export]"),
    "keras_v3": ("keras", "onscope[keras]"),
    "keras_hdf5": ("keras", "onscope[keras]"),
    "tensorflow_saved_model_bundle": ("tensorflow", "onscope[keras]"),
}
"""What exports each kind of weights, in the order in which they are taken, and the extra that brings it."""


class Weights(NamedTuple):
    """The one ONNX file that holds all weights, and its sha256."""

    path: Path
    sha256: str


def onnx_weights(content: Mapping[str, Any], folder: Path) -> Weights:
    """The ONNX weights that a description names, hashes checked; external data is put into one file, in the cache.

    Raises PackageError: none there (with the line that makes them of what is there), outside of the package, changed.
    """
    weights = content.get("weights")
    entry = weights.get("onnx") if isinstance(weights, Mapping) else None
    if not isinstance(entry, Mapping):
        raise PackageError(_no_onnx(weights if isinstance(weights, Mapping) else {}, folder))
    path = member(folder, entry, "ONNX weights")
    sha256 = checked_sha256(path, entry, "ONNX weights", MAX_WEIGHTS_BYTES)
    stated = entry.get("external_data")
    if stated is None:
        return Weights(path, sha256)
    data = member(folder, stated, "external data")
    data_sha256 = checked_sha256(data, stated, "external data", MAX_WEIGHTS_BYTES)
    whole = with_its_data(path, sha256, data, data_sha256)
    return Weights(whole, checked_sha256(whole, None, "ONNX weights", MAX_WEIGHTS_BYTES))


def _no_onnx(weights: Mapping[Any, Any], folder: Path) -> str:
    """One sentence: which command makes ONNX of the weights that are there."""
    there = short(", ".join(map(str, weights)) or "none")
    found = f"found no ONNX weights (weights there: {there}), expected some"
    for kind, (library, extra) in _LIBRARIES.items():
        entry = weights.get(kind)
        if not isinstance(entry, Mapping):
            continue
        stated = short(entry.get("source"))
        fetch = f"download {stated} into it and name that file as source, then " if "://" in stated else ""
        trust = " --trust-code" if kind == "pytorch_state_dict" else ""
        runs = ", running the architecture's code" if trust else ""
        needs = "" if importlib.util.find_spec(library) else f", once {library} is there (pip install '{extra}')"
        return (
            f"{found}: {fetch}`onscope export {shlex.quote(str(folder))}{trust} --out FOLDER` makes a package with "
            f"ONNX weights of it{runs}{needs}"
        )
    if not weights:
        return f"{found}: the package is incomplete"
    return f"{found}: onscope has no way from these to ONNX, so convert them where they were trained"
