"""What a route makes of its source: a network that runs in its own framework, and that becomes ONNX in its own way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from onscope.runtime import ExportError
from onscope.runtime.package import Step, Tolerance

if TYPE_CHECKING:
    from onnx import ModelProto

Array = npt.NDArray[Any]
OPSET, IR_VERSION = 20, 10
"""Read by ONNX Runtime, OpenVINO and TensorRT alike."""


@dataclass(frozen=True, slots=True)
class OutputForm:
    """How an output lies in its input: along an axis it has the input's size * scale + `offset` pixels, of which `halo`
    at either end are not to be trusted (both by letter); and what its channels are called."""

    offset: Mapping[str, int] = field(default_factory=dict)
    halo: Mapping[str, int] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FurtherInput:
    """An input beside the frame: a second image, a recurrent network's memory, numbers.

    `sizes`, one per letter of `axes`, are whole numbers, or Fractions of the frame's size along y and x (rounded down).
    `pre` leads from what comes in, of `dtype`, to what the network takes; `example` is before it, and beside the frame
    that is the example; without one it is simulated.
    """

    name: str
    axes: str
    sizes: tuple[int | Fraction, ...]
    dtype: str = "float32"
    pre: tuple[Step, ...] = ()
    channel_names: tuple[str, ...] = ()
    example: Array | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What a source says of itself; empty or None where it says nothing, so that the user or a default does.

    `axes` and `output_axes` are letters out of "bctzyxi" of the tensors that the network takes and gives; `dtype` is
    that of frames; `pre` leads from a frame to what the network takes, `post` from each output of the network to the
    package's, in BioImage.IO's words. Heights and widths are `minimum` + n * `step`. `example` is a frame of the
    source's own, with the letters `axes`. `settings` is config.onscope (decode and what belongs to it).
    """

    axes: str = ""
    input_name: str = ""
    output_axes: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    forms: tuple[OutputForm, ...] = ()
    """Of the outputs; none where they follow the input without offset and halo."""
    channel_names: tuple[str, ...] = ()
    dtype: str = ""
    pre: tuple[Step, ...] = ()
    post: tuple[tuple[Step, ...], ...] = ()
    wordless: bool = False
    """Whether sources of its kind have no word for what is done to frames before the network."""
    minimum: int | None = None
    step: int | None = None
    fixed: bool | None = None
    """Whether height and width are those of the example alone."""
    shape: tuple[int, ...] = ()
    """Sizes of a frame that it takes, one per letter of `axes` (0: any), for an example that is simulated."""
    example: Array | None = None
    answers: tuple[Array, ...] = ()
    """What the source says comes out for `example`, behind `post`; each within its `tolerances`."""
    tolerances: tuple[Tolerance, ...] = ()
    pad: Mapping[str, Any] = field(default_factory=dict)
    """How frames are padded, in BioImage.IO's words (mode, value)."""
    further: tuple[FurtherInput, ...] = ()
    """What the network takes beside the frame, in its order."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    description: str = ""
    authors: tuple[Mapping[str, str], ...] = ()
    license: str = ""
    cite: tuple[Mapping[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    documentation: str = ""
    notes: tuple[str, ...] = ()
    """What the user should know of the source, in sentences."""


class WantedInput(NamedTuple):
    """An input beside the frame, as `Wanted` has the frame."""

    name: str
    example: Array
    free: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ONNX that is asked for: for inputs such as `example`, whose axes of the numbers `free` may have any size.

    `free` goes from axis to name ("y", "x", "batch"); an axis that the network itself ties to one size stays fixed.
    `further` are the inputs beside it, for originals that have `SeveralInputs`.
    """

    example: Array
    free: Mapping[int, str]
    input_name: str
    output_names: Sequence[str]
    opset: int = OPSET
    further: Sequence[WantedInput] = ()


class Converted(NamedTuple):
    """An ONNX model, the exporter that made it, and what is worth knowing about the way."""

    model: ModelProto
    exporter: str
    notes: tuple[str, ...]


class Original(Protocol):
    """A network as its own framework has it.

    `route` says where it came from, in words for a report; `source_sha256` is the hash of its file (None: in memory; of
    several files: of their sorted lines "<sha256>  <relative path>\\n"); `parameters` the number of trained values;
    `tools` the distributions whose versions a report should name.
    """

    @property
    def route(self) -> str: ...
    @property
    def source_sha256(self) -> str | None: ...
    @property
    def parameters(self) -> int: ...
    @property
    def tools(self) -> tuple[str, ...]: ...
    @property
    def stated(self) -> Stated: ...

    def run(self, array: Array) -> list[Array]:
        """Its outputs for one input, on the CPU; raises ExportError when it fails, with the reason in one line."""
        ...

    def convert(self, wanted: Wanted) -> Converted:
        """The same as ONNX, tidied (`tidied`); raises ExportError with what could not be converted."""
        ...


@runtime_checkable
class SeveralInputs(Protocol):
    """An original that takes further inputs too, and whose `convert` heeds `Wanted.further`."""

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        """Its outputs for the frame and what lies beside it, in the network's order; as `Original.run`."""
        ...


def run_on(original: Original, arrays: Sequence[Array]) -> list[Array]:
    """`original` on the frame and its further inputs; raises ExportError where it knows none."""
    if len(arrays) == 1:
        return original.run(arrays[0])
    if not isinstance(original, SeveralInputs):
        raise ExportError(
            f"found {len(arrays)} inputs stated for {original.route}, expected one: of its kind networks of one input "
            "are exported, so state one, or export the network from PyTorch or ONNX"
        )
    return original.run_on(arrays)


def file_sha256(source: Path) -> str:
    """Hash of the source file; raises ExportError when it cannot be read."""
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"found no readable file at {source} ({error.strerror}), expected trained weights") from error


def folder_sha256(folder: Path, files: Sequence[Path]) -> str:
    """One hash for several files of a folder, whatever their order."""
    lines = sorted(f"{file_sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def one_line(text: object, most: int = 300) -> str:
    """The first words of a foreign error as one line."""
    words = str(text)
    if "Traceback of TorchScript" in words:  # the last line says what went wrong, pages before it say where
        words = words.strip().splitlines()[-1]
    line = " ".join(words.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def contiguous(array: Array) -> Array:
    """The array in one piece, as frameworks take it."""
    return np.ascontiguousarray(array)
