"""The live view in a notebook: the newest raw frame and its answers side by side, as they are or as they come."""

from ._live import LiveShow, live
from ._picture import Panel, Shown, shown
from ._show import show

__all__ = ["LiveShow", "Panel", "Shown", "live", "show", "shown"]
