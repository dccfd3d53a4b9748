"""What the user says of an export, what the source states, and the defaults: settled into one set of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError
from onscope.runtime.package import Step

from ._answer_settings import check_answer
from ._denormalise import way_back
from ._describe import About, check_about
from ._example import make_example
from ._original import OPSET, Array, FurtherInput, Stated
from ._plan import DTYPES, checked_example
from .frames import MOST_FRAMES, Given

MINIMUM, STEP = 16, 1
INPUT_NAME = "raw"
SIDE = 256
"""Height and width of a simulated example."""


@dataclass(frozen=True)
class Choices:
    """What the user says; None and what is empty: as the source states it, or else the default.

    `example` is a frame as the package is to take it, with the letters `axes`; without one a frame of `dtype` (uint16)
    is simulated. `pre` and `post` are the steps before the network and behind
    each of its outputs. Heights and widths are `minimum` + n * `step`, or with `fixed` the example's alone. `sizes` are
    the (y, x) at which parity is proven besides the example's. `frames` are the user's own for the same: arrays, or
    paths of images, stacks, folders and OME-Zarr, of which at most `max_frames` are used (`frames.read_frames`).
    `pixel_um` is the side of a pixel in the sample that the network was trained at: stages can `rescale` frames to it.
    `further` are the inputs beside the frame, in the network's order. With `batches` the description says that several
    images may be given at once, if they may; else one is. `force` writes a package that is not equal, and
    marks it.
    """

    example: Array | None = None
    axes: str = ""
    output_axes: Sequence[str] = ()
    input_name: str = ""
    output_names: Sequence[str] = ()
    channel_names: Sequence[str] = ()
    dtype: str = ""
    pre: Sequence[Step] | None = None
    post: Sequence[Sequence[Step]] | None = None
    minimum: int | None = None
    step: int | None = None
    fixed: bool | None = None
    sizes: Sequence[tuple[int, int]] = ()
    frames: Sequence[Given] = ()
    max_frames: int = MOST_FRAMES
    settings: Mapping[str, Any] = field(default_factory=dict)
    further: Sequence[FurtherInput] = ()
    name: str = ""
    description: str = ""
    authors: Sequence[str | Mapping[str, str]] = ()
    license: str | None = None
    documentation: str = ""
    cite: Sequence[Mapping[str, str]] = ()
    tags: Sequence[str] = ()
    pixel_um: float | None = None
    opset: int = OPSET
    batches: bool = False
    overwrite: bool = False
    force: bool = False


@dataclass(frozen=True)
class Settled:
    """Everything that an export needs to know, whoever said it; `example` is checked against `axes`."""

    about: About
    example: Array
    axes: str
    output_axes: tuple[str, ...]
    input_name: str
    output_names: tuple[str, ...]
    channel_names: tuple[str, ...]
    pre: tuple[Step, ...]
    post: tuple[tuple[Step, ...], ...]
    minimum: int
    step: int
    fixed: bool
    notes: tuple[str, ...]
    further: tuple[FurtherInput, ...]
    stated: Stated
    """What the source says, so far as nobody said otherwise: its own test output belongs to its own steps."""
    tried: bool = False
    """Whether minimum and step are nobody's word, and to be found by trying."""


def settled(choices: Choices, stated: Stated, folder: Path, route: str) -> Settled:
    """The user's word goes before the source's, and that before the default; raises ExportError."""
    axes = choices.axes or stated.axes or "bcyx"
    pre = tuple(stated.pre if choices.pre is None else choices.pre)
    fixed = bool(stated.fixed if choices.fixed is None else choices.fixed)
    settings, said = way_back(stated.settings, stated.output_names, choices.output_names, pre, choices.post)
    minimum, step = choices.minimum or stated.minimum or MINIMUM, choices.step or stated.step or STEP
    about = About(
        choices.name or stated.name or folder.name,
        choices.description or stated.description or f"Exported from {route}.",
        list(choices.authors) or list(stated.authors),
        choices.license or stated.license or None,
        choices.documentation or stated.documentation,
        list(choices.cite) or list(stated.cite),
        list(choices.tags) or list(stated.tags),
        {"decode": "image", **settings, **choices.settings},
        choices.pixel_um,
    )
    check_about(about)
    check_answer(about.settings)
    example = choices.example if choices.example is not None else stated.example
    if example is None:
        example = _simulated(axes, choices.dtype or stated.dtype or "uint16", stated)
    notes = [*stated.notes, *said]
    if stated.wordless and choices.pre is None:
        notes.append(
            "sources of this kind do not say what was done to images before the network: frames go to it as they are "
            "(--normalise says it, such as percentiles:1,99.8)"
        )
    if about.license is None:
        notes.append("no licence is stated: nobody else may use the package without asking (--license names one)")
    if stated.answers and not _as_stated(choices, stated):
        notes.append("the source's own test output was not compared: other frames, axes or steps were asked for")
        stated = replace(stated, answers=())
    return Settled(
        about,
        checked_example(example, axes, *((1, 1) if fixed else (minimum, step))),
        axes,
        tuple(choices.output_axes or stated.output_axes),
        choices.input_name or stated.input_name or INPUT_NAME,
        tuple(choices.output_names or stated.output_names),
        tuple(choices.channel_names or stated.channel_names),
        pre,
        tuple(map(tuple, stated.post if choices.post is None else choices.post)),
        minimum,
        step,
        fixed,
        tuple(notes),
        tuple(choices.further) or _beside(stated, choices.example is not None),
        stated,
        not fixed and {choices.minimum, choices.step, stated.minimum, stated.step} == {None},
    )


def _beside(stated: Stated, another: bool) -> tuple[FurtherInput, ...]:
    """The inputs beside the frame; beside another frame than the source's they are simulated."""
    return tuple(replace(one, example=None) for one in stated.further) if another else stated.further


def _as_stated(choices: Choices, stated: Stated) -> bool:
    steps = choices.pre is None and choices.post is None
    same = choices.example is None and not choices.further
    return steps and same and choices.axes in ("", stated.axes)


def _simulated(axes: str, dtype: str, stated: Stated) -> Array:
    if dtype not in DTYPES:
        raise ExportError(f"found frames of {dtype}, expected one of {', '.join(DTYPES)}: give an example")
    usual = {"c": max(1, len(stated.channel_names)), "y": SIDE, "x": SIDE}
    own = stated.shape if len(stated.shape) == len(axes) else (0,) * len(axes)
    return make_example(
        tuple(size or usual.get(letter, 1) for letter, size in zip(axes, own, strict=True)), dtype, axes
    )
