"""The feedback's loop: results to the rules, proposals to the gate, actions to the controller; the watchdog over it."""

from ._controlled import Beating, Controlled
from ._feedback import Feedback
from ._hold import Heartbeat
from ._watch import Watch

__all__ = ["Beating", "Controlled", "Feedback", "Heartbeat", "Watch"]
