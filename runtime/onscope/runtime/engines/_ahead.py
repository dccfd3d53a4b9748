"""Engines whose graphs are built before they can be opened: what such an engine is, and what it built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how many of its steps are, and how many there are (0: unknown)."""


@dataclass(frozen=True, slots=True)
class Built:
    """An engine that lies on the disk, for one graph on one kind of GPU. `made_for` says what it fits and nothing else.

    `fresh`: built just now, in `seconds`; otherwise it lay there.
    """

    path: Path
    size_bytes: int
    fresh: bool
    seconds: float
    made_for: Mapping[str, str]


@runtime_checkable
class AheadOfTime(Protocol):
    """An engine that opens only what was built for it, so that nothing is built while frames come."""

    def build(self, graph: Path, progress: Progress) -> Built:
        """Build the ONNX file, or find that it was; raises ProviderError, and KeyboardInterrupt on Ctrl-C."""
        ...

    def discard(self, graph: Path) -> None:
        """Remove what was built for the ONNX file; raises ProviderError."""
        ...


@runtime_checkable
class Identified(Protocol):
    """An engine that tells what its answers to a graph depend on: the graph, the GPU, the driver, versions."""

    def made_for(self, graph: Path) -> Mapping[str, str]:
        """All of it, by name; raises ProviderError."""
        ...


class Keeper(Protocol):
    """An engine that keeps what it built in the cache, in files of `suffix`."""

    suffix: str

    def misfit(self, made_for: Mapping[str, str]) -> str:
        """Why something that was made for this cannot be opened on this GPU; empty: it can."""
        ...
