"""Tracks in the format of the Cell Tracking Challenge: label images with the numbers of tracks, and a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from .._errors import RecordError
from ._lineage import pieces
from ._table import Tracks

Labels = npt.NDArray[Any]
MOST = 65_535
"""Tracks that 16 bits can number."""


def write_ctc(
    folder: str | Path,
    tracks: Tracks,
    labels: Callable[[int], Labels | None] | None = None,
    *,
    shape: tuple[int, int] | None = None,
    radius: float = 3.0,
) -> Path:
    """Write a new folder with `mask000.tif` ... and `res_track.txt`; returns the folder.

    `labels` gives the label image (y, x) of a frame by its number, None for one without. Without it, objects are discs
    of `radius` pixels in images of `shape`. Masks are uint16; a line of the text is "L B E P": the number of a track,
    its first and last frame, its parent's number or 0. Tracks with gaps are told as several, each the parent of the
    next, for a track is seen in all of its frames (M. Maska et al., Nature Methods 20, 1010 (2023), and the Challenge's
    page "Naming and file content conventions"). Tracks are numbered anew from 1 on. Raises RecordError where the folder
    is there, an object is not in its label image, or there are more than 65,535 tracks.
    """
    if labels is None:
        tracks = _apart(tracks)
    cut = pieces(tracks)
    if len(cut.begin) > MOST:
        raise RecordError(
            f"found {len(cut.begin)} tracks after cuts at gaps, expected at most {MOST} in 16 bits: export fewer frames"
        )
    by_frame = np.argsort(tracks.frame, kind="stable")
    bounds = np.searchsorted(tracks.frame[by_frame], np.arange(tracks.frames + 1))
    images = _Images(tracks, labels, shape, radius)
    path = Path(folder)
    try:
        path.mkdir(parents=True)
        digits = max(3, len(str(tracks.frames - 1)))
        for frame in range(tracks.frames):
            rows = by_frame[bounds[frame] : bounds[frame + 1]]
            mask = images.mask(frame, rows, cut.of_row[rows])
            tifffile.imwrite(path / f"mask{frame:0{digits}d}.tif", mask, compression="zlib")
        lines = zip(range(1, len(cut.begin) + 1), cut.begin, cut.end, cut.parent, strict=True)
        (path / "res_track.txt").write_text("".join(f"{n} {b} {e} {p}\n" for n, b, e, p in lines))
    except OSError as error:
        raise RecordError(
            f"{path} cannot be written ({error.strerror or error}): choose a new folder with room"
        ) from error
    return path


class _Images:
    """Masks, frame by frame, all of one size."""

    def __init__(
        self,
        tracks: Tracks,
        labels: Callable[[int], Labels | None] | None,
        shape: tuple[int, int] | None,
        radius: float,
    ) -> None:
        self._tracks, self._labels, self._shape, self._radius = tracks, labels, shape, radius
        if labels is not None:
            given = (labels(frame) for frame in range(tracks.frames))
            self._shape = next((image.shape for image in given if image is not None), shape)
        if self._shape is None:
            raise RecordError("found neither label images nor a shape, expected one: say how large the masks are")

    def mask(self, frame: int, rows: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
        """The mask of one frame: `numbers` where the objects of some rows of the table are."""
        assert self._shape is not None
        if self._labels is None:
            return self._discs(rows, numbers)
        image = self._labels(frame)
        if image is None:
            image = np.zeros(self._shape, dtype=np.int32)
        if image.shape != self._shape:
            raise RecordError(
                f"found labels of {image.shape} pixels in frame {frame} after {self._shape}, expected one size: "
                "export each size by itself"
            )
        values = self._tracks.label[rows]
        table = np.zeros(max(int(image.max(initial=0)), int(values.max(initial=0))) + 1, dtype=np.uint16)
        present = np.bincount(image.ravel(), minlength=len(table)) > 0
        absent = values[~present[values] | (values <= 0)]
        if len(absent):
            raise RecordError(
                f"found object {absent[0]} in the table of frame {frame}, but no pixel of it in the label image, "
                "expected the image that the table was measured on"
            )
        table[values] = numbers
        return np.asarray(table[image])

    def _discs(self, rows: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
        assert self._shape is not None
        mask = np.zeros(self._shape, dtype=np.uint16)
        centres = _pixels(self._tracks, rows, self._shape)
        for (y, x), number in zip(centres.tolist(), numbers.tolist(), strict=True):
            cv2.circle(mask, (x, y), round(self._radius), number, -1)
        mask[tuple(centres.T)] = numbers  # none is covered wholly by another
        return mask


def _pixels(tracks: Tracks, rows: Any, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    places = np.rint(np.stack([tracks.y[rows], tracks.x[rows]], axis=1)).astype(np.int64)
    return np.asarray(np.clip(places, 0, np.array(shape) - 1))


def _apart(tracks: Tracks) -> Tracks:
    """Without the objects that are in the same pixel as another of their frame: one pixel has one number."""
    where = np.stack([tracks.frame, np.rint(tracks.y), np.rint(tracks.x)], axis=1)
    _, first = np.unique(where, axis=0, return_index=True)
    kept = np.zeros(len(tracks), dtype=bool)
    kept[first] = True
    return tracks if kept.all() else tracks.only(kept)
