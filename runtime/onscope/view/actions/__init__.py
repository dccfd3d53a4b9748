"""What viewers may ask a run to do, as functions for `View(actions=...)`: only what the run can."""

from ._can import Arms, Pauses, Swaps, Tunes
from ._fresh import Fresh, Pictured
from ._offered import Run, offered
from ._pausing import Pausing
from ._snapshots import Snap
from ._stopping import Stopping
from ._tuning import settings_of

__all__ = [
    "Arms",
    "Fresh",
    "Pauses",
    "Pausing",
    "Pictured",
    "Run",
    "Snap",
    "Stopping",
    "Swaps",
    "Tunes",
    "offered",
    "settings_of",
]
