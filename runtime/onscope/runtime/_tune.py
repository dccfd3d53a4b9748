"""Numbers of decoders that may be changed while frames run, and a stage that has another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from ._errors import PipelineError
from ._frame import FrameId
from ._pipeline import Pipeline
from ._stage import Stage
from .decode import Setting, taken

NUMBERS = ("number", "whole", "number or numbers")


class Tunable(NamedTuple):
    """A number of a stage's decoder that may be changed now; `least` and `most` may be infinite."""

    stage: str
    name: str
    value: float
    least: float
    most: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was changed of a stage, and the first frame whose answer is made with it (None: none was run since; it holds
    from the next one on)."""

    stage: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    first: FrameId | None


def tunable(pipeline: Pipeline) -> Iterator[Tunable]:
    """All that may be changed, in the order of the stages; numbers that are not set have no value, and are left out."""
    for stage in pipeline.networks:
        for setting in _known(stage):
            value = taken(_known(stage), stage.settings, setting.name)
            if _may_change(setting) and isinstance(value, int | float) and not isinstance(value, bool):
                least = max(setting.least, setting.above)
                yield Tunable(stage.name, setting.name, value, least, setting.most, setting.description)


def tuned_stage(pipeline: Pipeline, name: str, settings: Mapping[str, Any]) -> tuple[Stage, dict[str, Any]]:
    """A stage with other settings, and what these were before. Raises PipelineError where they cannot be changed."""
    stage = next((each for each in pipeline.networks if each.name == name), None)
    if stage is None:
        able = ", ".join(dict.fromkeys(each.stage for each in tunable(pipeline))) or "(none has a number to tune)"
        raise PipelineError(
            f"found no stage {name!r} that runs a package on frames, expected one of {able}: correct it"
        )
    if not settings:
        raise PipelineError(f"found no setting to tune of the stage {name!r}, expected one: name it and its value")
    known = {each.name: each for each in _known(stage)}
    new: dict[str, Any] = {}
    for each, value in settings.items():
        new[each] = _number(name, each, known.get(each), value, [one for one in known if _may_change(known[one])])
    made = replace(stage, settings={**stage.settings, **new})
    object.__setattr__(made, "tuned", MappingProxyType({**stage.tuned, **new}))
    return made, {each: taken(_known(stage), stage.settings, each) for each in new}


def _number(stage: str, name: str, setting: Setting | None, value: Any, able: list[str]) -> float | int:
    expected = f"expected one of {', '.join(able) or '(this stage has none)'}"
    if setting is None:
        raise PipelineError(f"found the setting {name} to tune of the stage {stage!r}, {expected}: correct the name")
    if not _may_change(setting):
        why = "is compiled into its graph" if setting.compiled else "is no number that may change while frames run"
        raise PipelineError(f"found {name} to tune of the stage {stage!r}, which {why}, {expected}: make a new Runtime")
    if setting.takes == "whole" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not setting.fits(value):
        wanted = setting.expected.removesuffix(", or a list of them")
        raise PipelineError(f"found {name} {value!r:.60} to tune of the stage {stage!r}, expected {wanted}: correct it")
    return int(value) if isinstance(value, int) else float(value)


def _may_change(setting: Setting) -> bool:
    return setting.takes in NUMBERS and not (setting.compiled or setting.fixed)


def _known(stage: Stage) -> tuple[Setting, ...]:
    """Its decoder's settings, but those that change nothing: of classes that exclude each other the best one is told,
    whatever its score."""
    classes = stage.settings.get("decode") == "classes"
    one = stage.gives == "labels" and stage.package.outputs[0].channels == 1
    idle = classes and not (stage.settings.get("multi_label") or one)
    return tuple(each for each in stage.known_settings if not (idle and each.name == "threshold"))


def changed_words(stage: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was changed, in words."""
    return f"{stage}: " + ", ".join(f"{name} {_shown(before[name])} to {_shown(after[name])}" for name in after)


def _shown(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def tune_message(stage: Stage) -> dict[str, object]:
    """What tells the worker of a stage's settings."""
    return {"kind": "tune", "stage": stage.name, "settings": dict(stage.settings), "tuned": dict(stage.tuned)}
