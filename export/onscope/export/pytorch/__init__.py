"""PyTorch, imported when it is used: networks that run and convert themselves."""

from ._checkpoint import is_network, refusal
from ._door import quiet, require_torch, run_network
from ._network import TorchNetwork
from ._program import TorchProgram
from ._program_file import read_program
from ._tensors import fill, read_tensors

__all__ = [
    "TorchNetwork",
    "TorchProgram",
    "fill",
    "is_network",
    "quiet",
    "read_program",
    "read_tensors",
    "refusal",
    "require_torch",
    "run_network",
]
