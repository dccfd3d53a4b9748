"""One end's account of the messages: counted, kept until they came, sent again after a cut."""

from ._session import ACK_BYTES, WINDOW, Item, Lost, Session

__all__ = ["ACK_BYTES", "WINDOW", "Item", "Lost", "Session"]
