"""The box's clock, told in ours, with how far it may be wrong."""

from ._clock import OtherClock

__all__ = ["OtherClock"]
