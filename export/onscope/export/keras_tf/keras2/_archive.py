"""A file of Keras 2, looked through before, as a model of Keras 3 with its weights."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from ..._original import one_line
from .._door import failures, quiet
from ._model import Built, Reader
from ._weights import fill_from_archive, fill_from_hdf5

Fill = Callable[[Built, Any, str], None]


def of_hdf5(source: Path, content: Mapping[str, Any], where: str, custom: Mapping[str, Any], trusted: bool) -> Any:
    """The model of a whole-model .h5 with the configuration `content`; raises ExportError.

    `custom` are classes and functions by name, and `trusted` lets Lambda layers bring their code.
    """
    import h5py

    with h5py.File(source, "r") as file:
        backend = file.attrs.get("backend", "tensorflow")
        backend = backend.decode() if isinstance(backend, bytes) else str(backend)
        if backend != "tensorflow":  # Theano turns its kernels round, and others count axes otherwise
            raise ExportError(
                f"found {where} with weights of Keras' back end {one_line(backend, 40)}, expected tensorflow: load it "
                "with that back end's own Keras, and save it again where Keras uses TensorFlow"
            )
        return _filled(content, file["model_weights"], fill_from_hdf5, Reader(custom, trusted, where))


def of_zip(source: Path, content: Mapping[str, Any], where: str, custom: Mapping[str, Any], trusted: bool) -> Any:
    """The model of a .keras archive, as `of_hdf5`."""
    import h5py

    with zipfile.ZipFile(source) as archive, archive.open("model.weights.h5") as packed, h5py.File(packed, "r") as file:
        return _filled(content, file, fill_from_archive, Reader(custom, trusted, where))


def _filled(content: Mapping[str, Any], group: Any, fill: Fill, reader: Reader) -> Any:
    with quiet():
        built = reader.model(content)
        if not built.layer.built:
            raise ExportError(
                f"found {reader.where}, whose network names no size of its input, expected one: save it again built"
            )
        try:
            fill(built, group, reader.where)
        except failures() as error:
            raise ExportError(
                f"found {reader.where}, whose weights cannot be read ({one_line(error, 120)}): copy it again"
            ) from error
    return built.layer
