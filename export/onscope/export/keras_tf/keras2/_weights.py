"""Weights as Keras 2 keeps them, given to the layers that they were written for: by their names, never by order alone.

Formats: HDF5 has a group for each layer of the model, with the attribute weight_names; those of a model inside it are
one list, what is trained first. A .keras archive has a group for each layer, called by its class and
counted ("conv2d_1").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onscope.runtime import ExportError

from ..._original import Array
from ._layers import OPERATIONS
from ._model import MODELS, Built

ROOTS = ("layers", "_layer_checkpoint_dependencies")
BARE = {"InputLayer"} | OPERATIONS
"""Layers without weights, which are no layers of the model that is built."""
Named = list[tuple[str, Array]]


def fill_from_hdf5(built: Built, group: Any, where: str) -> None:
    """Give every layer its arrays out of the group model_weights; raises ExportError where they do not fit."""
    found = {name: _listed(group[name]) for name in _texts(group, "layer_names")}
    for part in built.inside:
        _fill(part, found.pop(part.name, []), where)
    left = next((name for name, arrays in found.items() if arrays), None)
    if left is not None:
        raise ExportError(f"found {where} with weights for {left[:60]!r}, a layer that its network does not have")


def fill_from_archive(built: Built, group: Any, where: str) -> None:
    """Give every layer its arrays out of model.weights.h5 of an archive; raises ExportError where they do not fit."""
    root: Any = next((group[name] for name in ROOTS if name in group), {})
    seen: Counter[str] = Counter()
    for part in built.inside:
        name = _snake(part.class_name)
        key = f"{name}_{seen[name]}" if seen[name] else name
        seen[name] += 1
        own = root.get(key)
        if part.class_name in MODELS:
            fill_from_archive(part, own if own is not None else {}, where)
        elif part.class_name not in BARE:
            _fill(part, [] if own is None else _numbered(own), where)


def _fill(part: Built, arrays: Named, where: str) -> None:
    if part.class_name in BARE:
        return
    pairs = [*_trained(part), *_untrained(part)]
    if part.class_name == "Normalization":  # how many values the moments are of does not matter
        arrays = arrays[: len(pairs)]
    if not pairs and all(array.dtype.kind in "iu" for _, array in arrays):  # the state of a random generator
        return
    if len(pairs) != len(arrays):
        raise ExportError(
            f"found {where} with {len(arrays)} arrays for the layer {part.name[:60]!r}, expected {len(pairs)}: copy it "
            "again, or save the network as a SavedModel, and export that"
        )
    names = {layer for layer, _ in pairs}
    for (layer, variable), (path, array) in zip(pairs, arrays, strict=True):
        told = names.intersection(path.split("/"))
        if tuple(variable.shape) != array.shape or (told and layer not in told):
            raise ExportError(
                f"found {where} with {path[:60]!r} of {_size(array.shape)} for {variable.name} of the layer "
                f"{layer[:60]!r}, expected {_size(variable.shape)}: copy it again"
            )
        variable.assign(array)
    if part.class_name == "Normalization":
        part.layer.finalize_state()


def _trained(part: Built) -> list[tuple[str, Any]]:
    """(layer, variable) of what is trained, as Keras 2 orders them."""
    if part.class_name in BARE or not part.layer.trainable:
        return []
    if part.class_name not in MODELS:
        return [(part.name, variable) for variable in part.layer.trainable_weights]
    return [one for inner in part.inside for one in _trained(inner)]


def _untrained(part: Built) -> list[tuple[str, Any]]:
    if part.class_name in BARE:
        return []
    if part.class_name not in MODELS:
        return [(part.name, variable) for variable in part.layer.non_trainable_weights]
    return [one for inner in part.inside for one in _untrained(inner)]


def _listed(group: Any) -> Named:
    return [(name, np.asarray(group[name][()])) for name in _texts(group, "weight_names")]


def _numbered(group: Any) -> Named:
    """The variables of a layer, and of the one inside a wrapper."""
    own = group.get("vars") or {}
    found = [(f"{name}", np.asarray(own[name][()])) for name in sorted(own, key=int)]
    return found + (_numbered(group["layer"]) if "layer" in group else [])


def _texts(group: Any, name: str) -> list[str]:
    """A list of names in an attribute; Keras cuts long ones into several attributes, name0, name1 and so on."""
    attributes: Mapping[str, Any] = group.attrs
    pieces = (
        [name] if name in attributes else [f"{name}{n}" for n in range(len(attributes)) if f"{name}{n}" in attributes]
    )
    texts: Sequence[Any] = [text for piece in pieces for text in np.ravel(attributes[piece])]
    return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in texts]


def _snake(name: str) -> str:
    """LeakyReLU is leaky_re_lu."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
