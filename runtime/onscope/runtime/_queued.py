"""How full the runtime is at this moment."""

from __future__ import annotations

from ._live_path import LivePath


class Queued:
    """The part of `Runtime` that tells of its queue."""

    _path: LivePath

    @property
    def queue(self) -> tuple[int, int]:
        """Windows that wait, in the fullest camera's queue, and those that are in work; from any thread."""
        dispatcher = self._path.dispatcher
        with dispatcher.changed:
            waiting = max((len(route.lane.waiting) for route in dispatcher.routes.values()), default=0)
            return waiting, dispatcher.in_flight
