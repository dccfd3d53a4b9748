"""`config.onscope` of a description: what a package says of itself that BioImage.IO has no words for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._errors import PackageError
from ..decode import Setting, check, check_settings
from ._denormalise import check_denormalise
from ._files import short

COMMON = (
    Setting("scale", "number", "pixels of the answer per pixel of the frame, along y and x", above=0),
    Setting("threshold", "number or numbers", "lowest score of an object"),
)
"""Of packages with answers of any kind."""
PROVENANCE = ("export", "variants", "trust")
"""What config.onscope says of how a package was made, of weights in fewer bits and of usual frames; no settings."""


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
    settings.setdefault("decode", "image")
    check_settings(settings, "config.onscope.", PackageError)
    columns = settings.get("columns")
    if settings["decode"] == "points" and columns is None:
        raise PackageError(
            "found no config.onscope.columns, expected the names of the points' columns, such as y, x, score"
        )
    if columns is not None and not (
        isinstance(columns, tuple) and all(isinstance(name, str) and name for name in columns)
    ):
        raise PackageError(f"found config.onscope.columns {short(columns)}, expected a list of names")
    check_denormalise(settings.get("denormalise"))
    check(COMMON, settings, "config.onscope.", PackageError)
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
