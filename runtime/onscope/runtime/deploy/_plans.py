"""TensorRT's plans of compiled graphs, where `onscope build` has built them on this machine."""

from __future__ import annotations

from pathlib import Path

from .._errors import ProviderError
from ..engines import kept_engines
from ..graph import Compiled


def plan_of(compiled: Compiled) -> Path:
    """The plan that was built natively for a graph last; raises ProviderError when there is none."""
    for kept in kept_engines():
        if kept.made_for.get("graph") == compiled.sha256 and kept.path.suffix == ".engine" and not kept.why_not:
            return kept.path
    raise ProviderError(
        f"found no plan of {', '.join(compiled.stages)} for this machine's GPU, expected one that `onscope build "
        "--provider tensorrt` has built for frames of this size: build it on a machine with the server's GPU, driver "
        "and TensorRT, or let the server's ONNX Runtime run the graph (--backend onnxruntime)"
    )
