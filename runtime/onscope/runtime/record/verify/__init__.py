"""Verify: is a recording whole, unchanged, and what its own models give?"""

from ._elements import At, answer_elements, raw_elements
from ._looked import Progress
from ._report import Check, Report
from ._verify import verify

__all__ = ["At", "Check", "Progress", "Report", "answer_elements", "raw_elements", "verify"]
