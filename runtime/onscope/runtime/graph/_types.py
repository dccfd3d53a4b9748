"""What goes into a compilation and what comes out of it: frozen plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ..package import Step, TensorDescription

Normalise = Literal["per_frame", "frozen", "running", "shared"]
"""Whose statistics a stage's steps use: each window's own; those of the first n windows (no flicker: for quantitative
live imaging); a running mean of the windows' own; or those of the raw frame, shared down the chain."""


@dataclass(frozen=True, slots=True)
class StageRequest:
    """One stage to be compiled. `reads` is "frame" or the name of an earlier stage, whose (first) image it takes.

    `tile` is the largest side in pixels that the network is run on at once (None: the full frame). `frozen_frames`
    is how many windows `normalise="frozen"` looks at, `rescale` whether frames are brought to the pixel size that the
    package was trained at. Of crops (`Raw`) "per_crop" are each one's own statistics, the others those of the frame.
    """

    name: str
    weights: Path
    weights_sha256: str
    package_sha256: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    reads: str = "frame"
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    normalise: Normalise | Literal["per_crop"] = "per_frame"
    frozen_frames: int = 10
    tile: int | None = None
    rescale: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """The frames that a graph takes: a FrameSpec's shape, dtype and axes ("yx" or "yxs"), and how many are a window.

    `letter` says what the window's frames are to the network: "t" (time points), "z" (a stack), "c" (channels) or "i"
    (an index, such as the phases of structured illumination). `target` is the frame that the answer belongs to, the
    one that a stage without such an axis reads. With the axes "nyx" or "nyxs" each of them is n crops of a frame, which
    become the network's batch.
    """

    shape: tuple[int, ...]
    dtype: str
    axes: str = "yx"
    length: int = 1
    letter: Literal["t", "z", "c", "i"] = "t"
    target: int = -1
    pixel_size_um: float | None = None


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number of a tensor as it comes, before any step: what BioImage.IO's steps normalise with.

    `keeps` are the axes (ids of the own tensor's axes) along which the values differ; empty: one number of all.
    `method` (percentiles) is NumPy's: `linear` for scale_range, `inverted_cdf` for clip. `percentile` is 0 to 100.
    `tensor` is the input tensor that it is taken of (a reference tensor's name); "": the step's own.
    `part`: a float32 holds no more than 24 bits, and 40000.3 of a stack that spans ten counts needs more, so the
    `value` is the float32 nearest the statistic, and the `rest` (statistic - value, float32 too) what that left out.
    """

    kind: Literal["percentile", "mean", "std"]
    percentile: float = 0.0
    method: Literal["linear", "inverted_cdf"] = "linear"
    keeps: tuple[str, ...] = ()
    tensor: str = ""
    part: Literal["value", "rest"] = "value"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A statistic of the raw frames of a window that the host computes and hands over as an input of the graph.

    `input` is the input's name, float32 of the shape `shape` (ready to be broadcast). `per` says along which axis of
    the raw frames its values differ: "" (one value), "s" (samples of RGB pixels) or "w" (frames of the window).
    `frames` are the numbers of the window's frames that it is about, `gain` and `offset` turn a value of raw counts
    into one of calibrated counts (value * gain + offset).
    """

    input: str
    stage: str
    statistic: Statistic
    shape: tuple[int, ...]
    per: Literal["", "s", "w"] = ""
    frames: tuple[int, ...] = (0,)
    normalise: Normalise = "per_frame"
    frozen_frames: int = 10
    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """A recurrent network's memory: the graph's output `output` is its input `input` of the next window."""

    stage: str
    input: str
    output: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One output of a graph that a stage's decoder reads. `shape` is the described one, None where it varies.

    `tensor` is the package's name of it; a stage of several outputs has several answers, the first is its image.
    `decoded` are steps of its postprocessing after the graph, which are no graph operations (stardist_postprocessing,
    cellpose_flow_dynamics, and all that follow them): the decoder's.
    """

    stage: str
    tensor: str
    output: str
    axes: tuple[str, ...]
    dtype: str
    shape: tuple[int | None, ...]
    decoded: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the report: `kind` is what was done with `what` of `stage`, and `why` or with which numbers."""

    kind: Literal["fused", "merged", "padded", "tiled", "outside", "rescaled", "calibrated", "warning"]
    stage: str
    what: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a frame is cut: the graph takes pieces of `tile` pixels (y, x), halo included, `batch` of them at a time.

    They lie inside the frame and begin at multiples of `period` pixels; neighbours overlap by 2 * `halo` pixels at
    least. `exact` says that the halo covers the receptive field and that every piece is treated as the full frame is,
    so that the answers are the same; otherwise `why` says what differs. `blended`: the halo does not cover the field,
    and answers fade from one tile to the next. `scales` are how many pixels of each answer (in their order) one pixel
    makes along y and x.
    """

    tile: tuple[int, int]
    halo: tuple[int, int]
    period: tuple[int, int] = (1, 1)
    batch: int = 1
    exact: bool = True
    why: str = ""
    blended: bool = False
    scales: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled graph: one ONNX file from raw counts to answers, and how it is to be called.

    Its inputs are, in this order: the window's frames (`frames` many, each of the raw shape and dtype), `scalars`,
    `states`; its outputs `answers`, then `states`. `memory_mb` is the estimated peak of one run. `sha256` is that of
    the file. With `tiling` the graph takes tiles, `tiling.batch` at a time, instead of whole frames: answers have the
    shapes that they are put together to, and states one more axis in front, the runs that a frame takes.
    """

    path: Path
    sha256: str
    stages: tuple[str, ...]
    frames: int
    scalars: tuple[Scalar, ...] = ()
    states: tuple[State, ...] = ()
    answers: tuple[Answer, ...] = ()
    notes: tuple[Note, ...] = ()
    tiling: Tiling | None = None
    memory_mb: float = 0.0
    opset: int = 21
    ir_version: int = 10
