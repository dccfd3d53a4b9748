"""The route of a Keras file, .keras or whole-model .h5: looked through first, then opened without compiling."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._original import file_sha256, one_line
from ..keras_tf import (
    Inspected,
    KerasNetwork,
    at_most,
    describes,
    failures,
    inspected,
    of_hdf5,
    of_zip,
    quiet,
    require_keras,
    stated_by,
)
from . import Asked


def load(source: Path, asked: Asked) -> KerasNetwork:
    """As `load_keras`."""
    return load_keras(source, asked.code, trust_code=asked.trust_code)


def load_keras(source: Path, code: Path | None = None, *, trust_code: bool = False) -> KerasNetwork:
    """Open a file of `model.save`; raises ExportError when it is none, and says what it is instead.

    Lambda layers and custom objects run code of the file or of modules that it names: only with `trust_code`, where
    modules are looked for among what is installed, then in `code`. What the model says of its input is stated.
    """
    require_keras()
    if source.is_dir():
        raise ExportError(f"found the folder {source}, expected a Keras file: a SavedModel goes by --route tensorflow")
    digest = file_sha256(source)
    file = inspected(source, trust_code)
    with _importable(code if trust_code else None):
        custom = _imported(file.foreign, source) if trust_code else {}
        model = _opened(source, file, custom, trust_code)
    kind = "the Keras file" if file.suffix == ".keras" else "the Keras HDF5 file"
    model, stated = stated_by(model)
    if file.keras2:
        stated = replace(stated, notes=(_rebuilt(file.version), *stated.notes))
    return KerasNetwork(model, f"{kind} {source.name}", digest, stated)


def _rebuilt(version: str) -> str:
    import keras

    return (
        f"the file is of Keras {one_line(version, 20)}: its network was built again in Keras {keras.__version__}, and "
        "that is what the export was compared with"
    )


def _opened(source: Path, file: Inspected, custom: dict[str, Any], trust_code: bool) -> Any:
    import keras

    if file.keras2:
        known = {**keras.saving.get_custom_objects(), **custom} if trust_code else {}
        read = of_zip if file.suffix == ".keras" else of_hdf5
        with at_most(file.values):
            return read(source, file.content, describes(source), known, trust_code)
    with _named(source, file.suffix) as path:
        try:
            with quiet(), at_most(file.values):
                return keras.saving.load_model(path, custom, compile=False, safe_mode=not trust_code)
        except failures() as error:
            raise ExportError(
                f"found {source.name}, which Keras {keras.__version__} cannot open ({one_line(_last(error), 200)}): "
                'save it again with model.save("network.keras") where it was trained'
            ) from error


def _imported(foreign: Sequence[tuple[str, str]], source: Path) -> dict[str, Any]:
    """Keras imports nothing by itself: what the file asks for, by name."""
    found = {}
    for module, name in foreign:
        try:
            with quiet():
                found[name] = getattr(importlib.import_module(module), name)
        except (ImportError, SyntaxError, ValueError, AttributeError) as error:
            raise ExportError(
                f"found {name} of the module {module} in {source.name}, which cannot be imported "
                f"({one_line(error, 120)}): name the folder of its code with --code"
            ) from error
    return found


def _last(error: Exception) -> str:
    """Keras puts the reason behind the whole configuration."""
    return str(error).rpartition("Exception encountered: ")[2].partition("Full object config: ")[0]


@contextlib.contextmanager
def _named(source: Path, suffix: str) -> Iterator[Path]:
    """The file under a name from which Keras sees what it is."""
    if source.suffix == suffix:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"network{suffix}")
        try:
            path.symlink_to(source.resolve())
        except OSError:  # Windows asks for a right that few users have
            shutil.copyfile(source, path)
        yield path


@contextlib.contextmanager
def _importable(code: Path | None) -> Iterator[None]:
    """The user's own modules can be imported, after what is installed."""
    if code is None:
        yield
        return
    sys.path.append(str(code.resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(code.resolve()))
