"""Decoders turn a network's output into an answer. One file per kind of answer; the package or the stage chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .._errors import OnscopeError, PipelineError
from .._frame import Pixels
from . import (
    _boxes,
    _classes,
    _depth,
    _distribution,
    _embeddings,
    _flows,
    _instances,
    _peaks,
    _points,
    _star_convex,
    _vectors,
)
from ._boxes import BoxesDecoder
from ._classes import ClassesDecoder
from ._depth import DepthDecoder
from ._distribution import DistributionDecoder
from ._embeddings import EmbeddingsDecoder
from ._flows import FlowsDecoder
from ._image import ImageDecoder
from ._instances import InstancesDecoder
from ._peaks import PeaksDecoder
from ._points import PointsDecoder
from ._settings import Setting, check, taken
from ._star_convex import StarConvexDecoder
from ._star_convex_3d import PolyhedraDecoder
from ._vectors import VectorsDecoder

if TYPE_CHECKING:
    from ..package import Step, TensorDescription


class Decoder(Protocol):
    """Built with the output's axes and the package's settings (or a step's arguments); called with each output."""

    columns: tuple[str, ...]
    """Names of a table's columns; empty for an image."""
    labels: bool
    """Whether the answer is a label image: whole numbers that name objects, which nothing may interpolate."""
    told: list[str]
    """What the user should know of the last output; whoever says it empties the list."""

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        """The answer and its axes. Only the first axis of a table ("ic") may vary in size from frame to frame."""
        ...


@runtime_checkable
class TableDecoder(Protocol):
    """A decoder whose tables, if it makes any, have not as many rows as the output."""

    def rows(self, shape: Sequence[int]) -> int:
        """The most rows of a table that an output of this shape makes."""
        ...


@runtime_checkable
class GridDecoder(Protocol):
    """A decoder whose labels have a number of pixels for each of the output's, and may reach beyond the frame."""

    within: tuple[int, int] | None
    """Height and width that they are cut to."""


def _of_rays(axes: Sequence[str], arguments: Mapping[str, Any]) -> Decoder:
    return (PolyhedraDecoder if len(arguments["grid"]) == 3 else StarConvexDecoder)(axes, arguments)


DECODERS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], Decoder]] = {
    "image": ImageDecoder,
    "points": PointsDecoder,
    "classes": ClassesDecoder,
    "peaks": PeaksDecoder,
    "distribution": DistributionDecoder,
    "depth": DepthDecoder,
    "vectors": VectorsDecoder,
    "instances": InstancesDecoder,
    "embeddings": EmbeddingsDecoder,
    "boxes": BoxesDecoder,
}
SETTINGS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        "image": (),
        "points": _points.SETTINGS,
        "classes": _classes.SETTINGS,
        "peaks": _peaks.SETTINGS,
        "distribution": _distribution.SETTINGS,
        "depth": _depth.SETTINGS,
        "vectors": _vectors.SETTINGS,
        "instances": _instances.SETTINGS,
        "embeddings": _embeddings.SETTINGS,
        "boxes": _boxes.SETTINGS,
    }
)
"""What may be set of each kind of answer, in a package's `config.onscope` and in a stage's `decode`."""
OTHERS = frozenset(("decode", "state", "denormalise", "scale", "pixel_um", "border", "pair", "threshold"))
"""Settings that have no decoder, or had one in the package before a stage chose another."""
COMPILED = tuple(sorted({each.name for known in SETTINGS.values() for each in known if each.compiled}))
"""Names of the settings that compiled graphs depend on."""
STEPS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], Decoder]] = {
    "stardist_postprocessing": _of_rays,
    "cellpose_flow_dynamics": FlowsDecoder,
}
"""By the BioImage.IO id of the step of the output's postprocessing that they carry out."""


STEP_SETTINGS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {"stardist_postprocessing": _star_convex.SETTINGS, "cellpose_flow_dynamics": _flows.SETTINGS}
)
"""What may be set of each, in the place of the package's arguments."""


def known_settings(settings: Mapping[str, Any], steps: Sequence[Step] = ()) -> tuple[Setting, ...]:
    """What may be set of the decoder of `settings` and `steps` (see `decoder`), with the defaults that hold for it."""
    if steps and steps[0].id in STEP_SETTINGS:
        arguments = steps[0].arguments
        return tuple(
            replace(each, default=arguments.get(each.name, each.default)) for each in STEP_SETTINGS[steps[0].id]
        )
    return SETTINGS[str(settings.get("decode", "image"))]


