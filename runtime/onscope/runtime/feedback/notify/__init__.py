"""Words for someone: by POST to a program that listens on this machine, or by a command; never in the loop's way."""

from ._notifier import MOST_WAITING, Notifier
from ._targets import CommandTarget, Webhook, target_of

__all__ = ["MOST_WAITING", "CommandTarget", "Notifier", "Webhook", "target_of"]
