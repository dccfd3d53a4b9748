"""A second worker while it is prepared beside the one in use: who looks after it may end it."""

from __future__ import annotations

from ._clock import now_ns
from .worker import WorkerLink


class Spare:
    """`link` leads to it. It is heard of by one thread, and given up by another (see Watchdog)."""

    def __init__(self, link: WorkerLink) -> None:
        self.link = link
        self.heard_ns = now_ns()
        """When it last said something."""
        self.why = ""
        """Why it was given up; empty: it was not."""

    @property
    def pid(self) -> int:
        return self.link.pid

    def heard(self) -> None:
        """It said something: it is at work."""
        self.heard_ns = now_ns()

    def give_up(self, why: str = "") -> None:
        """End it; whoever waits for what it says learns so."""
        self.why = self.why or why
        self.link.kill()
