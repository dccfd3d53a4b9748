"""A GPU box over the wire: the worker's messages between two machines (docs/box-inside.md)."""

from .link import Box, RemoteLink
from .server import Server
from .wire import Address, Secret, parse_address

__all__ = ["Address", "Box", "RemoteLink", "Secret", "Server", "parse_address"]
