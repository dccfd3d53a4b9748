"""Compiled graphs for servers that batch: one more axis in front of every input and output, the same answers."""

from ._batched import Batched, batched, is_batched

__all__ = ["Batched", "batched", "is_batched"]
