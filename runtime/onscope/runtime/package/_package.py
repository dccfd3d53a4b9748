"""Packages: BioImage.IO model descriptions with ONNX weights, opened and checked before anything runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from .. import _plugins
from .._errors import PackageError
from ..trust import Reference
from ._decoded import before_decoding
from ._denormalise import denormalised
from ._description import TensorDescription
from ._files import find_rdf, member
from ._onnx import inspect_onnx
from ._people import AUTHOR, CITED, named
from ._ports import match_inputs, match_outputs
from ._settings import settings_of, was_forced
from ._spec import describe, read_tensors
from ._test_tensors import load_test_tensor, test_tensors
from ._tolerance import Tolerance, tolerance_of
from ._trust import read_trust, restores_its_input
from ._variants import Variant, read_variants
from ._weights import onnx_weights
from ._yaml import read_rdf

Array = npt.NDArray[Any]
_SHIPPED = re.compile(r"[a-z0-9][a-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Package:
    """A model package, opened and checked; plain values that can be pickled, so that no other process parses it again.

    `weights` is the ONNX file, `weights_sha256` its hash; `package_sha256` is the sha256 of the two lines
    "<sha256 of the rdf.yaml>\\n<weights_sha256>\\n". `test_inputs` and `test_outputs` are .npy files in the order of
    `inputs` and `outputs` (empty when the package has none). `settings` is config.onscope: "decode" ("image" or
    "points"), "columns" (tuple of names), "threshold", "scale", "denormalise" (outputs whose last step goes back to
    the frame's own units). `tolerances` hold for the outputs in their order.
    `variants` are the same network in fewer bits, by precision ("fp16", "int8"). `forced` is whether it was written
    although the export is not equal to the network. `citations` are `cite` in lines; `origin` is what it was asked for
    by (a shipped name, or a path), `rdf` the description's file and `rdf_sha256` its hash. `trust` says which input is
    usual and which trust values are (None: the package does not say).
    """

    name: str
    folder: Path
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    weights: Path
    weights_sha256: str
    package_sha256: str
    test_inputs: tuple[Path, ...] = ()
    test_outputs: tuple[Path, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"decode": "image"}), hash=False)
    description: str = ""
    licence: str = ""
    citations: str = ""
    documentation: Path | None = None
    forced: bool = False
    variants: Mapping[str, Variant] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    id: str = ""
    version: str = ""
    authors: tuple[Mapping[str, str], ...] = field(default=(), hash=False)
    cite: tuple[Mapping[str, str], ...] = field(default=(), hash=False)
    origin: str = field(default="", compare=False)
    rdf: str = ""
    rdf_sha256: str = ""
    trust: Reference | None = None

    @classmethod
    def load(cls, ref: str | Path) -> Package:
        """Open a folder or .zip with an rdf.yaml, the rdf.yaml itself, or a shipped package, such as "zoo/care-beads".

        Takes about a second the first time (bioimageio.spec is imported); never uses the network, never reads code.
        Raises PackageError, one sentence: a file is missing, outside of the folder, too large or not what its sha256
        says; the description breaks the format or is neither of 0.4 nor of 0.5; the weights are no valid ONNX file of
        standard operators, or not what is described.
        """
        shipped = _shipped(ref)
        rdf = find_rdf(shipped or Path(ref))
        folder = rdf.parent
        content, rdf_sha256 = read_rdf(rdf)
        model = describe(content, folder, rdf.name)
        described = read_tensors(model)
        weights, weights_sha256 = onnx_weights(content, folder)
        graph = inspect_onnx(weights)
        inputs = match_inputs(described[0], graph.inputs, graph.spare)
        outputs = tuple(map(before_decoding, match_outputs(described[1], graph.outputs)))
        settings = settings_of(content)
        documentation = content.get("documentation")
        source = documentation.get("source") if isinstance(documentation, Mapping) else documentation
        linked = isinstance(source, str) and "://" in source
        return cls(
            name=str(model.name),
            folder=folder,
            inputs=inputs,
            outputs=denormalised(inputs, outputs, settings),
            weights=weights,
            weights_sha256=weights_sha256,
            package_sha256=hashlib.sha256(f"{rdf_sha256}\n{weights_sha256}\n".encode()).hexdigest(),
            test_inputs=test_tensors(folder, content, "inputs", described[0], inputs),
            test_outputs=test_tensors(folder, content, "outputs", described[1], outputs),
            tolerances=tuple(tolerance_of(model, output.name) for output in outputs),
            settings=settings,
            description=str(model.description or ""),
            licence=str(model.license or ""),
            citations="\n".join(f"{cite.text} {cite.doi or cite.url or ''}".strip() for cite in model.cite),
            documentation=None if source is None or linked else member(folder, source, "documentation"),
            forced=was_forced(content),
            variants=read_variants(content, folder, described, (inputs, outputs)),
            id=str(getattr(model, "id", None) or ""),
            version=str(getattr(model, "version", None) or ""),
            authors=named(model.authors, AUTHOR),
            cite=named(model.cite, CITED),
            origin=str(Path(ref).absolute()) if shipped is None else str(ref),
            rdf=rdf.name,
            rdf_sha256=rdf_sha256,
            trust=read_trust(content),
        )

    @property
    def onnx_path(self) -> Path:
        """The ONNX file; the same as `weights`."""
        return self.weights

    @cached_property
    def restores(self) -> bool:
        """Whether its answer is its input restored, in the same counts; as far as its test tensors tell."""
        return restores_its_input(self)

    def load_test_inputs(self) -> list[Array]:
        """The package's own test inputs, in the order of `inputs`; raises PackageError when one does not fit."""
        return [load_test_tensor(*pair, "input") for pair in zip(self.test_inputs, self.inputs, strict=False)]

    def load_test_outputs(self) -> list[Array]:
        """What all steps and the network gave for the test inputs, in the order of `outputs`; raises PackageError."""
        return [load_test_tensor(*pair, "output") for pair in zip(self.test_outputs, self.outputs, strict=False)]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "settings": dict(self.settings), "variants": dict(self.variants)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        frozen = {name: MappingProxyType(state[name]) for name in ("settings", "variants")}
        self.__dict__.update(state, **frozen)


def _shipped(ref: str | Path) -> Path | None:
    """The folder that "ENTRY/NAME" stands for; None when `ref` is a path, which goes first."""
    if not isinstance(ref, str) or not _SHIPPED.fullmatch(ref) or Path(ref).exists():
        return None
    entry, name = ref.split("/")
    if entry not in _plugins.find("onscope.packages"):
        return None
    root = Path(_plugins.load("onscope.packages", entry, PackageError))
    if not (root / name).is_dir():
        names = sorted(path.parent.name for path in root.glob("*/rdf.yaml")) if root.is_dir() else []
        raise PackageError(
            f"found no package {name!r} in {entry}, expected one of {', '.join(names) or '(none there)'}"
        )
    return root / name
