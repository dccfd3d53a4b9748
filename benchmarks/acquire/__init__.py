"""Real acquisitions in a process of their own: one Micro-Manager core per process, and a crash is a result."""

from ._job import Driver, Job, Outcome, run

__all__ = ["Driver", "Job", "Outcome", "run"]
