"""The link's messages as ZeroMQ's parts: bounds and checks, no I/O."""

from ._address import LOOPBACK, Address, Secret, is_local, parse_address
from ._checks import name_of, text, whole, whole_list
from ._message import CHUNK, GREETING_BYTES, HEAD_BYTES, VERSION, Payload, WireError, chunks, pack, unpack

__all__ = [
    "CHUNK",
    "GREETING_BYTES",
    "HEAD_BYTES",
    "LOOPBACK",
    "VERSION",
    "Address",
    "Payload",
    "Secret",
    "WireError",
    "chunks",
    "is_local",
    "name_of",
    "pack",
    "parse_address",
    "text",
    "unpack",
    "whole",
    "whole_list",
]
