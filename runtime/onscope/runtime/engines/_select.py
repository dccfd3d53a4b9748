"""From a provider's name to an open session, and the proof that an engine runs here: a small model and its numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import _plugins
from .._errors import ProviderError
from ._ahead import AheadOfTime, Built, Identified, Progress
from ._interface import Session
from ._lists import AUTO, ON_GPU, is_choice, providers_of


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """What came of running a small model on an engine."""

    name: str
    ok: bool
    detail: str


def open_session(graph: Path, provider: str = "auto", threads: int | None = None) -> Session:
    """Open an ONNX file on a provider; of several on the first that opens it.

    `threads` CPU threads, None: one per core. `auto` leaves GPUs out: a graph by itself comes without frames on which
    answers could be compared, as a run compares them before it takes one. Raises ProviderError when the engine is
    unknown, its packages are not installed, or it cannot run the graph; nothing is replaced silently.
    """
    if not is_choice(provider):
        return _open(graph, provider, threads)
    refusals = []
    for name in providers_of(provider):
        if provider == AUTO and name in ON_GPU:
            continue
        try:
            return _open(graph, name, threads)
        except ProviderError as refusal:
            refusals.append(f"{name}: {refusal}")
    raise ProviderError(
        f"found no engine that runs here ({'; '.join(refusals)}): install one, e.g. pip install 'onscope[cpu]'"
    )


def _open(graph: Path, provider: str, threads: int | None) -> Session:
    name = provider.partition(":")[0]
    try:
        session: Session = _engine(provider).open(graph, threads)
    except ModuleNotFoundError as missing:
        raise ProviderError(
            f"the provider {name!r} needs {missing.name}, which is not installed: pip install 'onscope[{name}]'"
        ) from missing
    return session


def made_for(graph: Path, provider: str) -> Mapping[str, str]:
    """What an engine's answers to an ONNX file depend on beside the file, as far as the engine tells it.

    Of those that are built ahead all that the built file is known by; empty where the engine tells nothing. Raises
    ProviderError.
    """
    engine = _engine(provider)
    return engine.made_for(graph) if isinstance(engine, Identified) else {}


def require_ahead(provider: str) -> None:
    """Raise ProviderError, before anything is compiled, unless engines can be built for that provider here."""
    _ahead(provider)


def build_ahead(graph: Path, provider: str, progress: Progress = lambda what, done, steps: None) -> Built:
    """Build what a provider opens an ONNX file from, or find that it was built.

    Raises ProviderError when the provider needs none or a part of it is missing, and KeyboardInterrupt on Ctrl-C.
    """
    return _ahead(provider).build(graph, progress)


def discard_built(graph: Path, provider: str) -> None:
    """Remove what was built for an ONNX file; raises ProviderError."""
    _ahead(provider).discard(graph)


def _ahead(provider: str) -> AheadOfTime:
    engine = _engine(provider)
    if not isinstance(engine, AheadOfTime):
        raise ProviderError(
            f"found the provider {provider!r}, which opens graphs as they are, expected tensorrt or tensorrt-ep: "
            "nothing has to be built for it"
        )
    return engine


def _engine(provider: str) -> Any:
    name, _, argument = provider.partition(":")
    return _plugins.load("onscope.engines", name, ProviderError)(argument)


@cache
def probe(name: str) -> EngineProbe:
    """Run a 3x3 mean over a ramp on the engine and compare with the numbers known beforehand."""
    ramp = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    try:
        with tempfile.TemporaryDirectory() as folder:
            graph = _write_mean(Path(folder) / "mean.onnx")
            engine = _engine(name)
            if isinstance(engine, AheadOfTime):
                engine.build(graph, lambda what, done, steps: None)
            session = open_session(graph, name)
            (answer,) = session.run([ramp])
    except ProviderError as refusal:
        return EngineProbe(name, False, str(refusal))
    error = float(np.abs(answer - ramp[:, :, 1:-1, 1:-1]).max())
    if error > 1e-4:
        return EngineProbe(name, False, f"its numbers are wrong by {error:.3g} on a 3x3 mean")
    return EngineProbe(name, True, f"ran a 3x3 mean, largest error {error:.1e}")


def probe_engines() -> list[EngineProbe]:
    """Try every engine that is registered."""
    return [probe(name) for name in sorted(_plugins.find("onscope.engines"))]


def _write_mean(path: Path) -> Path:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kernel = numpy_helper.from_array(np.full((1, 1, 3, 3), 1 / 9, np.float32), "kernel")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["frame", "kernel"], ["mean"])],
        "mean",
        [helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 1, 6, 6])],
        [kernel],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path
