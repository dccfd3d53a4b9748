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

from .._original import Array, Converted, Original, Stated, Wanted, run_on
from ..bioimageio import load_architecture, stated_by
from . import Asked
from . import load as load_by

SAVED_MODEL = "saved_model.pb"


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
    passed_over: tuple[str, ...]


def load(source: Path, asked: Asked) -> PackagedNetwork:
    """As `load_package`."""
    return load_package(source, asked)


def load_package(source: Path, asked: Asked | None = None) -> PackagedNetwork:
    """Open a folder or .zip with an rdf.yaml, or the rdf.yaml, and the first of its weights that can be.

    A state dict goes first where `asked.trust_code` says that its architecture may be run, then TorchScript, ONNX,
    Keras and TensorFlow. Raises ExportError: the package is none, is damaged, states what an export cannot, or none of
    its weights can be opened (with what the first of them lacks).
    """
    asked = asked or Asked()
    try:
        package = read_stated(source)
        stated = stated_by(package)
        taken = _take(package, asked)
    except PackageError as error:
        raise ExportError(str(error)) from error
    others = [kind for kind in package.weights if kind != taken.kind]
    why = f"its {taken.kind} weights were taken" + (f" (there are {', '.join(others)} too)" if others else "")
    own = taken.network.stated.notes if taken.kind == "pytorch_state_dict" else ()
    notes = (*stated.notes, why, *taken.passed_over, *own)
    return PackagedNetwork(
        taken.network, f"the BioImage.IO package {package.name}, {taken.network.route}", replace(stated, notes=notes)
    )


def _take(package: StatedPackage, asked: Asked) -> _Taken:
    passed_over: list[str] = []
    for kind, take in _WAYS.items():
        entry = package.weights.get(kind)
        if entry is None:
            continue
        if kind == "pytorch_state_dict" and not asked.trust_code:
            passed_over.append(
                "its pytorch_state_dict weights were passed over: their architecture is code, which --trust-code runs"
            )
            continue
        if "://" in str(entry.get("source")):
            passed_over.append(f"its {kind} weights were passed over: they are a link, {entry['source']}")
            continue
        return _Taken(kind, take(package, entry, asked), tuple(passed_over))
    there = ", ".join(package.weights) or "none"
    known = ", ".join(_WAYS)
    raise ExportError(
        f"found no weights in {package.name} that can be exported (there: {there}), expected one of {known} inside the "
        f"package{': ' + '; '.join(passed_over) if passed_over else ''}"
    )


def _state_dict(package: StatedPackage, entry: Mapping[str, Any], asked: Asked) -> Original:
    return load_architecture(package, entry)


def _by(route: str) -> Callable[[StatedPackage, Mapping[str, Any], Asked], Original]:
    def take(package: StatedPackage, entry: Mapping[str, Any], asked: Asked) -> Original:
        path = package.file(entry, f"{route} weights")
        if isinstance(data := entry.get("external_data"), Mapping):
            package.file(data, "external data")
        return load_by(path, asked, route)

    return take


def _bundle(package: StatedPackage, entry: Mapping[str, Any], asked: Asked) -> Original:
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


_WAYS: Mapping[str, Callable[[StatedPackage, Mapping[str, Any], Asked], Original]] = {
    "pytorch_state_dict": _state_dict,
    "torchscript": _by("torchscript"),
    "onnx": _by("onnx"),
    "keras_v3": _by("keras"),
    "keras_hdf5": _by("keras"),
    "tensorflow_saved_model_bundle": _bundle,
}
"""Kinds of weights in the order in which they are taken."""
