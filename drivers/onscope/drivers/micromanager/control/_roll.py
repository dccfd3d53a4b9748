"""Frames made of images that a controller or its interval took: numbered in segments of the live source's run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from onscope.runtime import ControlError, Frame, FrameId, FrameSpec, SourceError, now_ns, unpack

from .._live import LiveSource
from ._hands import Hands
from ._places import Place
from ._shots import shots


@dataclass(eq=False)
class Roll:
    """Frames of one segment, taken one after the other; `action` and `axis` are told by their labels and index."""

    segment: int
    spec: FrameSpec
    exposure_ms: float
    channel: str | None
    action: str = ""
    axis: str = "t"
    seq: int = 0


@dataclass
class Rolls:
    """Opens rolls and takes their frames; used by one thread at a time, the one that owns the camera."""

    live: LiveSource
    place_at: Callable[[int], Place]
    channel: Callable[[], str | None]
    _last: Roll | None = field(default=None)

    def open(self, action: str = "", axis: str = "t") -> Roll:
        """A new segment, as the camera and the channel are set now. Raises ControlError when the camera refuses."""
        camera = self.live.cameras[0]
        try:
            spec, exposure_ms = camera.spec(), camera.expose()
        except SourceError as error:
            raise ControlError(str(error)) from error
        segment = self.live.open_segment(camera.label)
        self._last = Roll(segment, spec, exposure_ms, self.channel(), action, axis)
        return self._last

    def going_on(self) -> Roll:
        """The roll of routine frames, for as long as nothing that they show has changed; else a new one."""
        last, camera = self._last, self.live.cameras[0]
        if (
            last is None
            or last.action
            or last.segment != self.live.segment(camera.label)
            or (last.exposure_ms, last.channel) != (camera.exposure_ms, self.channel())
            or last.spec != camera.spec()
        ):
            return self.open()
        camera.choose()
        return last

    def take(self, hands: Hands, roll: Roll, n: int = 1, interval_ms: float = 0.0) -> Iterator[Frame]:
        """`n` more frames of a roll. Raises ControlError when the camera does not give them."""
        camera = self.live.cameras[0]
        labels = {"action": roll.action} if roll.action else {}
        labels |= {"c": roll.channel} if roll.channel else {}
        since_ns = now_ns()
        for (image, _), received_ns in shots(hands, camera, n, interval_ms):
            pixels, axes = unpack(image.pix, image.tags.get("PixelType"), *roll.spec.shape[:2])
            who = FrameId(self.live.run, camera.label, roll.segment, roll.seq)
            if self.live.tell is not None:
                self.live.tell(who, image.tags)
            frame = Frame(
                id=who,
                pixels=pixels,
                axes=axes,
                index=MappingProxyType({roll.axis: roll.seq}),
                received_ns=received_ns,
                pixel_size_um=roll.spec.pixel_size_um,
                exposure_ms=roll.exposure_ms,
                labels=MappingProxyType(labels),
            )
            roll.seq += 1
            yield self.placed(frame, since_ns)
            since_ns = received_ns

    def placed(self, frame: Frame, since_ns: int) -> Frame:
        """With the place where the stages were commanded to be when its exposure began, which was after `since_ns`."""
        began_ns = max(frame.received_ns - round((frame.exposure_ms or 0.0) * 1e6), since_ns)
        return replace(frame, stage_um=self.place_at(began_ns).xyz)
