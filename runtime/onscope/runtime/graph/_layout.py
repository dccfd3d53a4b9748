"""Where a frame's axes go in a network's tensor, inside the graph: names decide, never the number of dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from .._axes import no_place
from .._errors import PipelineError
from ..package import TensorDescription
from ._draft import Draft, Value

HOMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "t": ("time", "z", "channel"),
        "z": ("z", "time", "channel"),
        "c": ("channel", "index"),
        "i": ("index", "channel", "time", "z"),
        "s": ("channel",),
        "y": ("y",),
        "x": ("x",),
        "n": ("batch",),
    }
)
"""Axes of a network that a letter of an image goes to, the first that is there and takes its size; n are crops."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a stage reads: tensors of the same letters (y, x, s, ...), which follow one another along `along`.

    `along` is "" where there is one tensor; the letters are the ids of the tensors' axes. `target` is the tensor that
    a network without such an axis takes.
    """

    parts: tuple[Value, ...]
    along: str = ""
    target: int = 0

    @property
    def letters(self) -> str:
        return "".join(self.parts[0].axes)

    @property
    def sizes(self) -> dict[str, int | None]:
        """Sizes of all letters, those of the window's first."""
        first = self.parts[0]
        window: dict[str, int | None] = {self.along: len(self.parts)} if self.along else {}
        return {**window, **dict(zip(first.axes, first.shape, strict=True))}

    def alone(self) -> Picture:
        """Only the tensor that the answer belongs to."""
        return Picture((self.parts[self.target],))


def picture_of(value: Value) -> Picture:
    """A stage's image as the next one reads it: axes of size 1 but y and x dropped, channels called s."""
    letters = {"channel": "s", "time": "t", "index": "i", "batch": "b"}
    return Picture((Value(value.name, value.dtype, tuple(letters.get(id, id) for id in value.axes), value.shape),))


def placed(picture: Picture, tensor: TensorDescription, stage: str) -> dict[str, str]:
    """The axis (id) of `tensor` that each letter of the picture goes to; the missing ones have size 1.

    Without an entry for `picture.along`, the tensor takes the target alone. Raises PipelineError when an axis of a
    size over 1 has no place, or another size than the network takes.
    """
    sizes = picture.sizes
    kinds = {axis.id: axis for axis in tensor.described}
    homes: dict[str, str] = {}
    for letter in sorted(sizes, key=lambda each: each not in "yxs"):  # RGB's samples take the channel before a window
        ids = [
            kind for want in HOMES.get(letter, (letter,)) for kind in _ids(tensor, want) if kind not in homes.values()
        ]
        roomy = [id for id in ids if kinds[id].size.fixed != 1 or sizes[letter] == 1]
        if roomy:
            homes[letter] = roomy[0]
    homeless = [
        letter for letter, size in sizes.items() if letter not in homes and size != 1 and letter != picture.along
    ]
    if homeless:
        _refuse_channels(picture, tensor, homeless, stage)
        raise no_place(tensor.axes, homeless)
    _check_fixed(picture, tensor, homes, stage)
    return homes


def arrange(draft: Draft, picture: Picture, tensor: TensorDescription, homes: Mapping[str, str]) -> Value:
    """The picture as a tensor with the axes of `tensor`, in its own dtype."""
    if picture.along and picture.along not in homes:
        picture = picture.alone()
    want = tensor.axes
    parts = [reordered(draft, part, want, homes) for part in picture.parts]
    if not picture.along or len(parts) == 1:
        return parts[0]
    place = want.index(homes[picture.along])
    first = parts[0]
    shape = tuple(len(parts) if at == place else size for at, size in enumerate(first.shape))
    name = draft.node("Concat", [part.name for part in parts], "window", axis=place)
    return Value(name, first.dtype, want, shape)


def reordered(draft: Draft, value: Value, want: Sequence[str], homes: Mapping[str, str]) -> Value:
    """One tensor with the axes `want`: `homes` says which its own ones are there; others are of size 1, or dropped."""
    name = value.name
    gone = [at for at, letter in enumerate(value.axes) if letter not in homes]
    if gone:
        name = draft.node("Squeeze", [name, draft.constant(gone, "int64")], "squeezed")
    have = [homes[letter] for letter in value.axes if letter in homes]
    sizes = {homes[letter]: size for letter, size in zip(value.axes, value.shape, strict=True) if letter in homes}
    order = [have.index(id) for id in want if id in have]
    if order != sorted(order):
        name = draft.node("Transpose", [name], "turned", perm=order)
    new = [at for at, id in enumerate(want) if id not in have]
    if new:
        name = draft.node("Unsqueeze", [name, draft.constant(new, "int64")], "unsqueezed")
    return Value(name, value.dtype, tuple(want), tuple(sizes.get(id, 1) for id in want))


def _ids(tensor: TensorDescription, want: str) -> list[str]:
    """The axes that are meant by a home's name: by id, and where that is free to choose, by kind."""
    by_kind = [axis.id for axis in tensor.described if axis.kind == want]
    return by_kind or [axis.id for axis in tensor.described if axis.id == want]


def _check_fixed(picture: Picture, tensor: TensorDescription, homes: Mapping[str, str], stage: str) -> None:
    """Channels, time points and indices cannot be padded: they are as many as the network takes."""
    sizes = picture.sizes
    taken = {id: (letter, sizes[letter]) for letter, id in homes.items()}
    for axis in tensor.described:
        letter, size = taken.get(axis.id, ("", 1))
        if axis.id in ("y", "x") or size is None or axis.size.fits(size) or axis.size.follows:
            continue
        if axis.kind == "space" and axis.size.minimum <= size and axis.size.fixed is None and axis.size.maximum is None:
            continue  # a stack is padded as rows and columns are
        if axis.kind == "channel":
            _refuse_channels(picture, tensor, [letter], stage)
        bound = "" if axis.size.step == 1 else f" + n * {axis.size.step}"
        expected = axis.size.fixed if axis.size.fixed is not None else f"{axis.size.minimum}{bound} or more"
        raise PipelineError(
            f"found {size} in the axis {axis.id} for the stage {stage!r}, expected {expected}: change the window of "
            "the pipeline"
        )


def _refuse_channels(picture: Picture, tensor: TensorDescription, letters: Sequence[str], stage: str) -> None:
    """Raise PipelineError in words of cameras when it is the channels that do not fit."""
    expected = tensor.channels
    if expected is None or not (set(letters) <= {"s", picture.along, ""}):
        return
    sizes = picture.sizes
    if "s" in letters:
        what, do = "colour images", "set the camera to grey, or run stored images with --grey"
    elif letters[0] and letters[0] == picture.along:
        what, do = f"a window of {sizes[picture.along]} frames as channels", "change the window of the pipeline"
    else:
        what, do = "grey images", "choose another package, or set the camera to colour"
    raise PipelineError(f"found {what} for the stage {stage!r}, expected {expected} in the axis channel: {do}")
