"""Several scripted cameras as one source."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id

from ._camera import ScriptedCamera, play


def cameras(several: Sequence[ScriptedCamera], *, run: str | None = None) -> ScriptedCameras:
    """Cameras that begin together; their frames come in the order of their moments and belong to one run.

    Raises SourceError unless their names differ and all are paced, or none.
    """
    names = [camera.name for camera in several]
    if not names or len(set(names)) < len(names) or len({camera.paced for camera in several}) > 1:
        raise SourceError(
            f"found the cameras {', '.join(names) or '(none)'}, expected at least one, names that differ, and all of "
            "them paced or none"
        )
    return ScriptedCameras(several, run or new_run_id())


class ScriptedCameras:
    """Made by `cameras`. `frames` from one thread at a time."""

    def __init__(self, several: Sequence[ScriptedCamera], run: str) -> None:
        self._cameras = {camera.name: camera for camera in several}
        self._run = run

    def spec(self) -> FrameSpec:
        """The first camera's."""
        return self.specs()[0]

    def specs(self) -> Sequence[FrameSpec]:
        """What the next frames of each camera will look like."""
        return [camera.spec() for camera in self._cameras.values()]

    def describe(self) -> dict[str, Any]:
        """What a recording should know of them."""
        return {"driver": "scripted", "devices": [camera.describe() for camera in self._cameras.values()]}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames of all cameras together, or all; a camera that fails ends it for all with SourceError."""
        return play(list(self._cameras.values()), n, self._run)

    def crc(self, id: FrameId) -> int:
        """CRC-32 of a frame's pixels as they were given, see `ScriptedCamera.crc`."""
        if id.camera not in self._cameras:
            raise SourceError(f"found the frame {id}, expected one of the cameras {', '.join(self._cameras)}")
        return self._cameras[id.camera].crc(id)
