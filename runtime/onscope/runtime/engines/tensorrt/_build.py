"""A graph built into an engine by the `tensorrt` package itself: strongly typed, so that 10 and 11 do the same.

What is computed in which precision is what the graph says: fp16 weights and Q/DQ pairs are in the file. TF32, which
rounds the products of float32 convolutions to 10 bits and is on by default, is switched off: float32 is float32.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..._errors import ProviderError
from .._ahead import Progress
from ._library import complaint, logger, made
from ._monitor import monitor

NO_BUILDER = "found a TensorRT that cannot start on this machine, expected a GPU and a driver that it supports"
WAIT_S = 0.1


def serialised(trt: Any, graph: bytes, progress: Progress, timings: bytes = b"") -> tuple[bytes, bytes]:
    """The engine of an ONNX graph (in TensorRT's types), and what was measured on the way.

    Built in a thread, so that Ctrl-C is heard meanwhile: then the build ends at its next step, and KeyboardInterrupt
    is raised. Raises ProviderError when TensorRT cannot read or build the graph.
    """
    log = logger(trt)
    builder = made(trt.Builder, NO_BUILDER, log, log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(graph):
        raise ProviderError(f"found a graph that TensorRT {trt.__version__} cannot read: {_unread(parser, log)}")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    # A cache of another version is no error: it is begun anew.
    cache = config.create_timing_cache(timings) or config.create_timing_cache(b"")
    config.set_timing_cache(cache, False)
    stop = threading.Event()
    config.progress_monitor = monitor(trt, progress, stop)
    engine = _in_a_thread(lambda: builder.build_serialized_network(network, config), stop)
    if engine is None:
        raise ProviderError(f"found a graph that TensorRT {trt.__version__} cannot build: {complaint(log)}")
    measured = config.get_timing_cache()
    return bytes(engine), b"" if measured is None else bytes(measured.serialize())


def _unread(parser: Any, log: Any) -> str:
    """The parser's first error: the operator, and what is wrong with it."""
    if not parser.num_errors:
        return complaint(log)
    error = parser.get_error(0)
    words = " ".join(error.desc().split())[:300]
    return f"{error.node_operator()} {error.node_name()!r}: {words}" if error.node_operator() else words


def _in_a_thread(work: Callable[[], Any], stop: threading.Event) -> Any:
    """What `work` gives or raises; on Ctrl-C `stop` is set and waited for."""
    got: list[Any] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            got.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="onscope-tensorrt-build")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(WAIT_S)
    except KeyboardInterrupt:
        stop.set()
        thread.join()
        raise
    if raised:
        raise raised[0]
    return got[0]
