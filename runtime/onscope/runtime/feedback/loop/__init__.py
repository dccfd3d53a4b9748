"""The feedback's loop: results to the rules, proposals to the gate, actions to the controller; the watchdog over it."""

from ._controlled import Controlled
from ._feedback import Feedback
from ._hold import Heartbeat
from ._watch import Watch

__all__ = ["Controlled", "Feedback", "Heartbeat", "Watch"]
