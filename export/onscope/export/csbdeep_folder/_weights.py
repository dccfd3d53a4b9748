"""Weights of a Keras model in HDF5, by names and shapes: nothing is unpickled, and no link out of the file is followed.

The layout is Keras' `save_weights` in HDF5 (Keras 2, and CSBDeep with Keras 3): the attribute `layer_names` of the
file, `weight_names` of each layer's group, and a data set for each of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, one_line

if TYPE_CHECKING:
    import keras

MAGIC = b"\x89HDF\r\n\x1a\n"
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(dp", b"]q", b"}q")
MOST_LAYERS = 4096
AUTOMATIC = re.compile(r"(conv2d|conv3d|batch_normalization)(?:_v\d)?(?:_(\d+))?")
"""Names that Keras gives: they are numbered through a process, so only their order tells which layer is meant."""


class Weights:
    """An HDF5 file with weights, opened for reading; a context manager. Raises ExportError for what is none."""

    def __init__(self, path: Path) -> None:
        import h5py

        check_hdf5(path)
        self.name = path.name
        try:
            self._file = h5py.File(path, "r")
        except (OSError, RuntimeError) as error:
            raise ExportError(
                f"found {path.name}, which is no whole HDF5 file ({one_line(error, 100)}), expected weights of Keras: "
                "copy it again"
            ) from error

    def __enter__(self) -> Weights:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def layers(self) -> dict[str, dict[str, Any]]:
        """The data sets of the layers that have any, by layer and weight, in the file's order."""
        try:
            root = self._group(self._file, "model_weights") if "model_weights" in self._file else self._file
            names = _texts(root, "layer_names")
            if not names or len(names) > MOST_LAYERS:
                raise ExportError(
                    f"found {self.name} without Keras' layer_names, expected weights as CSBDeep and StarDist save "
                    "them: save them again under a name without .weights.h5"
                )
            groups = {name: self._group(root, name) for name in names}
            found = {name: {path: self._dataset(group, path) for path in _texts(group, "weight_names")}
                     for name, group in groups.items()}  # fmt: skip
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise ExportError(
                f"found {self.name}, whose HDF5 cannot be followed ({one_line(error, 100)}), expected weights of "
                "Keras: copy it again"
            ) from error
        return {name: weights for name, weights in found.items() if weights}

    def _group(self, parent: Any, name: str) -> Any:
        import h5py

        found = self._inside(parent, name)
        if not isinstance(found, h5py.Group):
            raise ExportError(
                f"found no group {one_line(name, 60)!r} in {self.name}, expected the layers that it names"
            )
        return found

    def _dataset(self, parent: Any, name: str) -> Any:
        import h5py

        found = self._inside(parent, name)
        if not isinstance(found, h5py.Dataset) or found.dtype.kind != "f" or found.is_virtual or found.external:
            raise ExportError(f"found {one_line(name, 60)!r} in {self.name}, which is no plain array of numbers")
        return found

    def _inside(self, parent: Any, name: str) -> Any:
        """What lies under a path in the file itself: HDF5 has links to other files too."""
        import h5py

        for part in [part for part in name.split("/") if part]:
            link = parent.get(part, getlink=True) if isinstance(parent, h5py.Group) else None
            if type(link) is not h5py.HardLink:
                raise ExportError(
                    f"found {one_line(name, 60)!r} named in {self.name}, but not in it, expected it in the same file: "
                    "copy the weights as Keras saved them"
                )
            parent = parent[part]
        return parent


def check_hdf5(path: Path) -> None:
    """Raise ExportError unless the file begins as HDF5 does; pickles under such a name are called what they are."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise ExportError(f"found no readable {path.name} ({error.strerror}), expected weights of Keras") from error
    if start != MAGIC:
        what = "a pickle, which could run any code," if start.startswith(PICKLES) else "no HDF5 file"
        raise ExportError(f"found {path.name}, which is {what} expected weights as Keras saves them in HDF5")


def fill(model: keras.Model, weights: Weights) -> None:
    """Give the model the file's numbers; raises ExportError where names or shapes are not the model's.

    Layers with names of their own are found by them, the others by the order in which Keras numbered them.
    """
    found, wanted = _keyed(weights.layers()), _keyed({layer.name: layer for layer in model.layers if layer.weights})
    if missing := [key for key in wanted if key not in found]:
        raise _unfit(f"no weights for the layer {_said(missing[0])!r} in {weights.name}", "them")
    if others := [key for key in found if key not in wanted]:
        raise _unfit(f"weights for the layer {_said(others[0])!r} in {weights.name}", "none for such a layer")
    ready = [(wanted[key], _matched(wanted[key], found[key], _said(key), weights.name)) for key in wanted]
    for layer, arrays in ready:
        layer.set_weights(arrays)


def _matched(layer: Any, given: Mapping[str, Any], said: str, file: str) -> list[Array]:
    by_leaf = {path.rsplit("/", 1)[-1].split(":")[0]: array for path, array in given.items()}
    leaves = [weight.name.rsplit("/", 1)[-1] for weight in layer.weights]
    arrays = [by_leaf[leaf] for leaf in leaves] if set(by_leaf) == set(leaves) else list(given.values())
    if len(arrays) != len(leaves):
        raise _unfit(f"{len(arrays)} arrays for the layer {said!r} in {file}", f"{len(leaves)} ({', '.join(leaves)})")
    for leaf, weight, array in zip(leaves, layer.weights, arrays, strict=True):
        if tuple(array.shape) != tuple(weight.shape):
            raise _unfit(f"{leaf} of {_size(array.shape)} for the layer {said!r} in {file}", _size(weight.shape))
    return [_read(array, f"{leaf} of the layer {said!r} in {file}") for leaf, array in zip(leaves, arrays, strict=True)]


def _read(array: Any, said: str) -> Array:
    try:
        numbers = np.asarray(array[()], np.float32)
    except (OSError, RuntimeError) as error:
        raise ExportError(
            f"found {said}, which cannot be read ({one_line(error, 100)}), expected numbers: copy the file again"
        ) from error
    if not np.isfinite(numbers).all():
        raise ExportError(
            f"found NaN or infinite numbers in the {said}, expected a trained network: take other weights"
        )
    return numbers


def _unfit(found: str, expected: str) -> ExportError:
    return ExportError(
        f"found {found}, expected {expected}, as config.json has it: take both files from the same training"
    )


def _keyed(layers: Mapping[str, Any]) -> dict[tuple[str, int], Any]:
    """By name, or by kind and rank among the layers of that kind whose names Keras gave."""
    keyed: dict[tuple[str, int], Any] = {}
    numbered: dict[str, list[tuple[int, Any]]] = {}
    for name, value in layers.items():
        if match := AUTOMATIC.fullmatch(name):
            numbered.setdefault(match[1], []).append((int(match[2] or 0), value))
        else:
            keyed[name, -1] = value
    for kind, values in numbered.items():
        ordered = sorted(values, key=lambda pair: pair[0])
        keyed |= {(kind, rank): value for rank, (_, value) in enumerate(ordered)}
    return keyed


def _said(key: tuple[str, int]) -> str:
    name, rank = key
    return one_line(name, 60) if rank < 0 else f"{name} number {rank + 1}"


def _texts(group: Any, name: str) -> list[str]:
    """A list of names in an attribute; Keras cuts long ones into several attributes."""
    parts = [name] if name in group.attrs else []
    while not parts or parts[-1] != name:
        if (part := f"{name}{len(parts)}") not in group.attrs:
            break
        parts.append(part)
    texts: Sequence[Any] = [text for part in parts for text in np.ravel(group.attrs[part])]
    return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in texts]


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
