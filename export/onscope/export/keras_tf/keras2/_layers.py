"""Layers of Keras 2 as layers of Keras 3: the same computation, whatever the arguments are called today.

Nothing is trained here, so that initializers, regularizers and constraints are left out, whoever wrote them. Arguments
that Keras 3 does not have are refused unless they have the value at which they do nothing.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from onscope.runtime import ExportError

from ..._original import one_line
from .._door import failures

OPERATIONS = frozenset({"TFOpLambda", "SlicingOpLambda"})
KERAS2_ONLY = OPERATIONS | {"ThresholdedReLU", "LocallyConnected1D", "LocallyConnected2D"}
"""Layers of Keras 2 that Keras 3 does not have."""
UNTRAINED = ("_initializer", "_regularizer", "_constraint")
RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "groups": (1,), "dilation_rate": (1, [1], [1, 1], [1, 1, 1]), "sparse": (False,), "ragged": (False,),
    "renorm": (False,), "virtual_batch_size": (None,), "fused": (True, False), "synchronized": (False,),
    "time_major": (False,), "noise_shape": (None,), "keepdims": (False,), "data_format": ("channels_last",),
    "output_padding": (None,), "depth_multiplier": (1,), "crop_to_aspect_ratio": (False,), "dynamic": (False,),
}  # fmt: skip
"""Arguments that a layer of Keras 3 may lack, with the values at which they change nothing."""
IDLE = {"batch_input_shape", "build_input_shape", "input_dtype", "implementation", "experimental_autocast", "rank",
        "query_shape", "key_shape", "value_shape", "optional", "filters", "robust_masking", "seed", "trainable",
        "dtype", "rng_type", "force_generator", "auto_vectorize", "unroll"}  # fmt: skip
"""Arguments that say what the layer knows without them, or how it is computed or trained."""
BESIDE_CODE = {"function_type", "module", "output_shape_type", "output_shape_module", "mask_type", "mask_module"}
ALIASES = {"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"}


def layer_of(class_name: str, config: Mapping[str, Any], custom: Mapping[str, Any], trusted: bool) -> Any:
    """The layer of Keras 3 for a class and its configuration; raises ExportError for what has no counterpart.

    `custom` are classes and functions by name; `trusted` lets Lambda layers bring their code.
    """
    import keras

    called = f"{class_name[:60]} {one_line(config.get('name', ''), 60)!r}"
    kind: Any = custom.get(class_name) or getattr(keras.layers, ALIASES.get(class_name, class_name), None)
    if not (isinstance(kind, type) and issubclass(kind, keras.layers.Layer)):
        raise ExportError(
            f"found the layer {called} of Keras 2, which Keras {keras.__version__} does not have: save the network as "
            "a SavedModel (model.save of a folder, or model.export), and export that"
        )
    try:
        if class_name in custom:
            return kind.from_config(dict(config))  # type: ignore[attr-defined]
        if class_name == "Lambda":
            return _lambda(kind, config, custom, trusted)
        return kind(**_arguments(kind, class_name, called, config, custom, trusted))
    except failures() as error:
        raise ExportError(
            f"found the layer {called} of Keras 2, which Keras {keras.__version__} does not take "
            f"({one_line(error, 160)}): save the network as a SavedModel, and export that"
        ) from error


def _arguments(
    kind: Any, class_name: str, called: str, config: Mapping[str, Any], custom: Mapping[str, Any], trusted: bool
) -> dict[str, Any]:
    taken = inspect.signature(kind.__init__).parameters.values()
    known = {one.name for one in taken if one.kind is not one.VAR_KEYWORD}
    if any(one.kind is one.VAR_KEYWORD for one in taken):
        known |= {"name", "trainable", "dtype"}
    found: dict[str, Any] = {}
    for given, value in config.items():
        name = RENAMED.get((class_name, given), given)
        if given.endswith(UNTRAINED) or (given in IDLE and given not in known):
            continue
        if name not in known:
            if any(value == each and type(value) is type(each) for each in NEUTRAL.get(name, ())):
                continue
            raise ExportError(
                f"found the layer {called} of Keras 2 with {name}={one_line(value, 40)}, which Keras 3 does not have: "
                "save the network as a SavedModel, and export that"
            )
        found[name] = _value(name, value, custom, trusted)
    if "BatchNormalization" in class_name and isinstance(found.get("axis"), list):
        (found["axis"],) = found["axis"]
    return found


def _lambda(kind: Any, config: Mapping[str, Any], custom: Mapping[str, Any], trusted: bool) -> Any:
    """A Lambda layer: bytecode, which sees the modules that people call tf, keras, K and np, or a function's name."""
    import keras
    import tensorflow as tf

    plain = {name: value for name, value in config.items() if name not in BESIDE_CODE}
    if isinstance(plain["function"], list):
        code = dict(zip(("code", "defaults", "closure"), plain["function"], strict=True))
        plain["function"] = {"class_name": "__lambda__", "config": code}
    elif isinstance(plain["function"], str):
        plain["function"] = custom[plain["function"]]
        return kind(**plain)
    layer = kind.from_config(plain, custom_objects=dict(custom), safe_mode=not trusted)
    held, names = layer.function, {"tf": tf, "keras": keras, "K": tf.keras.backend, "np": np}
    if isinstance(held, types.FunctionType):
        own = types.FunctionType(held.__code__, {**names}, held.__name__, held.__defaults__, held.__closure__)
        layer.function = own
    return layer


def _value(name: str, value: Any, custom: Mapping[str, Any], trusted: bool) -> Any:
    if name.endswith("activation"):
        return _activation(value, custom, trusted)
    if name == "dtype" and isinstance(value, dict):  # a policy
        return value["config"]["name"]
    if name == "layer":  # of a wrapper
        return layer_of(value["class_name"], value["config"], custom, trusted)
    return value


def _activation(value: Any, custom: Mapping[str, Any], trusted: bool) -> Any:
    """A function of that name and of Keras 2's meaning, or a layer."""
    if isinstance(value, dict) and value.get("class_name") != "function":
        return layer_of(value["class_name"], value["config"], custom, trusted)
    name = value["config"] if isinstance(value, dict) else value
    if name in custom:
        return custom[name]
    return _hard_sigmoid() if name == "hard_sigmoid" else name


@functools.cache
def _hard_sigmoid() -> Any:
    """Keras 2's: 0.2 x + 0.5 between 0 and 1. Keras 3 has another under this name, x / 6 + 0.5."""
    import keras

    @keras.saving.register_keras_serializable("onscope")  # type: ignore[untyped-decorator]
    def hard_sigmoid_of_keras2(x: Any) -> Any:
        return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    return hard_sigmoid_of_keras2
