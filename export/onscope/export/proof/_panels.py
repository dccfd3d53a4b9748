"""Input, both answers and their difference as colours, whatever kind of answer it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onscope.runtime.drawing import ACCENT, BAD, GOOD, LINE, PANEL, PAPER, Colour, Look, render, ring_marks

from .._agreement import span
from .._original import Array
from ._answers import Answers
from ._points import matched_rows

ABOVE: Colour = (255, 158, 74)
BELOW: Colour = ACCENT
RING_PX = 6


@dataclass(frozen=True, eq=False)
class Panel:
    """An RGB image (tall, wide, 3) with its title and a line about it.

    `scale` is what the colours of a difference end at; `words` stand where there is nothing to see.
    """

    title: str
    note: str
    pixels: Array
    scale: float | None = None
    words: str = ""


def panels(one: Answers, wide: int, tall: int) -> list[Panel]:
    """Input, the network's answer, the export's, and what differs, each of `tall` x `wide` pixels."""
    frame, which = plane(one.frame, one.frame_axes)
    look = Look.of(frame)
    size = "x".join(str(one.frame.shape[one.frame_axes.index(letter)]) for letter in "yx")
    given = Panel(f"input: {one.where}", _joined(f"{size} {one.frame.dtype}", which, look.words), _shown(frame, look,
                  wide, tall))  # fmt: skip
    match one.kind:
        case "points":
            return [given, *_points(one, frame, look, wide, tall)]
        case "labels" | "classes" | "mask":
            return [given, *_labels(one, wide, tall)]
    if "y" not in one.axes or "x" not in one.axes:
        return [given, *_values(one, wide, tall)]
    return [given, *_images(one, look.glow, wide, tall)]


def plane(array: Array, axes: str) -> tuple[Array, str]:
    """The plane (y, x) or (y, x, 3) that is shown, and which it is: the middle of z and t, three channels as RGB."""
    words = []
    for letter in axes:
        if letter in "yxc":
            continue
        place = axes.index(letter)
        size = array.shape[place]
        array, axes = np.take(array, size // 2, axis=place), axes.replace(letter, "")
        if size > 1:
            words.append(f"{letter} {size // 2} of {size}")
    if "c" not in axes:
        return array.transpose(axes.index("y"), axes.index("x")), ", ".join(words)
    array = array.transpose(*(axes.index(letter) for letter in "yxc"))
    if array.shape[2] == 3:
        return array, _joined(*words, "channels as RGB")
    if array.shape[2] > 1:
        words.append(f"channel 0 of {array.shape[2]}")
    return array[..., 0], ", ".join(words)


def signed_colours(values: Array, most: float) -> Array:
    """uint8 RGB of signed numbers: dark at 0, blue towards -`most`, orange towards +`most`."""
    share = np.clip(np.nan_to_num(values) / most, -1, 1)[..., None]
    ends = np.where(share < 0, np.array(BELOW), np.array(ABOVE))
    return np.asarray(np.array(PAPER) + np.abs(share) * (ends - np.array(PAPER))).astype(np.uint8)


def _images(one: Answers, glow: bool, wide: int, tall: int) -> list[Panel]:
    first, which = plane(one.whole[0], one.axes)
    second, _ = plane(one.whole[1], one.axes)
    look = Look.of(first, glow if first.ndim == 2 else None)
    size = f"{first.shape[0]}x{first.shape[1]} {one.whole[0].dtype}"
    found = [
        Panel(f"network: {one.output}", _joined(size, which, look.words), _shown(first, look, wide, tall)),
        Panel(f"export: {one.output}", "the same colours", _shown(second, look, wide, tall)),
    ]
    if first.shape != second.shape:
        return [*found, _nothing(f"{_sizes(first)} became {_sizes(second)}", wide, tall)]
    error = second.astype(np.float64) - first.astype(np.float64)
    if error.ndim == 3:  # of the channel that is off most
        error = np.take_along_axis(error, np.abs(error).argmax(axis=2)[..., None], axis=2)[..., 0]
    most = float(np.nan_to_num(np.abs(error), posinf=0.0).max(initial=0.0))
    if most == 0:
        return [*found, _nothing(f"none of {error.size:,} pixels differs", wide, tall, "equal")]
    share = most / span(one.whole[0])
    off = f"{share:.1e} of the range"
    if first.dtype.kind in "iu":
        off = f"{np.sum(error != 0):,} of {error.size:,} pixels"
    note = f"{off}; colours scaled {_times(1 / share)}"
    return [
        *found,
        Panel(f"difference, ±{most:.2g}", note, _enlarged(signed_colours(_peaks(error, tall), most), wide, tall), most),
    ]


def _labels(one: Answers, wide: int, tall: int) -> list[Panel]:
    first, second = one.labels or one.whole
    if one.kind == "classes":
        first, second = (array.argmax(axis=one.axes.index("c")) for array in (first, second))
    flat = one.axes.replace("c", "") if one.kind == "classes" else one.axes
    axes = "zyx"[-first.ndim :] if one.labels else flat
    if "y" not in axes or "x" not in axes:
        return _values(one, wide, tall)
    first, second = (plane(array, axes)[0] for array in (first, second))
    first, second = (array.reshape(array.shape[:2]) if array.size else array for array in _single(first, second))
    first, second = first.astype(np.int32), second.astype(np.int32)
    look = Look(0, 1, False, True)
    words = {"labels": "objects", "classes": "classes", "mask": "values"}[one.kind]
    counts = [len(np.unique(labels[labels != 0] if one.kind == "labels" else labels)) for labels in (first, second)]
    if one.kind == "labels" and first.shape == second.shape:
        second = renamed(first, second)
    found = [
        Panel(f"network: {one.output}", f"{counts[0]} {words}", render(first, look, wide, tall)),
        Panel(f"export: {one.output}", f"{counts[1]} {words}", render(second, look, wide, tall)),
    ]
    if first.shape != second.shape:
        return [*found, _nothing(f"{_sizes(first)} became {_sizes(second)}", wide, tall)]
    differs = first != second
    colours = np.where(differs[..., None], np.array(BAD), np.where((first != 0)[..., None], np.array(LINE),
                       np.array(PAPER))).astype(np.uint8)  # fmt: skip
    note = f"{int(differs.sum()):,} of {differs.size:,} pixels have another label (red)"
    return [*found, Panel("difference", note if differs.any() else f"none of {differs.size:,} pixels has another "
            "label", _enlarged(colours, wide, tall))]  # fmt: skip


def renamed(first: Array, second: Array) -> Array:
    """`second` with the numbers that its objects have in `first`, by their largest overlap; new ones behind them."""
    result = np.zeros_like(second)
    free = int(max(first.max(initial=0), 0)) + 1
    taken = set[int]()
    for label in np.unique(second[second != 0]):
        inside = second == label
        names, counts = np.unique(first[inside], return_counts=True)
        best = int(names[counts.argmax()])
        if best == 0 or best in taken:
            best, free = free, free + 1
        taken.add(best)
        result[inside] = best
    return result


def _points(one: Answers, frame: Array, look: Look, wide: int, tall: int) -> list[Panel]:
    pairs = matched_rows(one)
    first, second = pairs.first.places, pairs.second.places
    zoom = np.array([tall / frame.shape[0], wide / frame.shape[1]])
    ground = _shown(frame, look, wide, tall)
    radius = min(12.0, max(RING_PX, 2.5 * float(zoom.min())))

    def ringed(pixels: Array, rows: Array, colour: Colour) -> Array:
        return ring_marks(pixels, (rows[:, -2:] + 0.5) * zoom - 0.5, radius, colour, 1.5) if len(rows) else pixels

    found = [
        Panel(f"{who}: {one.output}", f"{len(rows)} points above the threshold", ringed(ground, rows, ACCENT))
        for who, rows in (("network", first), ("export", second))
    ]
    moved = np.sqrt(np.sum((first[pairs.left] - second[pairs.right]) ** 2, axis=1))
    lonely = np.concatenate([np.delete(first, pairs.left, 0), np.delete(second, pairs.right, 0)])
    far = f"largest shift {moved.max(initial=0.0):.1e} px" if moved.max(initial=0.0) else "no point moved"
    dim = (ground * 0.35).astype(np.uint8)
    marked = ringed(ringed(dim, first[pairs.left], GOOD), lonely, BAD)
    return [*found, Panel("difference", f"{far}; {len(lonely)} without a partner{' (red)' if len(lonely) else ''}",
            marked)]  # fmt: skip


def _values(one: Answers, wide: int, tall: int) -> list[Panel]:
    """Answers without pixels, such as a probability per class: a bar for each."""
    first, second = (array.ravel().astype(np.float64) for array in one.whole)
    found = [
        Panel(f"{who}: {one.output}", f"{values.size} values, {values.min(initial=0):.3g} to "
              f"{values.max(initial=0):.3g}", _bars(values, wide, tall))
        for who, values in (("network", first), ("export", second))
    ]  # fmt: skip
    if first.shape != second.shape:
        return [*found, _nothing("another number of values", wide, tall)]
    most = float(np.abs(second - first).max(initial=0.0))
    if most == 0:
        return [*found, _nothing("no value differs", wide, tall, "equal")]
    return [*found, Panel("difference", f"at most {most:.2g}, {most / span(first):.1e} of the range",
            _bars(second - first, wide, tall))]  # fmt: skip


def _bars(values: Array, wide: int, tall: int) -> Array:
    pixels = np.full((tall, wide, 3), PANEL, np.uint8)
    high = float(np.abs(values).max(initial=0.0)) or 1.0
    edges = np.linspace(0, wide, len(values) + 1).round().astype(int)
    for value, left, right in zip(values, edges[:-1], edges[1:], strict=True):
        bar = max(2, round(abs(float(value)) / high * (tall - 8)))
        pixels[tall - bar :, left : max(left + 1, right - 1)] = ABOVE if value >= 0 else BELOW
    return pixels


def _single(*arrays: Array) -> list[Array]:
    """The first channel of each."""
    return [array[..., 0] if array.ndim == 3 else array for array in arrays]


def _shown(image: Array, look: Look, wide: int, tall: int) -> Array:
    return render(image, look, wide, tall)


def _peaks(values: Array, tall: int) -> Array:
    """Blocks as large as shrinking makes pixels of, each by the element farthest from 0: none is averaged away."""
    side = -(-values.shape[0] // tall)
    if side <= 1:
        return values
    values = np.nan_to_num(values[: values.shape[0] // side * side, : values.shape[1] // side * side])
    high, broad = values.shape[0] // side, values.shape[1] // side
    blocks = values.reshape(high, side, broad, side).transpose(0, 2, 1, 3).reshape(high, broad, -1)
    return np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., None], axis=2)[..., 0]


def _enlarged(colours: Array, wide: int, tall: int) -> Array:
    import cv2

    return np.asarray(cv2.resize(colours, (wide, tall), interpolation=cv2.INTER_NEAREST_EXACT))


def _nothing(note: str, wide: int, tall: int, words: str = "cannot be compared") -> Panel:
    return Panel("difference", note, np.full((tall, wide, 3), PANEL, np.uint8), words=words)


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _sizes(array: Array) -> str:
    return "x".join(map(str, array.shape))


def _times(factor: float) -> str:
    return f"{factor:,.0f}x" if factor < 1e6 else f"{factor:.1e}x"
