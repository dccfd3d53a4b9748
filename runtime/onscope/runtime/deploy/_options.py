"""How a repository's models are run by the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .._errors import PipelineError

Backend = Literal["onnxruntime", "tensorrt", "python"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
Kind = Literal["auto", "gpu", "cpu"]


@dataclass(frozen=True, slots=True)
class Options:
    """`backend` runs the graphs: `onnxruntime`, `tensorrt` (plans that `onscope build` has built here, for such a GPU),
    or `python` (ONNX Runtime in a model of Triton's Python back end, for servers that have no other).

    `instances` of each model on each GPU (or on the CPU: `kind`); `batch` windows of different microscopes at most in
    one run (1: none), for which the first waits at most `delay_us`; `priorities` classes of microscopes, of which 1
    comes first and the last is usual, each with models of its own; `sequences` of recurrent networks at once, each kept
    for `idle_s` seconds after its last window.
    `accelerator` lets ONNX Runtime use TensorRT on the server, which builds its engines when it loads the model.
    Raises PipelineError for numbers that make no sense.
    """

    backend: Backend = "onnxruntime"
    kind: Kind = "auto"
    instances: int = 1
    batch: int = 1
    delay_us: int = 500
    priorities: int = 1
    sequences: int = 256
    idle_s: float = 3600.0
    accelerator: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (
            ("instances", 1, 64),
            ("batch", 1, 256),
            ("delay_us", 0, 1_000_000),
            ("priorities", 1, 4),
            ("sequences", 1, 65_536),
            ("idle_s", 1, 7 * 86_400),
        ):
            if not least <= getattr(self, name) <= most:
                raise PipelineError(f"found {name} {getattr(self, name):g}, expected {least} to {most}")
        if self.backend not in BACKENDS:
            raise PipelineError(f"found the back end {self.backend!r}, expected one of {', '.join(BACKENDS)}")
        if self.accelerator and self.backend != "onnxruntime":
            raise PipelineError("found an accelerator for a back end that has none, expected the back end onnxruntime")
