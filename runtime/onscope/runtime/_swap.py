"""A stage with another package of the same kind, in the middle of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from ._errors import PipelineError
from ._frame import FrameId
from ._pipeline import Pipeline
from ._stage import Stage
from .decode import settled
from .package import Package


@dataclass(frozen=True, slots=True)
class Swapped:
    """The sha256 of the packages that ran and runs now, and the first frame whose answer is of the new one (None: none
    was run since; it is used from the next one on)."""

    stage: str
    before: str
    after: str
    first: FrameId | None


def automatic(pipeline: Pipeline) -> frozenset[str]:
    """Names of the stages that are to choose their weights themselves; in a pipeline that runs they have chosen."""
    return frozenset(stage.name for stage in pipeline.networks if stage.precision == "auto")


def swapped_stage(
    pipeline: Pipeline, name: str, package: Package | str | Path, provider: str, auto: bool = False
) -> tuple[Stage, Stage]:
    """The stage with another package, and the settings that were stated for the old one; and the one before.

    `auto`: the new package's weights are chosen as the old one's were, whichever these are. Raises PackageError for a
    package that cannot be used, PipelineError for one of another kind.
    """
    stage = next((each for each in pipeline.networks if each.name == name), None)
    if stage is None:
        able = ", ".join(each.name for each in pipeline.networks) or "(there is none)"
        raise PipelineError(
            f"found no stage {name!r} that runs a package on frames, expected one of {able}: correct it"
        )
    new = package if isinstance(package, Package) else Package.load(package)
    precision = "auto" if auto else stage.precision
    made = replace(stage, package=new, settings=_stated(stage), precision=precision).on(provider)
    found, expected = _kind(made), _kind(stage)
    if found != expected:
        raise PipelineError(
            f"found {new.name!r} for the stage {name!r}, which answers with {found}, expected {expected} as "
            f"{stage.package.name!r} does: make a new Runtime for it"
        )
    if "state" in made.settings and "state" not in stage.settings:
        raise PipelineError(
            f"found {new.name!r} for the stage {name!r}, which remembers earlier frames, expected one that does not, "
            f"as {stage.package.name!r}: make a new Runtime for it"
        )
    takes = {each.name for each in made.known_settings}
    tuned = {each: value for each, value in stage.tuned.items() if each in takes and made.settings.get(each) == value}
    object.__setattr__(made, "tuned", MappingProxyType(tuned))
    pipeline.replaced(made)
    return made, stage


def _stated(stage: Stage) -> dict[str, Any]:
    """The settings that are not the package's own: a pipeline's, and those that were tuned."""
    own = settled(stage.package.settings, stage.package.outputs[0])
    known = {each.name for each in stage.known_settings} | {"decode"}
    return {
        name: value
        for name, value in stage.settings.items()
        if name in known and (name in stage.tuned or name not in own or own[name] != value)
    }


def _kind(stage: Stage) -> str:
    columns = stage.decoder.columns
    return f"a table of {', '.join(columns)}" if columns else {"labels": "labels"}.get(stage.gives, "an image")


def described(at_ns: int, stage: Stage, before: Stage) -> Mapping[str, Any]:
    """What a recording knows of it, as plain values."""
    from .record import describe_packages

    return {
        "at_ns": at_ns,
        "stage": stage.name,
        "before_sha256": before.package.package_sha256,
        "package": stage.package.name,
        "packages": describe_packages(SimpleNamespace(stages=[stage])),
        "package_sha256": stage.package.package_sha256,
        "settings": dict(stage.settings),
        "precision": stage.precision,
    }


def swapped_words(stage: Stage, before: Stage) -> str:
    """What was changed, in words."""
    old, new = before.package, stage.package
    return (
        f"{stage.name}: {old.name} ({old.package_sha256[:12]}) to {new.name} ({new.package_sha256[:12]}); what "
        "networks remember, statistics that are frozen or running, and tracks begin anew"
    )
