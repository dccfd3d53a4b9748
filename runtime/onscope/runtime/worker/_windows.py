"""Windows of all lanes, answered in the order in which they come; several are begun where engines allow it."""

from __future__ import annotations

from collections import deque

from .._clock import now_ns
from .._errors import DeviceLostError, OnscopeError
from ._messages import Message, WorkerEnd
from ._open_lane import OpenLane
from ._runs import UnderWay


class Windows:
    """What the worker has begun and not answered yet, the oldest first."""

    def __init__(self, link: WorkerEnd) -> None:
        self._link = link
        self.begun: deque[tuple[OpenLane, Message, int, UnderWay | Exception]] = deque()

    def run(self, lane: OpenLane, message: Message) -> None:
        """Begin with a window, and finish what has to be finished for that, or needs no more time."""
        while self.begun and not lane.has_room(message):
            self.finish_one()
        started = now_ns()
        begun: UnderWay | Exception
        try:
            begun = lane.begin(message)
        except (OnscopeError, OSError) as error:  # told in its turn
            begun = error
        self.begun.append((lane, message, started, begun))
        if lane.ways.depth == 1:
            self.finish_all()

    @property
    def can_take_more(self) -> bool:
        """Whether the oldest is still on its way to a server, and another may be sent meanwhile: the link is woken when
        it is back. What this machine computes is waited for."""
        lane, message, _, begun = self.begun[0]
        return not isinstance(begun, Exception) and not begun.came and lane.has_room(message)

    def finish_one(self) -> None:
        """Finish the oldest window, and say what came of it."""
        self._link.send(_finished(*self.begun.popleft()))

    def finish_all(self) -> None:
        while self.begun:
            self.finish_one()


def _finished(lane: OpenLane, message: Message, started: int, begun: UnderWay | Exception) -> Message:
    try:
        if isinstance(begun, Exception):
            raise begun
        shapes, stamps = lane.finish(message, begun)
    except (OnscopeError, OSError) as error:
        return {
            "kind": "failed",
            "window": message["window"],
            "message": str(error),
            "warnings": lane.chain.warned(),
            "lost": lane.chosen.provider if isinstance(error, DeviceLostError) else "",
        }
    return {
        "kind": "done",
        "window": message["window"],
        "reset": lane.chain.began_anew,
        "warnings": lane.chain.warned(),
        "frozen": lane.chain.frozen() if message.get("way", 0) == 0 else [],
        "numbers": lane.chain.numbers.all,
        "parameters": lane.ways.parameters(message.get("level")),
        "trust": lane.chain.watches.trust,
        "suspect": lane.chain.watches.suspect,
        "shapes": shapes,
        "started": started,
        "stages": stamps,
        "finished": now_ns(),
    }
