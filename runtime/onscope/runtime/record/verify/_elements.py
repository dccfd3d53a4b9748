"""Which elements of which image the tables name: what is said to be on the disk."""

from __future__ import annotations

from typing import Any

from ..._frame import FrameId
from .._who import ids_of

At = tuple[int, ...]


def at_of(index: Any) -> At | None:
    """The element of a row; None where there is none. Tables of layout 2 count along t alone."""
    if index is None:
        return None
    return tuple(index) if isinstance(index, (list, tuple)) else (int(index),)


def raw_elements(frames: Any) -> dict[str, dict[At, FrameId]]:
    """By image, the elements that the table `frames` names, and whose they are."""
    found: dict[str, dict[At, FrameId]] = {}
    pages = frames["page"].to_pylist() if "page" in frames.column_names else [None] * frames.num_rows
    rows = zip(ids_of(frames), frames["array"].to_pylist(), frames["index"].to_pylist(), pages, strict=True)
    for who, array, index, page in rows:
        at = at_of(index)
        if at is not None and page is None:
            found.setdefault(array, {})[at] = who
    return found


def answer_stages(results: Any) -> list[str]:
    """The stages of images that the table `results` has columns for."""
    names = [name.removesuffix("_array") for name in results.column_names if name.endswith("_array")]
    return [name for name in names if f"{name}_index" in results.column_names]


def answer_elements(results: Any) -> dict[str, dict[At, FrameId]]:
    """By image, the elements that the table `results` names, and whose they are."""
    found: dict[str, dict[At, FrameId]] = {}
    ids = list(ids_of(results))
    for stage in answer_stages(results):
        places = zip(ids, results[f"{stage}_array"].to_pylist(), results[f"{stage}_index"].to_pylist(), strict=True)
        for who, array, index in places:
            at = at_of(index)
            if array is not None and at is not None:
                found.setdefault(array, {})[at] = who
    return found
