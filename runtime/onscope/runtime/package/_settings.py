"""`config.onscope` of a description: what a package says of itself that BioImage.IO has no words for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._errors import PackageError
from ._denormalise import check_denormalise
from ._files import short

DECODERS = ("image", "points")
PROVENANCE = ("export", "variants")
"""What config.onscope says of how a package was made, and of its weights in fewer bits; no settings."""


def settings_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """`config.onscope` of a description, checked and frozen; "decode" is always there. Raises PackageError."""
    config = content.get("config")
    raw = config.get("onscope") if isinstance(config, Mapping) else None
    if raw is not None and not (isinstance(raw, Mapping) and all(isinstance(key, str) for key in raw)):
        raise PackageError(
            "found config.onscope that holds no named settings, expected decode, columns, threshold, scale or "
            "denormalise"
        )
    settings = {key: _frozen(value) for key, value in (raw or {}).items() if key not in PROVENANCE}
    decode = settings.setdefault("decode", "image")
    if decode not in DECODERS:
        raise PackageError(f"found config.onscope.decode {short(repr(decode))}, expected one of {', '.join(DECODERS)}")
    columns = settings.get("columns")
    if decode == "points" and columns is None:
        raise PackageError(
            "found no config.onscope.columns, expected the names of the points' columns, such as y, x, score"
        )
    if columns is not None and not (
        isinstance(columns, tuple) and all(isinstance(name, str) and name for name in columns)
    ):
        raise PackageError(f"found config.onscope.columns {short(columns)}, expected a list of names")
    check_denormalise(settings.get("denormalise"))
    for key in ("threshold", "scale"):
        value = settings.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not (number and (key == "threshold" or value > 0)):
            raise PackageError(f"found config.onscope.{key} {short(repr(value))}, expected a finite number")
    return MappingProxyType(settings)


def was_forced(content: Mapping[str, Any]) -> bool:
    """Whether config.onscope.export says that the export is not equal to its network."""
    inner: Any = content
    for name in ("config", "onscope", "export", "equal"):
        inner = inner.get(name) if isinstance(inner, Mapping) else None
    return inner is False


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
