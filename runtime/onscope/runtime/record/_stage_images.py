"""The images of all stages: which of them an answer goes to, and what each says of itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._frame import FrameId
from .._result import Result
from ._derived_image import DerivedImage
from ._elements import Element
from ._ome import list_labels
from ._places import ZARR_SUFFIX
from ._present import Presence
from ._raw_axes import axes_for
from ._stages import provenance


@dataclass(frozen=True, slots=True)
class Written:
    """An answer on its way to the disk: element `at` of `image`, which is there when all `futures` are done."""

    image: StageImage
    at: tuple[int, ...]
    futures: list[Any]


@dataclass(eq=False, slots=True)
class StageImage:
    """An image of a stage; `raw` is the raw image that its elements are those of (None: it is not in this recording).

    `path` is its way from the recording's folder. `channel`: it holds the answers to this channel alone, since their
    samples take the axis c. `taken` are the elements that an answer was begun for, and in a rolling window `owners` the
    frames whose answers they are.
    """

    files: DerivedImage
    path: str
    raw: str | None
    channel: int | None
    taken: Presence
    owners: dict[tuple[int, ...], FrameId] | None

    def take(self, at: tuple[int, ...], who: FrameId) -> bool:
        """Give an element to the answer of a frame; False when an answer is there that it may not take the place of."""
        if self.owners is not None:
            if self.owners.get(at) == who:
                return False
            self.owners[at] = who
            return True
        return self.taken.mark(at)

    def close(self, rows: Any, told: Collection[FrameId] | None) -> None:
        """Close the files, by the `rows` of the raw image's frames (None: there are none).

        Of a rolling window only answers to `told` frames stay: the element of another one holds a newer raw frame, or
        none that is told.
        """
        if told is not None and self.owners is not None:
            for at in [at for at, who in self.owners.items() if who not in told]:
                self.files.remove(at)
        raw = None if rows is None else axes_for(rows, self.files.axes, self.channel, rolling=self.owners is not None)
        self.files.close(raw)


class StageImages:
    """Makes images as answers come; used by one thread at a time.

    `labels` are the stages that answer with labels: beside the raw image that they belong to, where it is an OME-Zarr
    image of this recording. `on_image` is told of each image that was made, with its entry of the manifest. `expected`
    raw frames, if known. `rolling`: elements are used again and again. `there`: images that were made before go on.
    """

    def __init__(
        self,
        folder: Path,
        labels: Collection[str],
        on_image: Callable[[dict[str, Any]], None],
        expected: Callable[[], int | None],
        *,
        rolling: bool,
        there: bool = False,
    ) -> None:
        self._folder = folder
        self._there = there
        self._rolling = rolling
        self._labels = frozenset(labels)
        self._on_image = on_image
        self._expected = expected
        self._images: dict[tuple[object, ...], StageImage] = {}

    def all(self) -> list[StageImage]:
        return list(self._images.values())

    def write(self, result: Result, stage: str, element: Element) -> Written:
        """Begin to write a stage's answer; raises RecordError when the disk refuses it."""
        image, at = self.place(result, stage, element)
        return Written(image, at, image.files.write(at, result.answers[stage]))

    def place(self, result: Result, stage: str, element: Element) -> tuple[StageImage, tuple[int, ...]]:
        """The image that a stage's answer goes to, which is made where it is new, and the element that it is there.

        Of the answer itself only the shape and the dtype are looked at. Raises RecordError.
        """
        answer, place = result.answers[stage], element.place
        at, axes, channel = place.at, place.axes, None
        if answer.ndim == 3 and "c" in axes:
            channel, at, axes = at[1], at[:1] + at[2:], axes.replace("c", "")
        # An image says what made it: answers of a package that took another one's place go to one of their own.
        made_by = result.provenance.get(stage)
        key = (stage, made_by, element.recorded, place.array, axes, channel, answer.shape, answer.dtype.name)
        # A second answer to the same frame goes to a further image: none takes the place of another one.
        number = 0
        while True:
            image = self._images.get((*key, number))
            if image is None:
                image = self._make(result, stage, answer, element, axes, channel)
                self._images[*key, number] = image
            if image.take(at, result.frame.id):
                return image, at
            number += 1

    def _make(
        self,
        result: Result,
        stage: str,
        answer: np.ndarray[Any, Any],
        element: Element,
        axes: str,
        channel: int | None,
    ) -> StageImage:
        labels = stage in self._labels
        beside = element.raw if labels and (element.raw or "").endswith(ZARR_SUFFIX) else None
        path = self._name(stage, beside)
        scale, size = result.scales.get(stage, 1.0), result.frame.pixel_size_um
        pixel_size_um = None if size is None else size / scale
        entry: dict[str, Any] = {"role": "derived", "stage": stage, "raw": element.raw, **provenance(result, stage)}
        if labels:
            entry["labels"] = True
        if channel is not None:
            entry["channel"] = channel
        files = DerivedImage(
            self._folder / path,
            axes,
            answer.shape,
            answer.dtype.name,
            labels=labels,
            alone=beside is None,
            scale=scale,
            pixel_size_um=pixel_size_um,
            expected=self._expected() if axes == "t" else None,
            attributes=entry,
            there=self._there,
        )
        if beside is not None:
            list_labels(self._folder / beside, [name for _, name in self._beside(beside)] + [Path(path).name])
        entry |= {"camera": result.frame.id.camera, "scale": scale, "path": path, "along": axes}
        entry |= {"shape": list(answer.shape), "dtype": answer.dtype.name, "pixel_size_um": pixel_size_um}
        self._on_image(entry | {"frames": None})
        owners: dict[tuple[int, ...], FrameId] | None = {} if self._rolling and element.recorded else None
        return StageImage(files, path, element.raw, channel, Presence(len(axes)), owners)

    def _beside(self, raw: str) -> list[tuple[str, str]]:
        """Label images in a raw image: stage and name of each."""
        return [
            (str(key[0]), Path(image.path).name)
            for key, image in self._images.items()
            if image.path.startswith(f"{raw}/")
        ]

    def _name(self, stage: str, beside: str | None) -> str:
        if beside is not None:
            number = sum(name == stage for name, _ in self._beside(beside))
            return f"{beside}/labels/{stage}-{number}" if number else f"{beside}/labels/{stage}"
        number = sum(key[0] == stage and "/" not in image.path for key, image in self._images.items())
        return f"{stage}-{number}{ZARR_SUFFIX}" if number else f"{stage}{ZARR_SUFFIX}"
