"""PyTorch, imported when it is used: networks that run and convert themselves."""

from ._door import quiet, require_torch, run_network
from ._network import TorchNetwork
from ._program import TorchProgram
from ._program_file import read_program

__all__ = ["TorchNetwork", "TorchProgram", "quiet", "read_program", "require_torch", "run_network"]
