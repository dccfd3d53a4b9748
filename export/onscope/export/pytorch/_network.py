"""A PyTorch module as an original: run by PyTorch on the CPU, converted by PyTorch's exporters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._original import Array, Converted, Stated, Wanted
from ._convert import to_onnx
from ._door import run_network

if TYPE_CHECKING:
    from torch import nn

TOOLS = ("torch", "onnxscript")


@dataclass(frozen=True)
class TorchNetwork:
    """A module in evaluation mode (an Original with SeveralInputs)."""

    network: nn.Module
    route: str = "a PyTorch network in memory"
    source_sha256: str | None = None
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    def run(self, array: Array) -> list[Array]:
        return self.run_on((array,))

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        return run_network(self.network, *arrays)

    def convert(self, wanted: Wanted) -> Converted:
        return to_onnx(self.network, wanted)
