"""Packages in folders, with what was measured of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from onscope.runtime import Package, PackageError
from onscope.runtime.package import TensorDescription, described_dtype

from ..systems import CARD, Card, row_of

OTHER = "other"
LETTERS = {"time": "time points", "index": "phases", "z": "planes", "channel": "channels"}


@dataclass(frozen=True, slots=True)
class Model:
    """A package as a user chooses it: `name` is what a pipeline asks for, `job` what it does (see `Job`).

    `card` is None where nothing was measured, `wrong` says why a card counts for nothing.
    """

    name: str
    job: str
    package: Package
    card: Card | None
    wrong: str = ""

    @property
    def takes(self) -> str:
        """Its inputs in words, such as "uint16, 9 phases"."""
        return " + ".join(map(input_words, self.package.inputs))

    @property
    def megabytes(self) -> float:
        """Size of the weights."""
        return self.package.weights.stat().st_size / 1e6


def shipped_folders() -> Iterator[tuple[str, Path]]:
    """The folders of shipped packages with the word that goes before their names, such as ("zoo", ...)."""
    for point in sorted(entry_points(group="onscope.packages"), key=lambda point: point.name):
        yield point.name, Path(str(point.load()))


def listed(folders: Iterable[tuple[str, Path]]) -> Iterator[Model | PackageError]:
    """The packages in `folders` (prefix and path), by name; what is no package any more as the error that tells why."""
    for prefix, folder in folders:
        for rdf in sorted(folder.glob("*/rdf.yaml")):
            try:
                package = Package.load(rdf.parent)
            except PackageError as error:
                yield error
                continue
            card, wrong = _card_of(package)
            name = f"{prefix}/{rdf.parent.name}" if prefix else str(rdf.parent)
            yield Model(name, job_of(rdf.parent.name), package, card, wrong)


def job_of(key: str) -> str:
    """What a shipped package does, by the gallery's row that it stands in."""
    try:
        return str(row_of(key).job)
    except KeyError:
        return OTHER


def input_words(tensor: TensorDescription) -> str:
    """An input in words: its pixels, and its axes beside y and x that hold more than one."""
    parts = [described_dtype(tensor, "input")]
    for axis in tensor.described:
        several = LETTERS.get("z" if axis.id == "z" else axis.kind)
        if several and (axis.size.fixed or 1) > 1:
            parts.append(f"{axis.size.fixed} {several}")
    return ", ".join(parts)


def _card_of(package: Package) -> tuple[Card | None, str]:
    file = package.folder / CARD
    if not file.is_file():
        return None, ""
    try:
        card = Card.load(file)
    except (OSError, ValueError) as error:
        return None, str(error)
    if card.weights_sha256 != package.weights_sha256:
        return None, f"{file} was measured with other weights: measure the package again"
    return card, ""
