"""PyTorch, imported when it is used: networks that run and convert themselves."""

from ._door import quiet, require_torch, run_network
from ._network import TorchNetwork

__all__ = ["TorchNetwork", "quiet", "require_torch", "run_network"]
