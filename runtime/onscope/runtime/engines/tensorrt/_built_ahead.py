"""What both ways to TensorRT have in common: engines are built, or found by what they fit; never both at once."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..._errors import ProviderError
from .._ahead import Built, Progress
from .._interface import Session
from ..gpu import gpu
from ._dialect import translated
from ._made_for import GraphFile, made_for, made_for_machine, read_graph
from ._store import discard, keep_engine, look_up

if TYPE_CHECKING:
    from onnx import ModelProto


class BuiltAhead(ABC):
    """An engine (AheadOfTime) for one GPU; `argument` is its number. Raises ProviderError where a part is missing."""

    name: str
    suffix: str
    """Of the files that are built."""

    def __init__(self, argument: str = "") -> None:
        if argument and not argument.isdecimal():
            raise ProviderError(
                f"found the provider '{self.name}:{argument}', expected {self.name!r}, or a GPU's number: {self.name}:1"
            )
        self._provider = f"{self.name}:{argument}" if argument else self.name
        self._versions = self._library()
        self._gpu = gpu(int(argument or 0))

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """The graph's engine from the cache; nothing is built here. Raises ProviderError when it is not there."""
        file = read_graph(graph)
        for_this = self._made_for(file)
        path = look_up(for_this, self.suffix)
        if path is None:
            translated(file.model)  # where none can be built this says why
            raise ProviderError(
                f"found no engine for {for_this['inputs']} in {for_this['precision']} on {for_this['gpu']} (driver "
                f"{for_this['driver']}, TensorRT {for_this['tensorrt']}), expected one that was built before frames "
                f"come: `onscope build PACKAGE --provider {self._provider} --shape HxW --precision "
                f"{for_this['precision']}`"
            )
        return self._opened(path, file)

    def build(self, graph: Path, progress: Progress) -> Built:
        """The graph's engine: from the cache, else built, which takes from seconds to many minutes."""
        file = read_graph(graph)
        for_this = self._made_for(file)
        path = look_up(for_this, self.suffix)
        if path is not None:
            return Built(path, path.stat().st_size, False, 0.0, for_this)
        began = time.perf_counter()
        content = self._made(translated(file.model).model, for_this, progress)
        path = keep_engine(for_this, self.suffix, content)
        return Built(path, len(content), True, time.perf_counter() - began, for_this)

    def discard(self, graph: Path) -> None:
        """Remove the graph's engine."""
        discard(self._made_for(read_graph(graph)), self.suffix)

    def made_for(self, graph: Path) -> dict[str, str]:
        """All that the graph's engine is known by."""
        return self._made_for(read_graph(graph))

    def misfit(self, made_for: Mapping[str, str]) -> str:
        """Why an engine that was made for this does not fit this GPU; empty: it does."""
        here = made_for_machine(self._gpu, **self._versions)
        for name, value in here.items():
            if made_for.get(name) != value:
                return f"it is for the {name} {made_for.get(name, 'of another kind')}, here is {value}"
        return ""

    def _made_for(self, file: GraphFile) -> dict[str, str]:
        return made_for(file.known_by, self._gpu, **self._versions)

    @abstractmethod
    def _library(self) -> dict[str, str]:
        """The versions that an engine is made for; raises ProviderError where a library is missing."""

    @abstractmethod
    def _opened(self, path: Path, file: GraphFile) -> Session:
        """The graph's engine, which lies at `path`, opened."""

    @abstractmethod
    def _made(self, model: ModelProto, for_this: dict[str, str], progress: Progress) -> bytes:
        """A graph in TensorRT's types, built."""
