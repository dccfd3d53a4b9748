"""The live images of a Micro-Manager that somebody else uses: looked at in the core's buffer, and left there."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, Protocol, cast

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id, now_ns, unpack

from ._camera import Camera, refused
from ._core import CORE_ERRORS, Core, TaggedImage, need
from ._java_core import PORT, JavaCore
from ._receipt import ReceiptClock

Known = Callable[[Mapping[str, Any]], bool]
LOOKS_PER_EXPOSURE, QUICKEST_S, SLOWEST_S = 3, 0.001, 0.05


class Watched(Protocol):
    """All that is asked of the core: nothing of it changes anything. What else `Camera.spec` asks is as harmless."""

    def get_camera_device(self) -> str: ...
    def get_exposure(self) -> float: ...
    def get_remaining_image_count(self) -> int: ...
    def newest_tagged_image(self, known: Known) -> TaggedImage | None:
        """The image that came last, which stays where it is; None: `known` says so of its tags."""
        ...


class PythonWatched:
    """`Watched` of a Python core in this process, as `pycromanager.Core()` gives it."""

    def __init__(self, core: Any) -> None:
        self._core = core

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def newest_tagged_image(self, known: Known) -> Any:
        metadata = need("pymmcore").Metadata()
        pixels = self._core.get_last_image_md(metadata)
        tags = {key: metadata.GetSingleTag(key).GetValue() for key in metadata.GetKeys()}
        return None if known(tags) else self._core.TaggedImage(tags, pixels)


class StudioSource:
    """The newest live images of a camera that somebody else has started; made by `studio`.

    `frames` looks for a new image some times per exposure; the camera's numbers tell which were missed in between:
    `id.seq` jumps, and the ledger counts them as `lost_upstream`. Nothing is started, stopped, set or taken out of the
    buffer. Live mode that is stopped and started again opens a segment, as does another size or type of the images.
    """

    def __init__(self, core: Watched, camera: str | None = None, patience_s: float = 60.0) -> None:
        self._core, self._camera, self._patience_s = core, camera, patience_s
        self._run, self._segment = new_run_id(), -1

    def spec(self) -> FrameSpec:
        """What the camera is set to give now. Raises SourceError when another one is in use, or none."""
        try:
            label, exposure_ms = str(self._core.get_camera_device()), float(self._core.get_exposure())
        except CORE_ERRORS as error:
            raise refused(self._camera or "the camera", error) from error
        if not label or label != (self._camera or label):
            raise SourceError(
                f"found the camera {label or '(none)'} in use, expected {self._camera or 'one'}: choose it in "
                "Micro-Manager"
            )
        return Camera(cast("Core", self._core), label, exposure_ms).spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know, as plain values."""
        told: dict[str, Any] = {"driver": "micromanager", "watches": "newest images of a running Micro-Manager"}
        with suppress(SourceError):
            told["cameras"] = [self.spec().camera]
        return told

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames in all, or until no new image has come for `patience_s` seconds: live mode is off then.

        The first image is number 0, whatever came before it. Raises SourceError when the core refuses, or is gone.
        """
        taken, seen, came_s = 0, _Seen(), time.monotonic()
        spec, exposure_ms, pause_s = self.spec(), 0.0, QUICKEST_S
        while n is None or taken < n:
            image = self._look(spec.camera, seen)
            if image is None:
                if time.monotonic() - came_s > self._patience_s:
                    return
                time.sleep(pause_s)
                continue
            popped_ns, came_s = now_ns(), time.monotonic()
            pixels, axes = unpack(image.pix, image.tags.get("PixelType"), *spec.shape[:2])
            if seen.begins(image.tags, (pixels.shape, pixels.dtype)):
                self._segment += 1
                spec = self.spec()
                exposure_ms = float(self._core.get_exposure())
                pause_s = min(max(exposure_ms / 1e3 / LOOKS_PER_EXPOSURE, QUICKEST_S), SLOWEST_S)
            yield Frame(
                id=FrameId(self._run, spec.camera, self._segment, seen.seq),
                pixels=pixels,
                axes=axes,
                index=MappingProxyType({"t": seen.seq}),
                received_ns=seen.clock.received_ns(seen.elapsed_ms, popped_ns),
                pixel_size_um=spec.pixel_size_um,
                exposure_ms=exposure_ms,
            )
            taken += 1

    def _look(self, camera: str, seen: _Seen) -> TaggedImage | None:
        core = self._core

        def known(tags: Mapping[str, Any]) -> bool:
            return str(tags.get("Camera") or camera) != camera or seen.is_last(tags)

        try:
            return core.newest_tagged_image(known) if core.get_remaining_image_count() > 0 else None
        except CORE_ERRORS as error:
            with suppress(*CORE_ERRORS):
                if core.get_remaining_image_count() == 0:  # emptied between the two calls
                    return None
            raise refused(camera, error) from error


class _Seen:
    """The last image, and the place of its number in the segment."""

    def __init__(self) -> None:
        self.seq = -1
        self.elapsed_ms: float | None = None
        self.clock = ReceiptClock()
        self._told: tuple[Any, Any] | None = None
        self._number = -1
        self._first = 0
        self._kind: Any = None

    def is_last(self, tags: Mapping[str, Any]) -> bool:
        return self._told == (tags.get("ImageNumber"), tags.get("ElapsedTime-ms"))

    def begins(self, tags: Mapping[str, Any], kind: Any) -> bool:
        """Take an image for the last one; whether it begins a segment."""
        told = tags.get("ImageNumber"), tags.get("ElapsedTime-ms")
        number = self._number + 1 if told[0] is None else int(told[0])
        elapsed_ms = None if told[1] is None else float(told[1])
        back = elapsed_ms is not None and self.elapsed_ms is not None and elapsed_ms < self.elapsed_ms
        again = self._told is not None and (number <= self._number or back)
        begins = self._told is None or again or kind != self._kind
        if begins:
            # Of a sequence that began under our eyes the first images are missed, of others nobody asked for them.
            self._first = 0 if again else number
            self.clock = ReceiptClock()
        self._told, self._number, self._kind, self.elapsed_ms = told, number, kind, elapsed_ms
        self.seq = number - self._first
        return begins


@contextmanager
def studio(port: int = PORT, camera: str | None = None, patience_s: float = 60.0) -> Iterator[StudioSource]:
    """The live images of a Micro-Manager Studio that runs and stays in its user's hands, as a Source.

    Studio needs the option "Run server on port" and its live mode on; nothing of it is changed. Images are read over
    the bridge, some of them when the camera is faster than that (the rates are those of `connect`), and counted; the
    newest one always comes next. `camera` is a device label (None: the one that is in use), `patience_s` how many
    seconds without an image end the frames. Snapped images are not in the core's buffer and are not seen; while a
    Multi-D Acquisition empties the buffer, images are seen by chance: use `image_process_fn` there.
    Raises SourceError when nothing answers on `port`.
    """
    core = JavaCore(port, all_tags=True)
    try:
        yield StudioSource(cast("Watched", core), camera, patience_s)
    finally:
        core.close()
