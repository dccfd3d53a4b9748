"""Stands in for NVIDIA's cuda-bindings: the memory of a GPU that is the host's."""

__version__ = "13.5.0"
