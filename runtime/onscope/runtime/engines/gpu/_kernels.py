"""What an engine gives to a session on a GPU: work between fixed addresses, begun on a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Kernels(Protocol):
    """A graph's kernels. Sets of addresses are bound once, by number, and then launched any number of times."""

    capturable: bool
    """Whether what `launch` begins may be recorded into a CUDA graph by the caller."""
    told: list[str]
    """What the user should know of how it was opened."""

    def bind(self, number: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """The addresses of a set, in the order of the graph's inputs and outputs."""
        ...

    def launch(self, number: int) -> None:
        """Begin with a set's work on the device's stream for computing; raises ProviderError."""
        ...

    def close(self) -> None:
        """Let go of what works on the device's streams, which are ended after it."""
        ...
