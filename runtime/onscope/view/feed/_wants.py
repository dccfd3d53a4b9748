"""What the server has asked for, and which results are that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onscope.runtime import Result

from ._board import RAW

Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """Frames of a camera ("": any) at a place of the acquisition that have an answer of `image`."""

    camera: str
    index: Mapping[str, int]
    image: str

    @classmethod
    def of(cls, told: Sequence[Any]) -> Want:
        camera, index, image = told
        return cls(str(camera), {str(axis): int(at) for axis, at in index.items()}, str(image))

    def takes(self, result: Result) -> bool:
        """Whether it is such a result; a frame of an acquisition without an axis is number 0 of it."""
        frame = result.frame
        return (
            self.camera in ("", frame.id.camera)
            and (self.image == RAW or self.image in result.answers)
            and all(frame.index.get(axis, 0) == at for axis, at in self.index.items() if axis != "t")
        )


def place_of(result: Result) -> Place:
    """Its camera and place in the acquisition, but for the time."""
    frame = result.frame
    return (frame.id.camera, *sorted((axis, at) for axis, at in frame.index.items() if axis != "t"))
