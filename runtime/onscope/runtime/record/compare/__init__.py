"""Two recordings of the same frames held against each other, bit by bit: a replay and what it replays, say."""

from ._as_recorded import as_recorded
from ._changes import changes_of
from ._compare import Comparison, StageComparison, compare

__all__ = ["Comparison", "StageComparison", "as_recorded", "changes_of", "compare"]
