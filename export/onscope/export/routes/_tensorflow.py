"""The route of a TensorFlow SavedModel folder or a frozen graph (.pb): looked through first, then traced to ONNX."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import ExportError

from .._original import file_sha256, folder_sha256
from ..keras_tf import FunctionNetwork, frozen_graph, of_graph, of_saved_model, require_keras, saved_signature
from . import Asked


def load(source: Path, asked: Asked) -> FunctionNetwork:
    """As `load_tensorflow`."""
    return load_tensorflow(source)


def load_tensorflow(source: Path) -> FunctionNetwork:
    """Open a SavedModel (its signature serving_default, or the only one) or a frozen graph; raises ExportError.

    Nothing of it is run before every operation is known to be one of an image network: none that reads or writes
    files or runs Python. No option lets others through.
    """
    require_keras()
    if source.is_dir():
        if not (source / "saved_model.pb").is_file():
            raise ExportError(f"found no saved_model.pb in {source}, expected the folder of a SavedModel")
        signature = saved_signature(source)
        files = [file for file in sorted(source.rglob("*")) if file.is_file()]
        return of_saved_model(source, signature, folder_sha256(source, files))
    digest = file_sha256(source)
    graph, signature = frozen_graph(source)
    return of_graph(graph, signature, f"the frozen graph {source.name}", digest)
