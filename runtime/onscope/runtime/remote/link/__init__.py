"""The PC's end: a worker link whose worker is on another machine."""

from ._box import Box
from ._desk import CREDIT
from ._link import RemoteLink

__all__ = ["CREDIT", "Box", "RemoteLink"]
