"""onscope's own recordings, frame by frame as they were received."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onscope.runtime import Frame, FrameSpec, RecordError, SourceError
from onscope.runtime.record import RecordedRun, open_recording

from ._reel import Shot

MANIFEST = "recording.json"


class RecordingReel:
    """The raw frames of a recording's cameras (or of one), with their recorded identity, times and positions."""

    def __init__(self, folder: Path, camera: str | None, pixel_size_um: float | None) -> None:
        self._folder = folder
        self._pixel_size_um = pixel_size_um
        run = opened(folder)
        cameras = run.table("frames")["camera"].to_pylist()
        if not cameras or (camera is not None and camera not in cameras):
            raise SourceError(
                f"found frames of {', '.join(sorted(set(cameras))) or 'no camera'} in {folder}, expected those of "
                f"{camera or 'at least one'}: name a camera that was recorded"
            )
        self._rows = [row for row, name in enumerate(cameras) if camera in (None, name)]
        first: dict[str, int] = {}
        for row in self._rows:
            first.setdefault(cameras[row], row)
        self._specs = [self._spec(_frame(run, row)) for row in first.values()]

    @property
    def specs(self) -> list[FrameSpec]:
        return self._specs

    def shots(self) -> Iterator[Shot]:
        """In the order of their receipt. A recorded loss stays a jump of `seq`, a recorded segment a chapter of its
        own number: its frames may be of another size or type.
        """
        run = opened(self._folder)
        began_ns: int | None = None
        for row in self._rows:
            frame = _frame(run, row)
            began_ns = frame.received_ns if began_ns is None else began_ns
            yield Shot(
                frame.pixels,
                frame.index,
                frame.id.seq,
                frame.id.segment,
                (frame.received_ns - began_ns) / 1e9,
                self._pixel_size_um or frame.pixel_size_um,
                frame.exposure_ms,
                frame.stage_um,
                frame.labels,
                frame.id.camera,
                frame.id.run,
            )

    def _spec(self, frame: Frame) -> FrameSpec:
        pixels = frame.pixels
        return FrameSpec(
            pixels.shape,
            pixels.dtype.name,
            frame.axes,
            frame.id.camera,
            self._pixel_size_um or frame.pixel_size_um,
            8 * pixels.dtype.itemsize,
        )


def _frame(run: RecordedRun, row: int) -> Frame:
    try:
        return run.frame(row)
    except RecordError as error:
        raise SourceError(str(error)) from error


def opened(folder: Path) -> RecordedRun:
    """Raises SourceError when it is none."""
    try:
        return open_recording(folder)
    except RecordError as error:
        raise SourceError(str(error)) from error
