"""The link's messages as ZeroMQ's parts: bounds and checks, no I/O."""

from ._address import LOOPBACK, PACK, Address, Pack, Secret, is_local, parse_address
from ._checks import LARGEST, name_of, text, whole, whole_list
from ._message import CHUNK, GREETING_BYTES, HEAD_BYTES, VERSION, Payload, WireError, chunks, pack, size_of, unpack
from ._wake import Wake

__all__ = [
    "CHUNK",
    "GREETING_BYTES",
    "HEAD_BYTES",
    "LARGEST",
    "LOOPBACK",
    "PACK",
    "VERSION",
    "Address",
    "Pack",
    "Payload",
    "Secret",
    "Wake",
    "WireError",
    "chunks",
    "is_local",
    "name_of",
    "pack",
    "parse_address",
    "size_of",
    "text",
    "unpack",
    "whole",
    "whole_list",
]
