"""Compiled graphs as the worker runs them: frames, the host's scalars, one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from onscope.runtime import Package, Stage
from onscope.runtime._frame import Pixels
from onscope.runtime.engines import Session, open_session
from onscope.runtime.graph import HostScalars, Normalise, Raw, StageRequest, Tiled, compile_group

from ._profiled import Profiled


def request(
    package: Package,
    name: str = "stage",
    reads: str = "frame",
    normalise: Normalise = "per_frame",
    tile: int | None = None,
) -> StageRequest:
    """The compilation of one stage that runs a package."""
    return Stage(name, package, reads, normalise=normalise, tile=tile).request


class CompiledGraph:
    """Stages compiled into one graph for frames like `raw`, opened on a provider.

    `opened` makes another session of the file, for graphs that take the whole frame.
    """

    def __init__(
        self,
        stages: Sequence[StageRequest],
        raw: Raw,
        cache: Path,
        provider: str = "cpu",
        threads: int | None = None,
        opened: Callable[[Path], Profiled] | None = None,
    ) -> None:
        self.compiled = compile_group(stages, raw, cache=cache)
        self.session: Session | Profiled
        if opened is not None:
            self.session = opened(self.compiled.path)
        else:
            session = open_session(self.compiled.path, provider, threads)
            self.session = Tiled(session, self.compiled, raw) if self.compiled.tiling else session
        self._scalars = HostScalars(self.compiled.scalars, raw)

    def run(self, *window: Pixels) -> list[Pixels]:
        """The answers for the frames of one window; valid until the next call."""
        return self.session.run([*window, *self._scalars.values(window)])


def square(size: int) -> Raw:
    """Single frames of uint16."""
    return Raw((size, size), "uint16")
