"""The configuration of a Keras model as untrusted text: what in it is code, or would run or read something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .keras2 import KERAS2_ONLY

ROOMS = (
    "layers", "models", "initializers", "regularizers", "constraints", "activations", "dtype_policies", "quantizers",
    "ops", "random", "engine", "mixed_precision",
)  # fmt: skip
"""Parts of Keras that describe networks; others load files, fetch from the network or change settings."""
PLAIN = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__",
         "TensorShape", "DType", "KerasTensor"}  # fmt: skip
"""Values, not objects."""
CODE = {"Lambda", "__lambda__", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"}
"""Python code as bytes or text inside the file."""
READERS = {"TFSMLayer", "StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization"}
"""Layers that read files which their configuration names."""
MOST_CONFIG = 64 << 20
MOST_ENTRIES = 2_000_000


def read_config(text: str | bytes, where: str) -> dict[str, Any]:
    """The configuration as names with values; raises ExportError."""
    try:
        if len(text) > MOST_CONFIG:
            raise ExportError(
                f"found a configuration of more than {MOST_CONFIG >> 20} MB in {where}, expected a network's"
            )
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"found {where} whose configuration is not JSON ({error}), expected a whole file") from error
    if not isinstance(content, dict) or "class_name" not in content or "config" not in content:
        raise ExportError(f"found {where} whose configuration names no model, expected one with class_name and config")
    return content


def check_config(
    content: Mapping[str, Any], where: str, trust_code: bool, keras2: bool = False
) -> tuple[tuple[str, str], ...]:
    """(module, name) of what is not Keras' own; raises ExportError, with its name, for code without `trust_code`.

    HDF5 files name classes without their modules: those must be Keras'. A file of Keras 2 (`keras2`) names modules that
    nothing is imported from.
    """
    foreign: dict[tuple[str, str], None] = {}
    for one in _objects(content):
        name, module, registered = one["class_name"], one.get("module"), one.get("registered_name")
        if not isinstance(name, str) or not isinstance(module, (str, type(None))):
            raise ExportError(f"found {where} with an object whose class is {name!r}, expected the name of a class")
        if name in CODE and not trust_code:
            raise ExportError(
                f"found {where} with {_called(one)}, which is Python code that runs when the file is opened: build the "
                "network without it (a Keras layer instead of Lambda), or read its code and add --trust-code"
            )
        if name in READERS:
            raise ExportError(f"found {where} with {_called(one)}, which reads other files: images need no such layer")
        if name in PLAIN or name in CODE:
            continue
        own = (keras2 and name in KERAS2_ONLY) or (_known(name) if module is None else _of_keras(module, name, keras2))
        package = registered.rpartition(">")[0] if isinstance(registered, str) else ""
        if trust_code:
            if not own and module:
                foreign[module, name] = None
            elif not own and not _registered(name):
                raise ExportError(
                    f"found {where} with the custom object {_called(one)}, whose module the file does not name: save "
                    "the network as a SavedModel (model.export), or as .keras with that class in a module of its own"
                )
            continue
        if not own or package not in ("", "keras", "Keras"):
            source = f" of {module}" if module else ""
            raise ExportError(
                f"found {where} with the custom object {_called(one)}{source}, whose code is not in Keras: build the "
                "network of Keras' own layers, save it as a SavedModel (model.export), or add --trust-code, with the "
                "folder of its module as --code"
            )
    return tuple(foreign)


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    """Everything that is built by a class or function's name, however deep."""
    waiting, seen = [content], 0
    while waiting:
        one = waiting.pop()
        seen += 1
        if seen > MOST_ENTRIES:
            raise ExportError(f"found a configuration of more than {MOST_ENTRIES} entries, expected a network's")
        if isinstance(one, dict):
            if "class_name" in one:
                yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _of_keras(module: str, name: str, keras2: bool) -> bool:
    if name == "function" and module == "builtins":
        return False
    parts = module.removeprefix("tensorflow.python.").split(".")
    if parts[0] != "keras" and not (keras2 and parts[0] == "tf_keras"):
        return False
    parts = [part for part in parts[1:] if part not in ("src", "api")]
    return parts[0] in ROOMS if parts else name in ("Sequential", "Model", "Functional", "DTypePolicy")


def _known(name: str) -> bool:
    import keras

    rooms = (keras.layers, keras.models, keras.initializers, keras.regularizers, keras.constraints, keras.activations,
             keras.dtype_policies)  # fmt: skip
    names = (name, name.removesuffix("V1").removesuffix("V2"))
    return name in ("Functional", "Policy", "PolicyV1") or any(hasattr(room, each) for room in rooms for each in names)


def _registered(name: str) -> bool:
    """Whether code that was imported before has registered the class or function."""
    import keras

    return keras.saving.get_registered_object(name) is not None


def _called(one: Mapping[str, Any]) -> str:
    inner = one.get("config")
    own = inner.get("name") if isinstance(inner, dict) else inner
    words = f"{one['class_name']} {own!r}" if isinstance(own, str) else str(one["class_name"])
    return words[:80]


def describes(source: Path) -> str:
    """How a message calls the file."""
    return f"the Keras file {source.name}"
