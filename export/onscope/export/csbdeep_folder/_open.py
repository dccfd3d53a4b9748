"""From a model folder to a Keras model with its weights: built by the original package, or as that package would."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from onscope.runtime import ExportError

from .._original import folder_sha256, one_line
from ..keras_tf import quiet, require_keras
from ._weights import Weights, check_hdf5, fill

if TYPE_CHECKING:
    import keras

PREFERRED = ("weights_best.h5", "weights_last.h5", "weights_now.h5")
TOOLS = ("keras", "tensorflow", "tf2onnx", "h5py")
FAILURES = (ImportError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)


class Described(Protocol):
    """A network that a config.json describes."""

    @property
    def least_bytes(self) -> int: ...
    @property
    def package(self) -> str: ...
    def own(self) -> Iterator[keras.Model]: ...
    def original(self) -> keras.Model: ...


class Opened(NamedTuple):
    """The model with its weights, the hash of the files that it is made of, the distributions in use, and notes."""

    model: keras.Model
    weights: str
    sha256: str
    tools: tuple[str, ...]
    notes: tuple[str, ...]


def open_network(folder: Path, described: Described, further: tuple[str, ...] = ()) -> Opened:
    """Build the network and load its weights; `further` are files besides that the source is made of.

    Raises ExportError, one sentence: no weights, a pickle, weights that do not fit, a link out of the folder.
    """
    path = weights_of(folder)
    check_hdf5(path)
    if described.least_bytes > path.stat().st_size:
        raise ExportError(
            f"found {path.name} of {path.stat().st_size} bytes, expected at least {described.least_bytes} for the "
            "network in config.json: take both files from the same training"
        )
    require_keras()
    with Weights(path) as weights, quiet():
        model, tools, notes = _built(described, weights)
    names = ("config.json", path.name, *further)
    return Opened(model, path.name, folder_sha256(folder, [folder / name for name in names]), tools, notes)


def weights_of(folder: Path) -> Path:
    """The weights that CSBDeep would load: the best, the last, or the only ones; raises ExportError."""
    found = sorted(path.name for path in folder.iterdir() if path.suffix in (".h5", ".hdf5") and path.is_file())
    chosen = [name for name in PREFERRED if name in found] or (found if len(found) == 1 else [])
    if not chosen:
        raise ExportError(
            f"found {', '.join(found[:5]) or 'no .h5 file'} in {folder.name}, expected {', '.join(PREFERRED)} or a "
            "single file: leave the one that counts"
        )
    path = folder / chosen[0]
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ExportError(f"found {path.name}, a link out of {folder.name}, expected the file itself: copy it there")
    return path


def _built(described: Described, weights: Weights) -> tuple[keras.Model, tuple[str, ...], tuple[str, ...]]:
    package = described.package
    notes: tuple[str, ...] = ()
    if package and importlib.util.find_spec(package) is not None:
        try:
            model = described.original()
        except FAILURES as error:  # an old package beside a new Keras: there is another way
            notes = (f"{package} itself could not build the network ({one_line(error, 160)})",)
        else:
            fill(model, weights)
            return model, (*TOOLS, package), ()
    refused: ExportError | None = None
    for model in described.own():
        try:
            fill(model, weights)
        except ExportError as error:
            refused = refused or error
        else:
            words = f"the network was built from config.json without {package or 'the original package'}"
            return model, TOOLS, (*notes, words)
    raise refused or ExportError("found no network in config.json, expected one")
