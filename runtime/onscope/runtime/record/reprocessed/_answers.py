"""Answers whose images others have written: their places, and the rows of all tables, by the live run's own writers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._errors import OnscopeError
from ..._frame import Frame
from ..._result import Result
from .._beside import BesideAnswers
from .._derived import DerivedWriter
from .._elements import Element
from .._places import Place, Places
from .._raw_axes import axes_for
from .._stage_images import StageImage, StageImages, Written
from ..recorder import rows_by_image


class _NoRaw:
    """Raw frames are elsewhere, and none are under way."""

    failure: OnscopeError | None = None
    waiting = bytes_at_most = 0

    def __init__(self) -> None:
        self.places = Places()

    def check_place(self) -> None:
        """The folder is held by its lock."""


class _GivenElements:
    """The element of an answer is the one that its frame has where it was recorded."""

    def __init__(self) -> None:
        self.now: Place | None = None

    def of(self, frame: Frame) -> Element:
        assert self.now is not None
        return Element(self.now, False)


class _GivenImages(StageImages):
    """Images whose elements were written already: the place of each is told."""

    def __init__(self, *told: Any) -> None:
        super().__init__(*told, rolling=False, there=True)
        self.given: Mapping[str, tuple[str, Sequence[int]]] = {}
        self.sources: dict[str, str] = {}
        """By image, the raw image that its elements are those of."""

    @property
    def images(self) -> Mapping[tuple[object, ...], StageImage]:
        """All that were made, by what they are of."""
        return self._images

    def place(self, result: Result, stage: str, element: Element) -> tuple[StageImage, tuple[int, ...]]:
        image, at = super().place(result, stage, element)
        self.sources[image.path] = element.place.array
        image.files.make_room(at)
        return image, at

    def write(self, result: Result, stage: str, element: Element) -> Written:
        path, at = self.given[stage]
        image = next(each for each in self._images.values() if each.path == path)
        return Written(image, tuple(at), [])


class Answers(DerivedWriter):
    """`place` is called for all answers first, in the order of their windows, then `note` for those that are there."""

    def __init__(
        self,
        folder: Path,
        on_image: Callable[[dict[str, Any]], None],
        stages: Sequence[str],
        images: Sequence[str],
        labels: Collection[str],
    ) -> None:
        super().__init__(folder, _NoRaw(), on_image, lambda: None, stages, images, labels)
        self._given = self._images = _GivenImages(folder, labels, on_image, lambda: None)
        self._elements = self._at = _GivenElements()  # type: ignore[assignment]  # it has all that is asked of one
        self._sums: Mapping[tuple[Any, ...], int] = {}
        self._beside = BesideAnswers(folder, lambda frame: self._sums[tuple(frame.id)])

    def place(self, result: Result, stage: str, place: Place) -> tuple[str, list[int]]:
        """The image and element of an answer, of which only shape and dtype are looked at. Raises RecordError."""
        image, at = self._given.place(result, stage, Element(place, False))
        return image.path, [int(each) for each in at]

    def extents(self, frames: Any) -> dict[str, tuple[str, str, tuple[int, ...]]]:
        """By image: its stage, the axes of its elements, and how many there are of each when it is closed."""
        rows, found = rows_by_image(frames), {}
        for key, image in self._given.images.items():
            raw = axes_for(rows[self._given.sources[image.path]], image.files.axes, image.channel)
            sizes = tuple(max(pair) for pair in zip(image.taken.extent, raw.sizes, strict=True))
            found[image.path] = str(key[0]), image.files.axes, sizes
        return found

    def note(
        self,
        result: Result,
        place: Place,
        given: Mapping[str, tuple[str, Sequence[int]]],
        sums: Mapping[tuple[Any, ...], int],
    ) -> None:
        """The rows of a result: `given` are the places of its images, `sums` its frames' checksums by their ids."""
        self._at.now, self._given.given, self._sums = place, given, sums
        self.add(result)

    def close(self, frames: Any, *, rolling: bool = False) -> None:
        """Close images and tables; `frames` are the rows of the raw frames, wherever they are. Raises RecordError.

        `rolling`: elements along t were used again, and say nothing of times.
        """
        rows = rows_by_image(frames)
        self.drain()
        for image in self._given.all():
            array = self._given.sources[image.path]
            image.files.close(axes_for(rows[array], image.files.axes, image.channel, rolling=rolling))
        for table in self._other_tables:
            table.close()
        if self._results is not None:
            self._results.close()
