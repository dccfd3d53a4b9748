"""The gate: what no model and no rule passes by. Actions against limits, rates, age and light budgets."""

from ._checks import CHECKS
from ._gate import Gate
from ._limited import settled, tighten

__all__ = ["CHECKS", "Gate", "settled", "tighten"]
