"""Proof that an export is equal to its original: the comparison, and its account."""

from ._parity import MAX_LIMIT, P999_LIMIT, Parity, compare, span
from ._report import Report

__all__ = ["MAX_LIMIT", "P999_LIMIT", "Parity", "Report", "compare", "span"]