def check_settings(settings: Mapping[str, Any], where: str, error: type[OnscopeError], only: bool = False) -> None:
    """Raise `error`, one sentence, unless `settings["decode"]` is a kind of answer and what is set of it is allowed.

    `where` stands before the names in the sentence, such as "config.onscope.". `only`: settings that the kind does not
    have are refused, else they are left alone.
    """
    kind = settings.get("decode", "image")
    if not isinstance(kind, str) or kind not in SETTINGS:
        shown = repr(kind)[:60]
        raise error(f"found {where}decode {shown}, expected one of {', '.join(SETTINGS)}: correct it")
    own = {name: value for name, value in settings.items() if name != "decode"}
    check(SETTINGS[kind], own, where, error, only)


def check_stated(stated: Mapping[str, Any], kind: object, where: str, error: type[OnscopeError]) -> None:
    """Raise `error` for a name among what a user has stated that no decoder of this kind, nor anything else, reads."""
    known = {each.name for each in SETTINGS.get(str(kind), ())} | OTHERS
    unknown = [name for name in stated if name not in known]
    if unknown and kind in SETTINGS and SETTINGS[str(kind)]:
        raise error(
            f"found {where}{unknown[0]}, which decode: {kind} does not take, expected "
            f"{', '.join(each.name for each in SETTINGS[str(kind)])}: correct or remove it"
        )


def settled(settings: Mapping[str, Any], output: TensorDescription) -> dict[str, Any]:
    """The settings with what the package's output says where they are silent: the names of classes and numbers,
    and how large heat maps are."""
    made = dict(settings)
    names = next((axis.channels for axis in output.described if axis.kind == "channel"), ())
    if made.get("decode") == "classes" and not made.get("classes"):
        made["classes"] = names or tuple(map(str, range(output.channels or 0)))
    if made.get("decode") == "vectors" and not made.get("columns"):
        made["columns"] = tuple(f"appearance_{number}" for number in range(output.channels or 0))
    if made.get("decode") == "peaks" and made.get("scale") is None and output.scale is not None:
        made["scale"] = output.scale
    return made


def decided_settings(settings: Mapping[str, Any]) -> tuple[int, int]:
    """Of `peaks` how many candidates the graph looks for, and how far they are from each other at least."""
    return int(taken(_peaks.SETTINGS, settings, "most")), int(taken(_peaks.SETTINGS, settings, "min_distance"))


def decoder(axes: Sequence[str], settings: Mapping[str, Any], steps: Sequence[Step] = ()) -> Decoder:
    """The decoder that the first of `steps` asks for, those that a graph leaves over; else `settings["decode"]`.

    Of the steps after it a cast is left out: labels are int32 whatever the package says. Raises PipelineError when
    there is no such decoder, or for further steps.
    """
    kind = settings.get("decode", "image")
    if kind not in DECODERS:
        raise PipelineError(f"found the decoder {kind!r}, expected one of {', '.join(DECODERS)}")
    if not steps:
        return DECODERS[kind](axes, settings)
    first, *others = steps
    further = [step.id for step in others if step.id != "ensure_dtype"]
    if first.id not in STEPS or further or kind != "image":
        words = f"config.onscope.decode {kind!r}" if kind != "image" else ", ".join(further) or "nothing"
        raise PipelineError(
            f"found {first.id} and then {words}, expected one of {', '.join(STEPS)} as the last step beside a cast: "
            "its labels are the answer, so correct the package"
        )
    own = {each.name: settings[each.name] for each in STEP_SETTINGS[first.id] if settings.get(each.name) is not None}
    check(STEP_SETTINGS[first.id], own, "among the settings ", PipelineError)
    return STEPS[first.id](axes, {**first.arguments, **own})


__all__ = [
    "COMPILED",
    "DECODERS",
    "SETTINGS",
    "STEPS",
    "Decoder",
    "GridDecoder",
    "Setting",
    "TableDecoder",
    "check",
    "check_settings",
    "check_stated",
    "decided_settings",
    "decoder",
    "known_settings",
    "settled",
    "taken",
]
