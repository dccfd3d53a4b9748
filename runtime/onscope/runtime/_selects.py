"""What all kinds of stages have in common: a name, and the frames that they run on."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

from ._errors import PipelineError
from ._frame import Frame

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What stages may be called: the names become folders of a recording."""
FRAME = "frame"
Gives = Literal["image", "labels", "table"]
"""What an answer is: an image of intensities, whole numbers that name objects, or rows of them."""


class AnyStage(ABC):
    """One step of a pipeline.

    `camera`, `channel` and `position` choose the frames that it runs on: names, or numbers of the acquisition's axis;
    None: all.
    """

    __slots__ = ()
    name: str
    camera: frozenset[int | str] | None
    channel: frozenset[int | str] | None
    position: frozenset[int | str] | None

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Names of all that it reads."""

    @property
    @abstractmethod
    def gives(self) -> Gives:
        """What kind of answer it gives."""

    @property
    @abstractmethod
    def places(self) -> bool:
        """Whether its answer is a table that says where objects are."""

    @abstractmethod
    def on(self, provider: str) -> AnyStage:
        """The stage with `precision: auto` settled for that provider on this machine."""

    @abstractmethod
    def message(self) -> dict[str, Any]:
        """All that the worker needs to know of the stage, as plain values."""

    @property
    def chooses(self) -> bool:
        """Whether it depends on a frame's channel or position if the stage runs on it."""
        return self.channel is not None or self.position is not None

    def takes(self, frame: Frame) -> bool:
        """Whether it runs on a frame, as far as the frame's own camera, channel and position go."""
        return (
            (self.camera is None or frame.id.camera in self.camera)
            and (self.channel is None or bool(self.channel & _names(frame, "c")))
            and (self.position is None or bool(self.position & _names(frame, "p")))
        )


def check_name(name: str) -> None:
    """Raise PipelineError unless a stage may be called so."""
    if not NAME.fullmatch(name) or name == FRAME:
        raise PipelineError(
            f"found a stage named {name!r}, expected letters, digits, - and _ beginning with a letter, and not "
            f"{FRAME!r}: rename it"
        )


def choice_message(stage: AnyStage) -> str:
    """The same for stages that run on the same frames, as far as their own channels and positions go; empty: on all."""
    choice = [wanted and sorted(map(repr, wanted)) for wanted in (stage.channel, stage.position)]
    return json.dumps(choice) if stage.chooses else ""


def several(wanted: int | str | Iterable[int | str] | None) -> frozenset[int | str] | None:
    """One or several names and numbers as a set."""
    if wanted is None:
        return None
    return frozenset([wanted] if isinstance(wanted, (int, str)) else wanted)


def _names(frame: Frame, axis: str) -> set[int | str]:
    """Number and name of a frame's place on an axis of the acquisition."""
    names: set[int | str] = {frame.index.get(axis, 0)}
    if axis in frame.labels:
        names.add(frame.labels[axis])
    return names
