"""What an engine is: it opens an ONNX graph, and the session runs lists of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .._errors import ProviderError

Array = npt.NDArray[Any]
WARM_UPS = 3
"""Part of the contract: a session's first runs, so many, are on empty frames, and only those after them count."""
MISFIT = "the graph cannot take this frame"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A graph's input or output: name, shape (None: free) and NumPy dtype name."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Session(Protocol):
    """A graph opened on one provider. Used by one thread at a time."""

    provider: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Outputs in the graph's order for inputs in the graph's order.

        The arrays given must not be changed while it runs; those returned are the caller's until the next call.
        Raises ProviderError when the engine refuses the arrays or fails.
        """
        ...


class Engine(Protocol):
    """Built with the argument of the provider's name (`null:200` -> "200"), opens graphs."""

    def __init__(self, argument: str = "") -> None: ...

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """Open the ONNX file on `threads` CPU threads (None: one per core); raises ProviderError."""
        ...


def check_arrays(inputs: tuple[TensorSpec, ...], arrays: Sequence[Array]) -> None:
    """Raise ProviderError unless the arrays fit the graph's inputs."""
    if len(arrays) != len(inputs):
        raise ProviderError(f"{MISFIT}: found {len(arrays)} arrays, expected {len(inputs)}")
    for spec, array in zip(inputs, arrays, strict=True):
        fits = len(array.shape) == len(spec.shape) and all(
            want is None or want == have for want, have in zip(spec.shape, array.shape, strict=True)
        )
        if not fits or array.dtype != np.dtype(spec.dtype):
            want = "x".join("?" if size is None else str(size) for size in spec.shape)
            have = "x".join(map(str, array.shape))
            raise ProviderError(f"{MISFIT}: found {have} {array.dtype} for {spec.name!r}, expected {want} {spec.dtype}")
