"""The codec: bytes of equal weight side by side, then Zstandard at its fastest level (docs/decisions/0031)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..._frame import Pixels
from ..wire import CHUNK, Payload, WireError, whole

LEVEL = 1
ITEMS = (1, 2, 4, 8)


def item_of(dtype: npt.DTypeLike) -> int:
    """Bytes of an element whose bytes are worth sorting; 1: they are left as they are."""
    size = np.dtype(dtype).itemsize
    return size if size in ITEMS else 1


class Codec:
    """Packs and unpacks pieces of at most CHUNK bytes. For one thread; others run while it computes."""

    def __init__(self) -> None:
        import pyarrow

        self._zstd = pyarrow.Codec("zstd", compression_level=LEVEL)
        self._sorted: Pixels = np.zeros(CHUNK, np.uint8)
        self.unpack(self.pack(self._sorted.data, 1), 1, np.empty(CHUNK, np.uint8))  # the first time takes longer

    def pack(self, data: Payload, item: int) -> bytes:
        """The same in fewer bytes, or in some more; `item`: bytes of an element, one of ITEMS."""
        raw: Pixels = np.frombuffer(data, np.uint8)
        if item > 1 and len(raw):
            cv2.split(raw.reshape(1, -1, item), self._planes(self._sorted[: len(raw)], item))
            raw = self._sorted[: len(raw)]
        packed: bytes = self._zstd.compress(raw, asbytes=True)
        return packed

    def unpack(self, packed: Payload, item: int, into: Pixels) -> None:
        """Fill `into`, bytes, whose number was checked; it is left as it was, and WireError raised, unless what
        came unpacks to exactly so many."""
        try:
            found = np.frombuffer(self._zstd.decompress(packed, len(into)), np.uint8)
        except (OSError, ValueError) as error:
            raise WireError(f"found a packed piece that does not unpack to {len(into)} bytes ({error})") from error
        if item > 1:
            cv2.merge(self._planes(found, item), into.reshape(1, -1, item))
        else:
            np.copyto(into, found)

    @staticmethod
    def _planes(data: Pixels, item: int) -> list[Pixels]:
        return list(data.reshape(item, 1, -1))


def size_of_piece(head: Mapping[str, Any], piece: Payload) -> int:
    """Bytes of a piece once it is unpacked; raises WireError for sizes that no piece has."""
    if "bytes" not in head:
        return len(piece)
    size, item = whole(head, "bytes", 1, CHUNK), whole(head, "item", 1, ITEMS[-1])
    if item not in ITEMS or size % item or len(piece) >= size:
        raise WireError(f"found {len(piece)} packed bytes of {size}, in items of {item}: that is no packed piece")
    return size


def lay(head: Mapping[str, Any], piece: Payload, into: Pixels, codec: Codec) -> None:
    """A piece, packed or not, into the bytes that `size_of_piece` told the number of; raises WireError."""
    if "bytes" in head:
        codec.unpack(piece, head["item"], into)
    else:
        np.copyto(into, np.frombuffer(piece, np.uint8))
