"""The worker: runs windows through a pipeline's sessions, in a process of its own or in a thread."""

from ._chain import Chain, StageAnswer
from ._engine_errors import EngineError, engine_errors
from ._messages import VERSION, Link, Message, WorkerLink
from ._process import ProcessLink
from ._proof import prove_compiled
from ._seams import seam_errors
from ._thread import ThreadLink

__all__ = [
    "VERSION",
    "Chain",
    "EngineError",
    "Link",
    "Message",
    "ProcessLink",
    "StageAnswer",
    "ThreadLink",
    "WorkerLink",
    "engine_errors",
    "prove_compiled",
    "seam_errors",
]
