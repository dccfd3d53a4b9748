"""Which stages of a lane are one graph: those that run on the same frames and read the same image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._errors import PipelineError
from .._frame import Pixels
from ..graph import Raw, StageRequest, groups

FRAME = "frame"


@dataclass
class Part:
    """Numbers of the stages of one graph, in their order; `reads` is "frame", or the stage whose image it takes."""

    reads: str
    choice: frozenset[str]
    numbers: list[int] = field(default_factory=list)


def divide(requests: Mapping[int, StageRequest], choices: Mapping[int, str], raw: Raw, merge: bool) -> list[Part]:
    """The parts in the order in which they run, each after the one that it reads; both by the stages' numbers.

    A graph runs as a whole or not at all, so stages of different choices (see `Stage.message`) are kept apart: a
    stage's own, and those of the stages before it that it reads. Without `merge`, every stage is a part.
    """
    numbers = {request.name: number for number, request in requests.items()}
    merged = groups(list(requests.values()), raw) if merge else [(request,) for request in requests.values()]
    effective: dict[str, frozenset[str]] = {FRAME: frozenset()}
    for number, request in requests.items():
        effective[request.name] = effective[request.reads] | ({choices[number]} if choices[number] else set())
    parts: list[Part] = []
    for group in merged:
        own: list[Part] = []
        home: dict[str, Part] = {}
        for request in group:
            wanted = effective[request.name]
            part = home.get(request.reads)
            if part is None or part.choice != wanted:
                part = next((each for each in own if (each.reads, each.choice) == (request.reads, wanted)), None)
            if part is None:
                part = Part(request.reads, wanted)
                own.append(part)
            part.numbers.append(numbers[request.name])
            home[request.name] = part
        parts += own
    return parts


def image_as_raw(reads: str, image: Pixels, axes: str, raw: Raw, stages: Sequence[StageRequest]) -> Raw:
    """An earlier stage's image as the frame of the graph of `stages`; raises PipelineError when it can be none.

    `axes` are the image's, as its decoder names them.
    """
    names = ", ".join(stage.name for stage in stages)
    letters = axes.replace("c", "s")
    if letters not in ("yx", "yxs"):
        raise PipelineError(
            f"found an image with the axes {axes} from the stage {reads!r}, expected y and x, and perhaps channels: "
            f"let {names} read the frame"
        )
    if any(stage.normalise == "shared" for stage in stages):
        raise PipelineError(
            f"found normalise 'shared' for {names}, which cannot be in the graph of {reads!r}, expected stages that "
            "merge: the raw frame's statistics are shared within a graph"
        )
    size = raw.pixel_size_um
    scaled = None if size is None else size * raw.shape[0] / image.shape[0]
    return Raw(image.shape, image.dtype.name, letters, pixel_size_um=scaled)
