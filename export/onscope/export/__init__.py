"""Networks trained elsewhere become packages, with proof that nothing changed. Frameworks are imported when used."""

from ._choices import Choices
from ._export import export_original
from ._export_torch import export_torch
from ._original import Converted, FurtherInput, Original, Stated, Wanted
from .proof import MAX_LIMIT, P999_LIMIT, Parity, Report, compare

__all__ = [
    "MAX_LIMIT",
    "P999_LIMIT",
    "Choices",
    "Converted",
    "FurtherInput",
    "Original",
    "Parity",
    "Report",
    "Stated",
    "Wanted",
    "compare",
    "export_original",
    "export_torch",
]
