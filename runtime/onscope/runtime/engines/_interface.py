"""What an engine is: it opens an ONNX graph, and the session runs lists of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

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


class Stayed(Protocol):
    """An output that stays where it was computed, such as a recurrent network's memory on a GPU.

    It may be given to the same session as an input, any number of times, until it is dropped: its memory is used again
    when nobody holds it any more.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def fetch(self) -> Array:
        """A copy in the host's memory; waits for what computes it."""
        ...


class Pending(Protocol):
    """A window whose work was begun."""

    stayed: Sequence[Stayed]
    """Its outputs that stay, in the order of `Staged.stay`: they may be given to the session's next windows at once."""

    def wait(self) -> list[Array]:
        """The other outputs in the graph's order, once they are there; called once.

        The arrays are the caller's until `depth` more windows were begun. Raises ProviderError when the engine failed.
        """
        ...


@runtime_checkable
class Staged(Protocol):
    """A session whose work is done elsewhere while Python goes on, such as a GPU's: it can have `depth` windows begun.

    `run` of such a session is `start(arrays).wait()`. Used by one thread at a time; windows end in the order in which
    they were begun.
    """

    provider: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    depth: int

    def run(self, arrays: Sequence[Array | Stayed]) -> list[Array]:
        """See Session; everything comes back as an array."""
        ...

    def start(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None] | None = None) -> Pending:
        """Begin with a window; `depth` may be begun and not waited for, one more waits for the oldest.

        `keys` say who each input is (None: nobody in particular): one whose key was given in one of the last windows
        is still there and is not sent again. A key means the same array contents for as long as the session lasts.
        The arrays must not be changed until `wait` has returned. Raises ProviderError.
        """
        ...

    def stay(self, outputs: Sequence[int]) -> None:
        """From now on these outputs of windows that are begun are not brought back, but given as `Pending.stayed`."""
        ...

    def lie_in(self, memory: Array) -> None:
        """The arrays that are given will lie in this memory (one dimension of uint8): it is made ready for copies to
        go straight from there where that is possible. Never raises for memory that cannot be made so."""
        ...


@runtime_checkable
class Shares(Protocol):
    """A session whose work is done by another process, which can read frames where they lie in shared memory."""

    def lie_in_shared(self, segment: str, memory: Array) -> None:
        """As `Staged.lie_in`; the memory is the whole of the shared-memory segment of that name. Never raises."""
        ...


@runtime_checkable
class Far(Protocol):
    """A staged session whose windows take their time on the way to a server, not on this machine: several are worth
    having under way, however long they take. Its `Pending` have `came`: whether `wait` would return at once."""

    woken: Callable[[], object]
    """Is called, from any thread, whenever a window has come."""


class Engine(Protocol):
    """Built with the argument of the provider's name (`null:200` -> "200"), opens graphs."""

    def __init__(self, argument: str = "") -> None: ...

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """Open the ONNX file on `threads` CPU threads (None: one per core); raises ProviderError."""
        ...


def check_arrays(inputs: tuple[TensorSpec, ...], arrays: Sequence[Array | Stayed]) -> None:
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
