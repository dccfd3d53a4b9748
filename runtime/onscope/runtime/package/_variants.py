"""Variants of a package's weights in fewer bits: files beside the float ones, read and checked like them.

The BioImage.IO format knows one entry of ONNX weights, so that variants stand in config.onscope.variants (see
docs/decisions/0011-precision-variants.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .._errors import PackageError
from ._description import TensorDescription
from ._files import MAX_WEIGHTS_BYTES, checked_sha256, member, short
from ._onnx import inspect_onnx
from ._ports import match_inputs, match_outputs

PRECISIONS = ("fp16", "int8")
"""What variants are called; the package's own weights are "float32", whatever dtype they have."""
FASTER = 1.05
"""Speed relative to the float weights from which on a variant counts as faster: less is a measurement's error."""
Tensors = Sequence[TensorDescription]


@dataclass(frozen=True, slots=True)
class Speed:
    """Frames per second relative to the float weights on one engine, in turns, on the machine with that processor."""

    ratio: float
    cpu: str


@dataclass(frozen=True, slots=True)
class Variant:
    """The network in another precision, for the same tensors. `sha256` is that of the file `weights`.

    `passes` says whether it was measured to be equal enough to the float weights; `speeds` are by engine. `report` is
    all that the description says of it, as read-only plain values.
    """

    precision: str
    weights: Path
    sha256: str
    passes: bool
    speeds: Mapping[str, Speed] = field(hash=False)
    report: Mapping[str, Any] = field(hash=False)

    def __reduce__(self) -> tuple[Any, ...]:  # read-only mappings cannot be pickled
        plain = (_thawed(self.report), dict(self.speeds))
        return _variant, (self.precision, self.weights, self.sha256, self.passes, *plain)

    def is_faster(self, engine: str, cpu: str) -> bool:
        """Whether it was measured to be faster with that engine (`cpu`, `openvino`) on such a processor."""
        speed = self.speeds.get(engine)
        return speed is not None and speed.cpu == cpu and speed.ratio >= FASTER


def read_variants(
    content: Mapping[str, Any], folder: Path, described: tuple[Tensors, Tensors], whole: tuple[Tensors, Tensors]
) -> Mapping[str, Variant]:
    """The variants that a description names, by precision, in the order of `PRECISIONS`.

    `described` are inputs and outputs as the description has them, `whole` the same as they are in the float weights.
    Raises PackageError as for weights: outside of the package, changed, foreign operators, other inputs or outputs.
    """
    config = content.get("config")
    own = config.get("onscope") if isinstance(config, Mapping) else None
    stated = own.get("variants") if isinstance(own, Mapping) else None
    if stated is None:
        return MappingProxyType({})
    if not isinstance(stated, Mapping) or not all(name in PRECISIONS for name in stated):
        raise PackageError(
            f"found config.onscope.variants {short(list(stated) if isinstance(stated, Mapping) else stated)}, expected "
            f"some of {', '.join(PRECISIONS)} by name: reduce the package again"
        )
    return MappingProxyType(
        {name: _read(name, stated[name], folder, described, whole) for name in PRECISIONS if name in stated}
    )


def _read(
    name: str, entry: Any, folder: Path, described: tuple[Tensors, Tensors], whole: tuple[Tensors, Tensors]
) -> Variant:
    what = f"{name} weights"
    if not isinstance(entry, Mapping) or not isinstance(entry.get("sha256"), str):
        raise PackageError(f"found no source and sha256 of the {what}, expected both: reduce the package again")
    path = member(folder, entry, what)
    sha256 = checked_sha256(path, entry, what, MAX_WEIGHTS_BYTES)
    graph = inspect_onnx(path)
    found = (match_inputs(described[0], graph.inputs, graph.spare), match_outputs(described[1], graph.outputs))
    if found != (tuple(whole[0]), tuple(whole[1])):
        raise PackageError(
            f"found {path.name} with other inputs or outputs than the float weights, expected the same names and "
            "dtypes: reduce the package again"
        )
    return _variant(name, path, sha256, entry.get("passes") is True, entry, _speeds(name, entry.get("speed")))


def _speeds(name: str, stated: Any) -> dict[str, Speed]:
    speeds = {}
    for engine, entry in (stated if isinstance(stated, Mapping) else {}).items():
        ratio: Any = entry.get("ratio") if isinstance(entry, Mapping) else None
        number = isinstance(ratio, (int, float)) and not isinstance(ratio, bool)
        if not isinstance(engine, str) or not number or not 0 < ratio < math.inf:
            raise PackageError(
                f"found a speed of the {name} weights that is none, expected a ratio above 0 for each engine: reduce "
                "the package again"
            )
        speeds[engine] = Speed(float(ratio), str(entry.get("cpu", "")))
    return speeds


def _variant(
    precision: str, weights: Path, sha256: str, passes: bool, report: Mapping[str, Any], speeds: Mapping[str, Speed]
) -> Variant:
    return Variant(precision, weights, sha256, passes, MappingProxyType(dict(speeds)), _frozen(report))


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({str(key): _frozen(inner) for key, inner in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(inner) for key, inner in value.items()}
    return list(map(_thawed, value)) if isinstance(value, tuple) else value
