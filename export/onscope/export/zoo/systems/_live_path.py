"""Held-out images through the runtime: what is measured is what the live path answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy.typing as npt

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Result, Runtime, block

Array = npt.NDArray[Any]
PACKAGE, FOLDER = "{package}", "{folder}"
"""Stand in a pipeline's text for the path of a system's own package, and of the folder that all packages are in."""


def with_package(text: str, folder: Path) -> str:
    """The pipeline's text with the package in `folder`."""
    return text.replace(PACKAGE, str(folder.absolute())).replace(FOLDER, str(folder.absolute().parent))


def pipeline_of(text: str, folder: Path) -> Pipeline:
    """The pipeline that a text describes, with the package in `folder`; raises what `Pipeline.load` raises."""
    with TemporaryDirectory() as place:
        file = Path(place) / "pipeline.yaml"
        file.write_text(with_package(text, folder), encoding="utf-8")
        return Pipeline.load(file)


FRESH = 5
"""The first held-out specimen of a table, where recipes were compared on those before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Pixels (y, x), and the acquisition's index of the frame that they become, such as {"t": 3, "z": 0}."""

    pixels: Array
    index: Mapping[str, int]


class _Images:
    """A source of images at hand."""

    def __init__(self, images: Sequence[Image], pixel_um: float | None) -> None:
        self._images, self._pixel_um = images, pixel_um

    def spec(self) -> FrameSpec:
        first = self._images[0].pixels
        return FrameSpec(first.shape, first.dtype.name, camera="images", pixel_size_um=self._pixel_um)

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        for seq, image in enumerate(self._images[:n]):
            who = FrameId("measured", "images", 0, seq)
            yield Frame(who, image.pixels, index=image.index, pixel_size_um=self._pixel_um)


def answers(pipeline: Pipeline, images: Sequence[Image], pixel_um: float | None = None) -> list[Result]:
    """The results of all windows of `images`, in order; none is skipped. Pixels measure `pixel_um`, if that is known.

    All images have one shape and dtype. Raises what the runtime raises, and ValueError when a frame failed.
    """
    source = _Images(images, pixel_um)
    with Runtime(pipeline, worker="thread", admission=block(2), provider="cpu", threads=1) as runtime:
        results = list(runtime.stream(source, len(images)))
        counts, rows = runtime.ledger.counts, runtime.ledger.table()
    if counts["failed"]:
        why = next(row.reason for row in rows if row.state == "failed")
        raise ValueError(f"found {counts['failed']} frames that failed ({why}), expected an answer to each window")
    return results


def movie(frames: Sequence[Array]) -> list[Image]:
    """Frames (y, x) as time points of one place."""
    return [Image(pixels, {"t": t}) for t, pixels in enumerate(frames)]


def stacks(volumes: Sequence[Array], letter: str = "z") -> list[Image]:
    """Volumes (n, y, x) as planes (or with `letter` "c" or "i" as channels or phases) of one time point each."""
    return [Image(one, {"t": t, letter: n}) for t, volume in enumerate(volumes) for n, one in enumerate(volume)]
