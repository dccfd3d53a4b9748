"""The worker: runs windows through a pipeline's sessions, in a process of its own or in a thread."""

from ._batch_proof import BatchError, BatchProof, prove_batched, refuse_unproven
from ._batch_times import batch_times, timed
from ._chain import Chain
from ._choose import open_ways
from ._engine_errors import EngineError, engine_errors
from ._group import SETTING, Group
from ._hosted import ALONE, HOST, Hosted, Moment, Numbers, Opening
from ._messages import DEEPEST, LIMIT, LONG_NS, VERSION, Link, Message, WorkerLink
from ._open_lane import graphs_of
from ._opened import StageAnswer, as_table, dtype_of
from ._parent import parent_link
from ._process import ProcessLink
from ._proof import prove_compiled
from ._region import Regional
from ._runs import UnderWay
from ._seams import seam_errors
from ._thread import ThreadLink
from ._verdicts import remember
from ._ways import LEVEL, Ways, open_way

__all__ = [
    "ALONE",
    "DEEPEST",
    "HOST",
    "LEVEL",
    "LIMIT",
    "LONG_NS",
    "SETTING",
    "VERSION",
    "BatchError",
    "BatchProof",
    "Chain",
    "EngineError",
    "Group",
    "Hosted",
    "Link",
    "Message",
    "Moment",
    "Numbers",
    "Opening",
    "ProcessLink",
    "Regional",
    "StageAnswer",
    "ThreadLink",
    "UnderWay",
    "Ways",
    "WorkerLink",
    "as_table",
    "batch_times",
    "dtype_of",
    "engine_errors",
    "graphs_of",
    "open_way",
    "open_ways",
    "parent_link",
    "prove_batched",
    "prove_compiled",
    "refuse_unproven",
    "remember",
    "seam_errors",
    "timed",
]
