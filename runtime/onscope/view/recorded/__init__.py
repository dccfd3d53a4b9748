"""A recording in the view: its frames and answers as they were, at its pace, or at the frame that a viewer chooses.

Nothing is computed again and nothing is written.
"""

from ._actions import playing
from ._player import Player
from ._recorded import Recorded
from ._stored import Stored, open_played

__all__ = ["Player", "Recorded", "Stored", "open_played", "playing"]
