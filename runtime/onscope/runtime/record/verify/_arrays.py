"""All arrays of a recording: each chunk's own checksum, and the rows that name it."""

from __future__ import annotations

from ..._frame import FrameId
from .._who import ids_of
from ._chunks import PRESENT, Tally, check_array, check_present
from ._elements import At, answer_elements, raw_elements
from ._looked import EVERY, Looked
from ._report import Check, Findings

PAGED = (".tif", ".tiff", ".ndtiff")
"""Images whose frames are pages of a file: their pixels are looked at with their rows."""


def check_arrays(looked: Looked) -> Check:
    """Every chunk of every array: whether it has changed, and whether a row names it."""
    findings, tally = Findings(), Tally()
    elements = _named(looked)
    keep = looked.run is not None and looked.run.manifest.get("keep") is not None
    images = set() if looked.run is None else {entry["path"] for entry in looked.run.manifest["images"]}
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        if done % EVERY == 0:
            looked.progress("chunks", done, 0)

    for array in looked.inventory.arrays:
        known = elements is not None and (array.image in images or array.image in elements)
        named = elements.get(array.image, {}) if elements is not None and known else None
        if array.level != PRESENT:
            seen = looked.seen.get(array.image, set()) if array.level == "0" else set()
            check_array(array, named, seen, keep, tally, findings, tick)
            continue
        check_array(array, None, (), keep, tally, findings, tick)
        if named is not None and not array.fault and not keep:
            check_present(array, named, findings)
    there = {array.image for array in looked.inventory.arrays}
    for image, rows in (elements or {}).items():
        if image not in there and not image.endswith(PAGED):
            findings.add(f"the image {image} is missing, and rows name {len(rows)} of its elements", len(rows))
    _tell_leftovers(looked, tally, findings)
    words = f"{tally.chunks:,} chunks of {len(looked.inventory.arrays)} arrays ({tally.nbytes / 1e6:,.0f} MB)"
    return findings.check("chunks", words if looked.inventory.arrays else "no arrays")


def _named(looked: Looked) -> dict[str, dict[At, FrameId]] | None:
    """The elements that rows name, by image; None where the tables cannot be read."""
    if looked.run is None:
        return None
    frames = looked.run.table("frames")
    elements = raw_elements(frames)
    if looked.results is None:
        return elements
    # Of a rolling window, answers to frames that it has no more are gone with them.
    told = None if looked.run.manifest.get("keep") is None else set(ids_of(frames))
    answers = answer_elements(looked.results)
    for image, owners in answers.items():
        elements[image] = {at: who for at, who in owners.items() if told is None or who in told}
    return elements


def _tell_leftovers(looked: Looked, tally: Tally, findings: Findings) -> None:
    for name, count in tally.leftovers.items():
        words = f"{name} has {count:,} chunk{'s' if count > 1 else ''} that no row names"
        if looked.state == "complete":
            findings.add(words, count)
        else:
            findings.notes.append(f"{words}: never acknowledged; `onscope repair` sets them aside")
