"""A compiled graph for batches of windows, from the cache or written there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from ..._cache_place import cache_folder
from ..._errors import PackageError, PipelineError
from .._cache import ROOM, cached, look_up
from .._types import Compiled


@dataclass(frozen=True, slots=True)
class Batched:
    """A compiled graph whose every input and output has one more axis in front: windows, as many as come.

    What it is called with stands in `single`, the graph of one window: the same inputs and outputs in the same order,
    by the same names, with the windows of a batch one behind the other. States are each window's own, so the windows of
    a batch are those of different streams: none of them can follow another. `sha256` is that of the file, `most` the
    windows that are run at once, `memory_mb` an upper estimate for so many (weights counted with each).
    """

    path: Path
    sha256: str
    single: Compiled
    most: int

    @property
    def memory_mb(self) -> float:
        return self.single.memory_mb * self.most


def batched(compiled: Compiled, *, most: int, cache: Path | None = None) -> Batched:
    """The graph for up to `most` windows at once, whose answers are those of as many runs of `compiled`, stacked.

    The file takes any number of windows; `most` is what the server is told, and what a proof goes up to. It is found in
    the cache (None: this user's) when it was written before. Raises PipelineError, one sentence, when an operator is
    not known to take windows apart, or sizes depend on pixels: windows are run one by one then. PackageError when the
    compiled graph is not the file that was written, or nothing can be written.
    """
    if most < 1:
        raise PipelineError(f"found batches of at most {most} windows, expected 1 or more: change the largest batch")
    made = cached(key_of(compiled), cache, lambda: _build(compiled))
    return Batched(made.path, made.sha256, compiled, most)


def is_batched(compiled: Compiled, *, cache: Path | None = None) -> bool:
    """Whether `batched` finds a whole entry in the cache, so that it takes no time; PackageError as there."""
    return look_up(key_of(compiled), cache_folder(ROOM) if cache is None else cache) is not None


def key_of(compiled: Compiled) -> str:
    """sha256 of all that a batched graph depends on: the graph of one window, and what it is rewritten to."""
    from ._pass import PASS

    return hashlib.sha256(f"windows {PASS}\n{compiled.sha256}".encode()).hexdigest()


def _build(compiled: Compiled) -> tuple[bytes, Compiled]:
    # Not imported for what lies in the cache already.
    import onnx

    from ._pass import rewrite

    try:
        content = compiled.path.read_bytes()
    except OSError as error:
        raise PackageError(f"cannot read {compiled.path}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != compiled.sha256:
        raise PackageError(
            f"found {compiled.path.name} changed since it was compiled, expected the file that was written: remove it, "
            "and compile again"
        )
    return rewrite(onnx.load_model_from_string(content)).SerializeToString(), replace(compiled)
