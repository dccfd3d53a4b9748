"""A long run at a camera's rate: is memory constant, is latency, and is every frame accounted for and intact?"""

from ._run import Plan, soak
from ._verdict import Verdict, judge

__all__ = ["Plan", "Verdict", "judge", "soak"]
