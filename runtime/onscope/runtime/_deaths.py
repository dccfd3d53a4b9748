"""How often workers died: too often, and the next start would not fare better."""

from __future__ import annotations

from collections import deque

from ._clock import now_ns
from ._route import Route

DEATHS_OPENING = 2
"""So many deaths while it is opened, and a lane is refused."""
DEATHS, WITHIN_S = 3, 30.0
"""So many deaths in so short a time stop the retries."""


class Deaths:
    """The deaths of one runtime's workers."""

    def __init__(self) -> None:
        self.unready = 0
        """Since a lane was opened last."""
        self._times: deque[int] = deque(maxlen=DEATHS)

    def another(self, opening: Route | None, how: str) -> str:
        """One more, while a lane was `opening`; why there shall be no other worker (empty: there shall)."""
        if opening is not None and not opening.lane.ready:
            opening.deaths += 1  # it is one lane that kills it, and no reason to end the others
        else:
            self._times.append(now_ns())
        self.unready += 1
        if len(self._times) == DEATHS and self._times[-1] - self._times[0] < WITHIN_S * 1e9:
            return f"the worker died {DEATHS} times within {WITHIN_S:.0f} s ({how})"
        if opening is None and self.unready >= DEATHS:
            return f"the worker died {DEATHS} times before it was ready ({how})"
        return ""
