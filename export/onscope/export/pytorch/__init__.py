"""PyTorch, imported when it is used: networks that run and convert themselves."""

from ._checkpoint import is_network, refusal
from ._door import quiet, require_torch, run_network
from ._network import TorchNetwork
from ._program import TorchProgram
from ._program_file import read_program
from ._state import fill
from ._tensors import read_tensors, refuse_bomb

__all__ = [
    "TorchNetwork",
    "TorchProgram",
    "fill",
    "is_network",
    "quiet",
    "read_program",
    "read_tensors",
    "refusal",
    "refuse_bomb",
    "require_torch",
    "run_network",
]
