"""A package's own test tensors: what goes in before all steps, and what comes out after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .._errors import PackageError
from ._description import TensorDescription
from ._files import MAX_TENSOR_BYTES, checked_sha256, load_npy, member
from ._steps import last_dtype


def test_tensors(
    folder: Path,
    content: Mapping[str, Any],
    side: str,
    described: Sequence[TensorDescription],
    kept: Sequence[TensorDescription],
) -> tuple[Path, ...]:
    """The .npy files of the `kept` tensors of a `side` ("inputs" or "outputs"), hashes checked; none where one lacks.

    `described` are all tensors of that side, in the order of the description. Raises PackageError.
    """
    stated = content.get(f"test_{side}")  # format 0.4 lists the files beside the tensors
    entries = stated if isinstance(stated, list) else [tensor.get("test_tensor") for tensor in content[side]]
    by_name = {tensor.name: entry for tensor, entry in zip(described, entries, strict=False)}
    wanted = [by_name.get(tensor.name) for tensor in kept]
    if any(entry is None for entry in wanted):
        return ()
    paths = []
    for entry in wanted:
        path = member(folder, entry, f"test tensor of the {side}")
        checked_sha256(path, entry, f"test tensor of the {side}", MAX_TENSOR_BYTES)
        paths.append(path)
    return tuple(paths)


def load_test_tensor(path: Path, tensor: TensorDescription, side: str) -> npt.NDArray[Any]:
    """One test tensor; raises PackageError unless it has the described axes and dtype.

    Of tensors described as floats any numbers will do, as the format has it: the first step, or whoever compares,
    makes floats of them.
    """
    array = load_npy(path)
    dtype = described_dtype(tensor, side)
    fits = array.dtype.kind in "fiu" if dtype.startswith("float") else array.dtype == dtype
    if not fits or array.ndim != len(tensor.axes):
        raise PackageError(
            f"found {path.name} of {array.dtype} with {array.ndim} axes, expected {dtype} with "
            f"{len(tensor.axes)} for {tensor.name!r}: export it again"
        )
    return array


def described_dtype(tensor: TensorDescription, side: str) -> str:
    """NumPy name of what goes in before all steps ("input"), or comes out after them ("output")."""
    if side == "input":
        return last_dtype(tensor.steps[:1], tensor.dtype)
    return last_dtype(tensor.steps, tensor.dtype)
