"""Networks trained elsewhere become packages, with proof that nothing changed. PyTorch is imported when it is used."""

from ._export import export_torch
from ._parity import MAX_LIMIT, P999_LIMIT, Parity, compare
from ._report import Report

__all__ = ["MAX_LIMIT", "P999_LIMIT", "Parity", "Report", "compare", "export_torch"]
