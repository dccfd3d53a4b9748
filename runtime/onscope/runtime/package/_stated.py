"""What a package says of itself, whatever its weights are: its description read and checked, its weights unopened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ._description import TensorDescription
from ._files import MAX_WEIGHTS_BYTES, checked_sha256, find_rdf, member, read_bounded
from ._people import AUTHOR, CITED, named
from ._settings import settings_of
from ._spec import describe, read_tensors
from ._test_tensors import load_test_tensor, test_tensors
from ._tolerance import Tolerance, tolerance_of
from ._yaml import read_rdf

Array = npt.NDArray[Any]
MAX_TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class StatedPackage:
    """A description of format 0.4 or 0.5, in the words of 0.5.

    `graph_name` of a tensor is the description's name; `dtype` of an input is what its steps end with, of an output
    what the description says. `test_inputs` and `test_outputs` are those of `inputs` and `outputs`, as they come
    (empty where one lacks). `weights` are the entries as the rdf.yaml has them, by kind. `authors` and `cite` have the
    words of 0.5.
    """

    name: str
    folder: Path
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    test_inputs: tuple[Array, ...]
    test_outputs: tuple[Array, ...]
    tolerances: tuple[Tolerance, ...]
    weights: Mapping[str, Mapping[str, Any]] = field(hash=False)
    settings: Mapping[str, Any] = field(hash=False)
    description: str = ""
    authors: tuple[Mapping[str, str], ...] = ()
    cite: tuple[Mapping[str, str], ...] = ()
    licence: str = ""
    tags: tuple[str, ...] = ()
    documentation: str = ""

    def file(self, entry: Mapping[str, Any], what: str) -> Path:
        """The file that an entry names by `source`, its `sha256` checked if it states one; raises PackageError."""
        path = member(self.folder, entry, what)
        checked_sha256(path, entry, what, MAX_WEIGHTS_BYTES)
        return path


def read_stated(ref: str | Path) -> StatedPackage:
    """Read the description of a folder or .zip with an rdf.yaml, or the rdf.yaml itself, and its test tensors.

    Raises PackageError in one sentence: a file is missing, outside of the folder, too large or not what its sha256
    says; the description breaks the format or is neither of 0.4 nor of 0.5.
    """
    rdf = find_rdf(Path(ref))
    folder = rdf.parent
    content, _ = read_rdf(rdf)
    model = describe(content, folder, rdf.name)
    inputs, outputs = read_tensors(model)
    held = [
        test_tensors(folder, content, side, tensors, tensors)
        for side, tensors in (("inputs", inputs), ("outputs", outputs))
    ]
    weights = content.get("weights")
    return StatedPackage(
        name=str(model.name),
        folder=folder,
        inputs=inputs,
        outputs=outputs,
        test_inputs=tuple(load_test_tensor(*pair, "input") for pair in zip(held[0], inputs, strict=False)),
        test_outputs=tuple(load_test_tensor(*pair, "output") for pair in zip(held[1], outputs, strict=False)),
        tolerances=tuple(tolerance_of(model, output.name) for output in outputs),
        weights={str(kind): entry for kind, entry in (weights or {}).items() if isinstance(entry, Mapping)},
        settings=settings_of(content),
        description=str(model.description or ""),
        authors=named(model.authors, AUTHOR),
        cite=named(model.cite, CITED),
        licence=str(model.license or ""),
        tags=tuple(map(str, model.tags)),
        documentation=_text(content, folder),
    )


def _text(content: Mapping[str, Any], folder: Path) -> str:
    """The documentation's Markdown; "" where there is none inside the package."""
    stated = content.get("documentation")
    source = stated.get("source") if isinstance(stated, Mapping) else stated
    if not isinstance(source, str) or "://" in source:
        return ""
    path = member(folder, source, "documentation")
    return read_bounded(path, MAX_TEXT_BYTES, "documentation").decode("utf-8", "replace")
