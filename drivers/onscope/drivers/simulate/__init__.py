"""`onscope simulate`: data sets of simulated specimens, with their truth."""

from __future__ import annotations

from ._command import simulate

__all__ = ["simulate"]
