"""Images of stages to a data set of ndstorage, as pycro-manager's own are: NDTiff on the disk, or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import SourceError
from .._result import Result
from ._derived import Told
from ._words import tags

USEQ = {"t": "time", "p": "position", "c": "channel"}
"""useq's names of axes, and NDTiff's; others keep their own."""


class NDDataset:
    """Puts images beside the raw ones: the same axes, but for the channel, which is named after the stage.

    A frame of the channel DAPI gives the channel "DAPI denoise", one without channels "denoise". `at` makes a new
    data set in a folder with the first image, and finishes it; another one is its owner's to finish.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._folder: Path | None = None

    @classmethod
    def at(cls, folder: Path) -> NDDataset:
        """Raises SourceError when there is something at `folder`, or ndstorage is not installed."""
        try:
            import ndstorage  # noqa: F401 - whether it is there
        except ImportError:
            raise SourceError(
                "found no ndstorage, expected it for an NDTiff data set: pip install 'onscope[micromanager]' brings it"
            ) from None
        if folder.exists():
            raise SourceError(f"found that {folder} exists, expected a new folder: choose another one, or remove it")
        made = cls(None)
        made._folder = folder
        return made

    def put(self, stage: str, image: np.ndarray[Any, Any], result: Result, told: Told) -> bool:
        dataset = self._dataset if self._dataset is not None else self._make()
        if type(dataset).__module__.startswith("ndstorage.ndtiff"):
            image = fitting(image, stage)
        axes = axes_of(told.tags, stage)
        dataset.put_image(axes, image, tags(told, axes, stage, result))
        return True

    def finish(self, last: Told | None) -> None:
        if self._folder is not None and self._dataset is not None:
            self._dataset.finish()
            self._dataset.close()

    def _make(self) -> Any:
        from ndstorage.ndtiff_dataset import NDTiffDataset

        assert self._folder is not None
        self._folder.mkdir(parents=True)
        self._dataset = NDTiffDataset(str(self._folder), writable=True)
        self._dataset.initialize({})
        return self._dataset


def axes_of(known: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Where the image of a stage is among its data set's axes."""
    labels = known.get("Labels") or {}
    axes = {USEQ.get(name, name): labels.get(name) or at for name, at in (known.get("Axes") or {}).items()}
    channel = axes.get("channel")
    return {**axes, "channel": stage if channel is None else f"{channel} {stage}"}


def fitting(image: np.ndarray[Any, Any], stage: str) -> np.ndarray[Any, Any]:
    """The image in a type that NDTiff has, to the bit. Raises SourceError when there is none."""
    if image.ndim == 2 and image.dtype in (np.uint8, np.uint16):
        return image
    # Labels may be numbered in a longer type.
    if image.ndim == 2 and image.dtype.kind in "bui" and image.min(initial=0) >= 0 and image.max(initial=0) < 1 << 16:
        return image.astype(np.uint16)
    raise SourceError(
        f"found images {'x'.join(map(str, image.shape))} {image.dtype} of {stage}, expected grey uint8 or uint16, "
        "which is what NDTiff holds: hand them on to an .ome.zarr or a data set in memory, or record them (record=...)"
    )
