"""Frames out of somebody else's acquisition, and images of the stages back into it: what `Runtime`'s hooks do."""

from ._derived import Derived
from ._hooked import Hooked
from ._hooking import Hooking

__all__ = ["Derived", "Hooked", "Hooking"]
