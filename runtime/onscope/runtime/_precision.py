"""Which weights of a package a stage runs: its own, or a variant in fewer bits that passed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

from ._errors import PipelineError
from .engines import behind_faults, leading
from .graph import StageRequest
from .package import PRECISIONS, Package

Precision = Literal["float32", "fp16", "int8", "auto"]


class Weighted(Protocol):
    """A stage that runs a package's network."""

    @property
    def name(self) -> str: ...
    @property
    def package(self) -> Package: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def rescale(self) -> bool: ...


S = TypeVar("S", bound=Weighted)


def chosen_weights(stage: str, package: Package, precision: str) -> tuple[Path, str]:
    """The ONNX file and its sha256; raises PipelineError unless the package has that variant and it passed.

    There is no way to insist: who wants a variant that did not pass gives better frames to calibrate it with.
    """
    known = get_args(Precision)
    if precision not in known:
        raise PipelineError(
            f"found the precision {precision!r} of the stage {stage!r}, expected one of {', '.join(known)}"
        )
    if precision not in PRECISIONS:
        return package.weights, package.weights_sha256
    variant = package.variants.get(precision)
    if variant is None:
        there = ", ".join(package.variants) or "none"
        raise PipelineError(
            f"found no {precision} weights in {package.name!r} (variants there: {there}), expected some for the stage "
            f"{stage!r}: make them with `onscope reduce PACKAGE --precision {precision}`"
        )
    if not variant.passes:
        raise PipelineError(
            f"found {precision} weights of {package.name!r} that were measured to differ too much from its float ones, "
            f"expected ones that passed for the stage {stage!r}: take float32, or reduce the package again with frames "
            "like yours"
        )
    return variant.weights, variant.sha256


def best_precision(package: Package, provider: str) -> Precision:
    """The fastest variant that passed and was measured to be faster on that provider, with such a processor as here.

    "float32" where there is none: what was measured elsewhere says nothing of this machine.
    """
    from .record import machine

    engine = leading(behind_faults(leading(provider)))
    cpu = machine()["cpu"]
    faster = [each for each in package.variants.values() if each.passes and each.is_faster(engine, cpu)]
    best = max(faster, key=lambda each: each.speeds[engine].ratio, default=None)
    return "float32" if best is None else best.precision  # type: ignore[return-value]  # one of PRECISIONS


def settled_on(stage: S, provider: str) -> S:
    """The stage; with `precision="auto"` the same in the precision that is best on that provider on this machine."""
    if stage.precision != "auto":
        return stage
    made = copy.copy(stage)
    object.__setattr__(made, "precision", best_precision(stage.package, provider))
    return made


def request_for(stage: Weighted, reads: str, normalise: str, **more: Any) -> StageRequest:
    """What the compilation of a stage is asked for; "auto" stands for the package's own weights until it is settled."""
    weights, sha256 = chosen_weights(stage.name, stage.package, stage.precision)
    return StageRequest(
        name=stage.name,
        weights=weights.resolve(),
        weights_sha256=sha256,
        package_sha256=stage.package.package_sha256,
        inputs=stage.package.inputs,
        outputs=stage.package.outputs,
        reads=reads,
        settings=stage.settings,
        normalise=normalise,  # type: ignore[arg-type]  # "per_crop" is a word of crops' own
        rescale=stage.rescale,
        **more,
    )
