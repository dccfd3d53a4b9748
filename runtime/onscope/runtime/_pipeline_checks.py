"""What the stages of a pipeline may read of each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._crops_stage import Crops
from ._errors import PipelineError
from ._host_stages import HostStage, Measure, Track
from ._pairs_stage import Pairs
from ._selects import FRAME, AnyStage
from ._stage import Stage
from .windows import Gather


def check_stages(stages: Sequence[AnyStage], gather: Gather) -> None:
    """Raise PipelineError unless each stage has a name of its own, and reads what it can of those before it."""
    if not stages:
        raise PipelineError("found 0 stages, expected at least 1")
    before: dict[str, AnyStage] = {}
    for stage in stages:
        if stage.name in before:
            raise PipelineError(f"found two stages named {stage.name!r}, expected different names: rename one")
        if isinstance(stage, HostStage):
            _check_host(stage, before)
        elif isinstance(stage, Stage):
            _check_image(stage, stage.reads, before)
        if stage.channel is not None and gather.along == "c" and gather.length > 1:
            raise PipelineError(
                f"found the stage {stage.name!r} for some channels in a pipeline that gathers channels, expected "
                "one for all of them: a window would never have all of its frames"
            )
        for name in stage.inputs:
            if name != FRAME:
                _check_common(stage, before[name])
        before[stage.name] = stage


def _check_image(stage: AnyStage, name: str, before: dict[str, AnyStage]) -> None:
    """Whether `name` is the raw frame or an earlier image."""
    if name == FRAME or (name in before and before[name].gives == "image"):
        return
    if name in before and before[name].gives == "labels":
        raise PipelineError(
            f"found the stage {stage.name!r} reading {name!r}, which answers with labels, expected an "
            "image: labels name objects, and are no intensities that a network could take"
        )
    raise PipelineError(
        f"found the stage {stage.name!r} reading {name!r}, expected one of "
        f"{_listed([FRAME, *(each.name for each in before.values() if each.gives == 'image')])}: stages read "
        "the raw frame or the image of an earlier stage"
    )


def _check_host(stage: HostStage, before: dict[str, AnyStage]) -> None:
    first = before.get(stage.of)
    found = "that is no earlier stage" if first is None else f"which answers with {_called(first)}"
    if isinstance(stage, Measure) and (first is None or first.gives != "labels"):
        able = [each.name for each in before.values() if each.gives == "labels"]
        raise PipelineError(
            f"found the stage {stage.name!r} measuring {stage.of!r}, {found}, expected the label image of "
            f"{'one of ' + _listed(able) if able else 'a stage before it'}: what is measured are labelled objects"
        )
    if isinstance(stage, Track | Crops) and (first is None or first.gives != "table" or not first.places):
        able = [each.name for each in before.values() if each.gives == "table" and each.places]
        what = "tracking" if isinstance(stage, Track) else "cutting crops around"
        hint = ": measure the labels first" if first is not None and first.gives == "labels" else ""
        raise PipelineError(
            f"found the stage {stage.name!r} {what} {stage.of!r}, {found}, expected "
            f"{_listed(able) if able else 'an earlier stage'} with a table of places (y and x){hint}"
        )
    if isinstance(stage, Pairs) and not isinstance(first, Measure):
        raise PipelineError(
            f"found the stage {stage.name!r} comparing the objects of {stage.of!r}, expected measured labels: let it "
            "read a stage with `measure`"
        )
    if isinstance(stage, Crops) and stage.crops.masked and not isinstance(first, Measure):
        raise PipelineError(
            f"found masked crops for the stage {stage.name!r} of {stage.of!r}, expected measured labels: let it read a "
            "stage with `measure`"
        )
    if isinstance(stage, Track):
        _check_appearance(stage, before)
    else:
        for name in stage.inputs[1:]:
            _check_image(stage, name, before)


def _check_appearance(stage: Track, before: dict[str, AnyStage]) -> None:
    if stage.appearance is None:
        return
    looks = before.get(stage.appearance)
    if not isinstance(looks, Crops) or isinstance(looks, Pairs) or looks.of != stage.of:
        raise PipelineError(
            f"found the appearance {stage.appearance!r} for the stage {stage.name!r}, expected an earlier stage with "
            f"crops of {stage.of!r}: its rows must be those of the same objects"
        )


def _check_common(stage: AnyStage, read: AnyStage) -> None:
    for axis in ("camera", "channel", "position"):
        mine, theirs = getattr(stage, axis), getattr(read, axis)
        # Of a channel or position one may say the name and the other the number.
        one_kind = len({type(each) for each in (mine or frozenset()) | (theirs or frozenset())}) == 1
        if mine and theirs and one_kind and not mine & theirs:
            raise PipelineError(
                f"found the stage {stage.name!r} for another {axis} than {read.name!r}, which it reads, "
                "expected one in common: it would never run"
            )


def _called(stage: AnyStage) -> str:
    return {"image": "an image", "labels": "labels", "table": "a table" if stage.places else "a table without places"}[
        stage.gives
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
