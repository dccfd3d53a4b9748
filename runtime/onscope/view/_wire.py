"""What travels between the view's server and those who look: text messages as JSON, pictures as binary ones.

A viewer says `hello` first, with its token; then `show` (what it wants to see), `credit` (how many updates it can take:
one for each that it has drawn), and `do`. The server answers `hello` with the Layout, and sends `status` some four
times a second, `told` (an event of the run), `done` (what became of a `do`), and an update per credit, the newest
there is.

An update is binary: MAGIC, the length of its head (uint32, little-endian), the head as JSON in UTF-8 padded with spaces
to a multiple of eight bytes, then the arrays that the head names by `offset` (of the first byte behind the head),
`dtype` (NumPy's word, little-endian) and `shape`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION = 1
MAGIC = b"OSV1"
MOST_TEXT = 64 << 10
"""Bytes of the longest text message that a viewer may send."""
MOST_SIDE = 4096
"""Rows and columns that a picture has at most."""
MOST_VIEWS = 8
MOST_HEAD = 16 << 20
"""Bytes of the longest head of an update: names and places, no pixels."""
_HEAD = struct.Struct("<4sI")
_ALIGN = 8

Message = dict[str, Any]
Array = npt.NDArray[Any]


class WireError(ValueError):
    """A message that is not what it should be; its text says what was found and what was expected."""


def pack(head: Mapping[str, Any], arrays: Sequence[Array]) -> bytes:
    """An update. `head` may name arrays anywhere in it by {"array": number}; they are told as the format says."""
    return joined(*placed(head, arrays))


def placed(head: Mapping[str, Any], arrays: Sequence[Array]) -> tuple[Message, bytes]:
    """An update in two parts: its head, which says where the arrays are, and their bytes."""
    places, parts, offset = [], list[bytes](), 0
    for array in arrays:
        places.append({"offset": offset, "dtype": array.dtype.newbyteorder("<").str, "shape": list(array.shape)})
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        parts += [raw, bytes(-len(raw) % _ALIGN)]
        offset += len(raw) + len(parts[-1])
    return {**head, "arrays": places}, b"".join(parts)


def joined(head: Mapping[str, Any], arrays: bytes) -> bytes:
    """The two parts of an update as it is sent."""
    text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + _HEAD.size) % _ALIGN)
    return b"".join((_HEAD.pack(MAGIC, len(text)), text, arrays))


def unpack(data: bytes) -> tuple[Message, list[Array]]:
    """The head of an update and its arrays, read-only. Raises WireError."""
    if len(data) < _HEAD.size:
        raise WireError(f"found an update of {len(data)} bytes, expected at least {_HEAD.size}")
    magic, length = _HEAD.unpack_from(data)
    if magic != MAGIC or _HEAD.size + length > len(data):
        raise WireError(f"found an update that begins with {magic!r}, expected {MAGIC!r} and a head of its own length")
    if length > MOST_HEAD:
        raise WireError(f"found an update with a head of {length} bytes, expected at most {MOST_HEAD}")
    try:
        head = json.loads(data[_HEAD.size : _HEAD.size + length])
        places = head.pop("arrays")
        arrays = []
        for place in places:
            dtype, shape = np.dtype(place["dtype"]), tuple(int(n) for n in place["shape"])
            if dtype.hasobject:
                raise WireError(f"found an array of {dtype}, expected numbers")
            begin = _HEAD.size + length + int(place["offset"])
            count = int(np.prod(shape, dtype=np.int64))
            arrays.append(np.frombuffer(data, dtype, count, begin).reshape(shape))
    except WireError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise WireError(
            f"found an update whose head cannot be used ({error}), expected places of its arrays"
        ) from error
    return head, arrays
