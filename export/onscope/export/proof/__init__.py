"""Proof that an export is equal to its original: the comparison, its account and its picture."""

from .._agreement import span
from ._answers import LABELLING, Answers, answers, labelled
from ._errors import Errors
from ._metrics import Metric, metrics, share_of_change
from ._parity import MAX_LIMIT, P999_LIMIT, Parity, compare
from ._picture import draw_picture
from ._proof import Proof
from ._report import OWN, PICTURE, Report, account

__all__ = [
    "LABELLING",
    "MAX_LIMIT",
    "OWN",
    "P999_LIMIT",
    "PICTURE",
    "Answers",
    "Errors",
    "Metric",
    "Parity",
    "Proof",
    "Report",
    "account",
    "answers",
    "compare",
    "draw_picture",
    "labelled",
    "metrics",
    "share_of_change",
    "span",
]
