"""The route of a BioImage.IO package: what it states of itself, and the network by the weights that it brings.

Formats 0.4 and 0.5 are read where the runtime reads them (onscope.runtime.package), without opening the weights. Those
are then opened by the route of their own kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import StatedPackage, read_stated, unpacked

from .._original import Array, Converted, Original, Stated, Wanted, one_line, run_on
from ..bioimageio import load_architecture, stated_by
from ..onnxfile import open_onnx
from . import Asked
from . import load as load_by

SAVED_MODEL = "saved_model.pb"
Way = Callable[[StatedPackage, Stated, Mapping[str, Any], Asked], Original]


@dataclass(frozen=True)
class PackagedNetwork:
    """The network of a package's weights (an Original with SeveralInputs, where it has them), and what it is."""

    network: Original
    route: str
    stated: Stated

    @property
    def source_sha256(self) -> str | None:
        return self.network.source_sha256

    @property
    def parameters(self) -> int:
        return self.network.parameters

    @property
    def tools(self) -> tuple[str, ...]:
        return self.network.tools

    def run(self, array: Array) -> list[Array]:
        return self.network.run(array)

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        return run_on(self.network, arrays)

    def convert(self, wanted: Wanted) -> Converted:
        return self.network.convert(wanted)


class _Taken(NamedTuple):
    kind: str
    network: Original
    notes: tuple[str, ...]


def load(source: Path, asked: Asked) -> PackagedNetwork:
    """As `load_package`."""
    return load_package(source, asked)


def load_package(source: Path, asked: Asked | None = None) -> PackagedNetwork:
    """Open a folder or .zip with an rdf.yaml, or the rdf.yaml, and the first of its weights that can be.

    Those that were trained go before those that were made from them (`parent`), else a state dict first where
    `asked.trust_code` says that its architecture may be run, then TorchScript, ONNX, Keras and TensorFlow. What is
    passed over, and why, is in the notes. Raises ExportError: the package is none, is damaged, states what an export
    cannot, or none of its weights can be opened (with what the first of them lacks).
    """
    asked = asked or Asked()
    try:
        package = read_stated(source)
        stated = stated_by(package)
        taken = _take(package, stated, asked)
    except PackageError as error:
        raise ExportError(str(error)) from error
    own = taken.network.stated.notes if taken.kind == "pytorch_state_dict" else ()
    notes = (*stated.notes, *taken.notes, *own)
    return PackagedNetwork(
        taken.network, f"the BioImage.IO package {package.name}, {taken.network.route}", replace(stated, notes=notes)
    )


def _take(package: StatedPackage, stated: Stated, asked: Asked) -> _Taken:
    passed_over: list[str] = []
    failed: ExportError | None = None
    for kind in _in_order(package):
        entry = package.weights[kind]
        if kind == "pytorch_state_dict" and not asked.trust_code:
            why = "their architecture is code, which --trust-code runs"
        elif "://" in str(entry.get("source")):
            why = f"they are a link, {one_line(entry['source'], 120)}"
        else:
            try:
                return _Taken(kind, _WAYS[kind](package, stated, entry, asked), (_why(package, kind), *passed_over))
            except ExportError as error:
                failed, why = failed or error, str(error)
        passed_over.append(f"its {kind} weights were passed over: {why}")
    if failed is not None:
        raise failed
    there = ", ".join(package.weights) or "none"
    known = ", ".join(_WAYS)
    raise ExportError(
        f"found no weights in {package.name} that can be exported (there: {there}), expected one of {known} inside the "
        f"package{': ' + '; '.join(passed_over) if passed_over else ''}"
    )


def _in_order(package: StatedPackage) -> list[str]:
    """Kinds of weights that are there, in the order in which they are tried."""
    return sorted((kind for kind in _WAYS if kind in package.weights), key=lambda kind: _is_made(package, kind))


def _is_made(package: StatedPackage, kind: str) -> bool:
    """Whether the weights were made from others of the package."""
    return package.weights[kind].get("parent") in package.weights


def _why(package: StatedPackage, kind: str) -> str:
    others = [other for other in package.weights if other != kind]
    if not others:
        return f"its {kind} weights were taken"
    first = not _is_made(package, kind) and all(_is_made(package, other) for other in others)
    why = "which the others were made from" if first else "the first that can be opened"
    return f"its {kind} weights were taken, {why} (there are {', '.join(others)} too)"


def _state_dict(package: StatedPackage, stated: Stated, entry: Mapping[str, Any], asked: Asked) -> Original:
    return load_architecture(package, entry)


def _by(route: str) -> Way:
    def take(package: StatedPackage, stated: Stated, entry: Mapping[str, Any], asked: Asked) -> Original:
        return load_by(package.file(entry, f"{route} weights"), asked, route)

    return take


def _onnx(package: StatedPackage, stated: Stated, entry: Mapping[str, Any], asked: Asked) -> Original:
    """An ONNX file, of which the package states the inputs, but for the frame's height and width.

    Outputs that it does not describe are left out, as in bioimageio.core.
    """
    path = package.file(entry, "onnx weights")
    if isinstance(data := entry.get("external_data"), Mapping):
        package.file(data, "external data")
    shape = stated.shape if stated.example is None else stated.example.shape
    known = tuple(0 if letter in "byx" else size for letter, size in zip(stated.axes, shape, strict=True))
    return open_onnx(path, axes=stated.axes, sizes=known, further=stated.further, outputs=len(package.outputs))


def _bundle(package: StatedPackage, stated: Stated, entry: Mapping[str, Any], asked: Asked) -> Original:
    """A SavedModel, which packages hold as a .zip."""
    path = package.file(entry, "tensorflow weights")
    if path.suffix.lower() != ".zip":
        return load_by(path, asked, "tensorflow")

    def choose(names: Any) -> Any:
        found = [name for name in names if name.name == SAVED_MODEL]
        if len(found) != 1:
            raise PackageError(
                f"found {len(found)} of {SAVED_MODEL} in {path.name}, expected one: zip the folder of one SavedModel"
            )
        return found[0]

    return load_by(unpacked(path, choose).parent, asked, "tensorflow")


_WAYS: Mapping[str, Way] = {
    "pytorch_state_dict": _state_dict,
    "torchscript": _by("torchscript"),
    "onnx": _onnx,
    "keras_v3": _by("keras"),
    "keras_hdf5": _by("keras"),
    "tensorflow_saved_model_bundle": _bundle,
}
"""Kinds of weights in the order in which they are tried, those that were trained first."""
