"""A bare ONNX file, looked through as untrusted input before anything opens it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import inspect_onnx, one_file

from .._example import MAX_VALUES
from .._original import FurtherInput, file_sha256, folder_sha256, one_line
from ._beside import MOST_INPUTS
from ._constants import refuse_large_constants
from ._graph import dims_of, framed, inputs_of, nodes_of, plain
from ._network import OnnxNetwork
from ._probe import probed

TAKEN = {
    "uint8": "uint8", "uint16": "uint16", "float32": "float32", "float16": "float32", "float64": "float32",
    "int32": "uint16", "int64": "uint16", "uint32": "uint16", "uint64": "uint16",
}  # fmt: skip
"""Pixels that a network's input can hold, by its dtype."""
WIDENED = ("float16", "float64")
"""Outputs that become float32 where the input does: no frame has such numbers."""
NUMBERS = "biuf"
"""Kinds of dtypes that an output may have."""


def open_onnx(
    source: Path, route: str = "", axes: str = "", sizes: Sequence[int] = (), further: Sequence[FurtherInput] = (),
    outputs: int | None = None,
) -> OnnxNetwork:  # fmt: skip
    """The network of an ONNX file of any opset from 9 on, with its weights in it or in one file beside it.

    Its first input takes the frames. `axes` and `sizes` (0: any) are that input's where something else than the file
    states them, `further` the others; of its outputs the first `outputs` are taken (None: all). It is run at some
    small sizes to find out which it takes. Raises ExportError: what it is instead (a pickle, a .zip, HDF5, a truncated
    file), operators of foreign libraries, data outside of its folder, absurd sizes, inputs that hold no pixels, an
    output that is no tensor of numbers, a run that does not end.
    """
    import onnx

    digest = file_sha256(source)
    try:
        path, files = one_file(source)
        ports = inspect_onnx(path)
    except PackageError as error:
        raise ExportError(str(error)) from error
    if not 1 <= len(ports.inputs) <= MOST_INPUTS:
        raise ExportError(
            f"found {len(ports.inputs)} inputs in {source.name}, expected 1 to {MOST_INPUTS}, the first of which takes "
            "the frames: export the network with the others as constants"
        )
    for port in ports.inputs:
        if port.dtype not in TAKEN or not port.rank or (port.rank < 2 and port is ports.inputs[0]):
            raise ExportError(
                f"found that {source.name} takes {port.dtype} of {port.rank} axes ({one_line(port.name, 80)}), "
                "expected numbers such as float32 with axes that are stated, of the first input y and x among them: "
                "export it again"
            )
    for port in ports.outputs[:outputs]:
        if not _is_number(port.dtype):
            raise ExportError(
                f"found that the output {one_line(port.name, 80)} of {source.name} is {port.dtype}, expected a tensor "
                "of numbers: export the network without it"
            )
    if len(files) > 1:
        digest = folder_sha256(files[0].parent, files)
    model = onnx.load(path)
    del model.graph.output[len(ports.outputs[:outputs]) :]
    declared = dims_of(inputs_of(model)[0])
    if axes and len(axes) != len(declared):
        raise ExportError(f"found {len(declared)} axes in {source.name}, expected {len(axes)}: {axes}")
    most = max((declared, tuple(sizes)), key=_values)
    if _values(most) > MAX_VALUES:
        raise ExportError(
            f"found an input of {'x'.join(str(size or '?') for size in most)} in {source.name}, expected at most "
            f"{MAX_VALUES} values: this is no network for live use"
        )
    for port in ports.inputs:
        if not any(port.name in node.input for node in nodes_of(model.graph)):
            raise ExportError(
                f"found that {source.name} does not use its input {one_line(port.name, 80)}, expected a network: "
                "export it again"
            )
    refuse_large_constants(model, source.name)
    takes = tuple(TAKEN[port.dtype] for port in ports.inputs)
    cast = [port for port, taken in zip(ports.inputs, takes, strict=True) if port.dtype != taken]
    if cast:
        # The casts are the file's from here on, so that engines round the same way before and after the export.
        model = plain(model)
        names = [value.name for value in model.graph.output]
        framed(model, [port.name for port in ports.inputs], takes, names, WIDENED)
    found = probed(model, takes, axes, sizes, further)
    route = route or f"the ONNX file {source.name}"
    notes = [
        f"its input {f'{one_line(port.name, 80)} ' if len(takes) > 1 else ''}is {port.dtype}, to which "
        f"{TAKEN[port.dtype]} is cast in the graph"
        for port in cast
    ]
    return OnnxNetwork(model, found, takes, route, digest, tuple(notes))


def _is_number(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in NUMBERS
    except TypeError:  # sequences, maps, and numbers that NumPy does not have
        return False


def _values(sizes: Sequence[int]) -> int:
    return math.prod(size for size in sizes if size)
