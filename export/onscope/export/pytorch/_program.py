"""A torch.export program as an original: run by PyTorch on the CPU, converted by the exporter it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._original import Array, Converted, Stated, Wanted, one_line
from .._tidy import tidied
from ._convert import DYNAMO, FAILURES, program_to_onnx, root, to_onnx
from ._door import quiet, run_network
from ._network import TOOLS

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


@dataclass(frozen=True)
class TorchProgram:
    """A program (an Original with SeveralInputs); `module` is what runs, with the program's own guards on sizes."""

    program: ExportedProgram
    module: nn.Module
    route: str
    source_sha256: str
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.program.parameters())

    def run(self, array: Array) -> list[Array]:
        """As `run_on`."""
        return self.run_on((array,))

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        """As `run_network`; a guard that fails is the program's own word that it does not take that size."""
        return run_network(self.module, *arrays)

    def convert(self, wanted: Wanted) -> Converted:
        """Its free axes are those that the program was exported with; one that is wanted beyond them is refused.

        Where the exporter fails on the program (torch 2.13 does on sizes such as 2 * y), its module is exported anew.
        """
        try:
            with quiet():
                return Converted(
                    tidied(program_to_onnx(self.program, wanted), wanted.free, wanted.opset, wanted.further), DYNAMO, ()
                )
        except FAILURES as error:
            why = f"torch.export failed on the program itself ({one_line(root(error), 160)}): its module was exported"
        with quiet():
            module = self.program.module(check_guards=False)
        again = to_onnx(module, wanted)
        return again._replace(notes=(why, *again.notes))
