"""Reading an image back from the data set that it was just saved in, while the next ones are written to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from os import SEEK_END
from typing import Any

from .._frame import Pixels


def read_saved(dataset: Any, axes: Mapping[str, Any]) -> tuple[Pixels, dict[str, Any]]:
    """The image (y, x) and its tags at `axes` of a data set of ndstorage; raises what the data set does."""
    with getattr(dataset, "_lock", None) or nullcontext():
        # NDTiff files are as long as they will ever be from the beginning, and read through a buffer that reaches
        # beyond what is asked for: the beginning of the next image would be the zeros that were there before it was
        # written (ndstorage 0.1.18: up to 8 kB of them). A seek from the end empties the buffer.
        for reader in list((getattr(dataset, "_readers_by_filename", None) or {}).values()):
            reader.file.seek(0, SEEK_END)
        return dataset.read_image(**axes), dict(dataset.read_metadata(**axes))
