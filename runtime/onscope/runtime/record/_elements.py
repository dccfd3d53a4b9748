"""Which element an answer is: that of its raw frame, whether it is saved here, elsewhere or nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import RecordError
from .._frame import Frame, FrameSpec, spec_of
from ._places import REMEMBERED, Place, Places

_LOOKS = 64


@dataclass(frozen=True, slots=True)
class Element:
    """Where an answer belongs. `recorded`: the raw frame is saved in this recording, at the same place."""

    place: Place
    recorded: bool

    @property
    def raw(self) -> str | None:
        """The raw image that the frame is in; None: not in this recording."""
        return self.place.array if self.recorded else None


class Elements:
    """Gives answers their elements. Frames that the recorder was not told of (the acquisition saves them itself, or
    nobody does) have them by the same rules, in the order of their first answers. Used by one thread at a time.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._others = Places()
        self._recorded: set[tuple[str, str]] = set()
        self._specs: dict[tuple[object, ...], FrameSpec] = {}

    def of(self, frame: Frame) -> Element:
        """The element of the answer to a frame; raises RecordError when it came too late to be known."""
        whose = frame.id.run, frame.id.camera
        place = self._places.find(frame.id)
        if place is not None:
            self._recorded.add(whose)
            return Element(place, True)
        if whose in self._recorded and self._places.forgets:
            raise RecordError(
                f"found an answer to frame {frame.id}, which came too many frames ago, expected one to one of the last "
                f"{REMEMBERED:,}: take the results as they come"
            )
        place = self._others.find(frame.id)
        if place is None:
            place = self._others.assign(frame, self._spec(frame))
        return Element(place, False)

    def _spec(self, frame: Frame) -> FrameSpec:
        pixels = frame.pixels
        look = frame.id.camera, frame.axes, pixels.shape, pixels.dtype, frame.pixel_size_um
        if look not in self._specs:
            if len(self._specs) >= _LOOKS:
                self._specs.clear()
            self._specs[look] = spec_of(frame)
        return self._specs[look]
