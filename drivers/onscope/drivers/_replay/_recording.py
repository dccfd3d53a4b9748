"""onscope's own recordings, frame by frame as they were received."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onscope.runtime import FrameSpec, RecordError, SourceError
from onscope.runtime.record import RecordedRun, open_recording

from ._reel import Shot

MANIFEST = "recording.json"


class RecordingReel:
    """The raw frames of one camera of a recording, with their recorded numbers, times and positions."""

    def __init__(self, folder: Path, camera: str | None, pixel_size_um: float | None) -> None:
        self._folder = folder
        run = _opened(folder)
        cameras = run.table("frames")["camera"].to_pylist()
        if not cameras or (camera is not None and camera not in cameras):
            raise SourceError(
                f"found frames of {', '.join(sorted(set(cameras))) or 'no camera'} in {folder}, expected those of "
                f"{camera or 'at least one'}: name a camera that was recorded"
            )
        wanted = camera or cameras[0]
        self._rows = [row for row, name in enumerate(cameras) if name == wanted]
        first = run.frame(self._rows[0])
        self._spec = FrameSpec(
            first.pixels.shape,
            first.pixels.dtype.name,
            first.axes,
            wanted,
            pixel_size_um or first.pixel_size_um,
            8 * first.pixels.dtype.itemsize,
        )

    @property
    def spec(self) -> FrameSpec:
        return self._spec

    def shots(self) -> Iterator[Shot]:
        """In the order of their receipt; a recorded loss stays a jump of `seq`, a recorded segment a chapter.

        A recorded segment of another shape or dtype ends in SourceError: frames of one source have one spec.
        """
        run = _opened(self._folder)
        began_ns: int | None = None
        chapter, last = 0, None
        for row in self._rows:
            frame = run.frame(row)
            if frame.pixels.shape != self._spec.shape or frame.pixels.dtype != self._spec.dtype:
                raise SourceError(
                    f"found segment {frame.id.segment} of {self._folder} with frames of "
                    f"{'x'.join(map(str, frame.pixels.shape))} {frame.pixels.dtype}, expected the recorded "
                    f"{'x'.join(map(str, self._spec.shape))} {self._spec.dtype}: replay up to it with n frames"
                )
            if last is not None and (frame.id.run, frame.id.segment) != last:
                chapter += 1
            last = (frame.id.run, frame.id.segment)
            began_ns = frame.received_ns if began_ns is None else began_ns
            yield Shot(
                frame.pixels,
                frame.index,
                frame.id.seq,
                chapter,
                (frame.received_ns - began_ns) / 1e9,
                self._spec.pixel_size_um,
                frame.exposure_ms,
                frame.stage_um,
            )


def _opened(folder: Path) -> RecordedRun:
    try:
        return open_recording(folder)
    except RecordError as error:
        raise SourceError(str(error)) from error
