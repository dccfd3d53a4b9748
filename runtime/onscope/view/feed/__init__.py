"""The acquisition process's part of the view: the newest result into a shared-memory board, when it is asked for."""

from ._actions import Do
from ._extras import Extras
from ._feed import Feed
from ._server import Server

__all__ = ["Do", "Extras", "Feed", "Server"]
