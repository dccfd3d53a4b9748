"""A model of Keras 2, rebuilt call by call from its configuration as a model of Keras 3.

Format: `get_config` of Sequential and Functional in Keras 2. A layer has a node for each of its calls (`_nodes`);
calls of a model that has an Input are counted from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onscope.runtime import ExportError

from ..._original import one_line
from .._door import failures
from .._layers import flat
from ._layers import OPERATIONS, layer_of
from ._nodes import leaves, mapped, references
from ._operations import operation

MODELS = ("Sequential", "Functional", "Model")
MOST_DEPTH = 20


@dataclass
class Built:
    """A layer with the class that it had in Keras 2, and the layers in it, in that file's order."""

    layer: Any
    class_name: str
    name: str
    inside: list[Built] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """Builds what configurations describe; `custom` are classes and functions by name, with `trusted` code may run."""

    custom: Mapping[str, Any]
    trusted: bool
    where: str

    def model(self, content: Mapping[str, Any], depth: int = 0) -> Built:
        """The model of a configuration with class_name and config; raises ExportError."""
        name, config = content["class_name"], content["config"]
        if depth > MOST_DEPTH:
            raise self._broken("models in models without end")
        try:
            if name == "Sequential":
                return self._sequential(config, depth)
            if name in MODELS and "input_layers" in config:
                return self._functional(config, depth, name)
        except ExportError:
            raise
        except failures() as error:
            raise self._broken(one_line(error, 160)) from error
        raise ExportError(
            f"found {self.where}, a network of the class {one_line(name, 60)} in the format of Keras 2, which keeps "
            "its code elsewhere: save it as a SavedModel (model.save of a folder, or model.export), and export that"
        )

    def _broken(self, why: str) -> ExportError:
        import keras

        return ExportError(
            f"found {self.where}, a file of Keras 2 that cannot be rebuilt in Keras {keras.__version__} ({why}): save "
            "the network as a SavedModel (model.save of a folder, or model.export), and export that"
        )

    def _part(self, content: Mapping[str, Any], depth: int) -> Built:
        name, config = content["class_name"], content["config"]
        if name in MODELS and name not in self.custom:
            return self.model(content, depth + 1)
        if name == "InputLayer":
            return Built(_input(config), name, config["name"])
        if name in OPERATIONS:  # made when it is called: it keeps what it is called with
            return Built(None, name, config["name"])
        return Built(layer_of(name, config, self.custom, self.trusted), name, config["name"])

    def _sequential(self, config: Any, depth: int) -> Built:
        import keras

        contents = config["layers"] if isinstance(config, dict) else config
        parts = [self._part(content, depth) for content in contents]
        name = config["name"] if isinstance(config, dict) else "sequential"
        if parts and parts[0].class_name != "InputLayer":
            first = contents[0]["config"]
            shape = first.get("batch_input_shape") if isinstance(first, dict) else None
            shape = shape or (config.get("build_input_shape") if isinstance(config, dict) else None)
            if shape:
                given = keras.Input(batch_shape=shape, dtype=_dtype(first) if isinstance(first, dict) else None)
                parts.insert(0, Built(given, "InputLayer", ""))
        model = keras.Sequential([part.layer for part in parts], name=name)
        _settle(model, config)
        return Built(model, "Sequential", name, parts)

    def _functional(self, config: Mapping[str, Any], depth: int, class_name: str) -> Built:
        import keras

        parts = {content["name"]: self._part(content, depth) for content in config["layers"]}
        made: dict[str, list[list[Any]]] = {name: [] for name in parts}
        for name, part in parts.items():
            if part.class_name == "InputLayer":
                made[name].append([part.layer])
        firsts = {name: _first_call(name, parts[name], config) for name in parts}

        def at(reference: Any) -> Any:
            layer, call, output = reference[:3]
            return made[layer][call - firsts[layer]][output]

        waiting = {content["name"]: list(content["inbound_nodes"]) for content in config["layers"]}
        contents = {content["name"]: content for content in config["layers"]}
        while any(waiting.values()):
            before = sum(map(len, waiting.values()))
            for name, nodes in waiting.items():
                while nodes and all(
                    len(made[layer]) > call - firsts[layer] for layer, call in references(nodes[0], parts)
                ):
                    found = _called(parts[name], contents[name], nodes.pop(0), at, parts, len(made[name]))
                    made[name].append(flat(found))
            if sum(map(len, waiting.values())) == before:
                raise self._broken("its layers wait for each other")
        ends = [mapped(config[side], parts, at) for side in ("input_layers", "output_layers")]
        model = keras.Model(*(one[0] if isinstance(one, list) and len(one) == 1 else one for one in ends),
                            name=config["name"])  # fmt: skip
        _settle(model, config)
        return Built(model, "Functional" if class_name == "Model" else class_name, config["name"], list(parts.values()))


def _settle(model: Any, config: Any) -> None:
    """Frozen models count their weights in another order."""
    if isinstance(config, dict) and config.get("trainable") is False:
        model.trainable = False


def _input(config: Mapping[str, Any]) -> Any:
    import keras

    if config.get("sparse") or config.get("ragged"):
        raise ValueError("an input of sparse or ragged tensors")
    shape = config["batch_input_shape"] if "batch_input_shape" in config else config["batch_shape"]
    return keras.Input(batch_shape=shape, dtype=_dtype(config), name=config["name"])


def _dtype(config: Mapping[str, Any]) -> str:
    found = config.get("dtype", "float32")
    return found if isinstance(found, str) and not found.startswith("mixed") else "float32"


def _first_call(name: str, part: Built, config: Mapping[str, Any]) -> int:
    """The number of a layer's first call: 1 for a model with an Input of its own, whose call 0 is that itself."""
    nodes = [node for content in config["layers"] for node in content["inbound_nodes"]]
    calls = {call for node in nodes for layer, call in references(node, {name}) if layer == name}
    calls |= {call for side in ("input_layers", "output_layers")
              for layer, call in references(config[side], {name}) if layer == name}  # fmt: skip
    if not calls or 0 in calls or part.class_name not in MODELS:
        return 0
    own = next(len(content["inbound_nodes"]) for content in config["layers"] if content["name"] == name)
    return 1 if max(calls) >= own or (part.inside and part.inside[0].class_name == "InputLayer") else 0


def _called(part: Built, content: Mapping[str, Any], node: Any, at: Any, names: Any, count: int) -> Any:
    """What one call of the layer gives; the arguments stand behind the first reference."""
    kwargs: Any = next((one[3] for one in leaves(node, names) if len(one) == 4), {})
    if part.class_name in OPERATIONS:
        tensors: list[Any] = []

        def kept(reference: Any) -> dict[str, int]:
            tensors.append(at(reference))
            return {"tensor": len(tensors) - 1}

        arguments = {"args": [mapped(node, names, kept)], "kwargs": mapped(kwargs, names, kept)}
        name = part.name if not count else f"{part.name}_call_{count}"
        return operation(content["config"]["function"], name, arguments)(tensors)
    given = mapped(node, names, at)
    if isinstance(given, list) and len(given) == 1:
        (given,) = given
    return part.layer(given, **mapped(kwargs, names, at))
