"""What a package's answers may differ by from its own test outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ._files import short

if TYPE_CHECKING:
    from ._spec import Model


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a rerun may differ by: an element is off when |found - expected| > absolute + relative * |expected|.

    At most `off_per_million` elements may be off (BioImage.IO: reproducibility_tolerance; these are its defaults).
    """

    relative: float = 1e-3
    absolute: float = 1e-3
    off_per_million: float = 100.0


def tolerance_of(model: Model, output: str) -> Tolerance:
    """The first that the description states for ONNX weights and this output, in either format; raises PackageError."""
    for stated in _stated(model):
        meant = not stated.output_ids or output in map(str, stated.output_ids)
        if meant and (not stated.weights_formats or "onnx" in stated.weights_formats):
            return Tolerance(
                float(stated.relative_tolerance),
                float(stated.absolute_tolerance),
                float(stated.mismatched_elements_per_million),
            )
    return Tolerance()


def _stated(model: Model) -> Iterable[Any]:
    config: Any = model.config
    if not isinstance(config, Mapping):
        return config.bioimageio.reproducibility_tolerance  # type: ignore[no-any-return]
    # Format 0.4 leaves config unchecked; what 0.5 says of it is said there too.
    from bioimageio.spec.model.v0_5 import BioimageioConfig

    try:
        return BioimageioConfig.model_validate(config.get("bioimageio") or {}).reproducibility_tolerance
    except ValueError as error:
        raise PackageError(f"found a config.bioimageio that breaks the format ({short(error)}): correct it") from error
