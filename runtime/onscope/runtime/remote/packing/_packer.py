"""Which pieces are packed: those that come sooner so."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from ..wire import Pack, Payload
from ._codec import Codec

LEAST = 1 << 10
"""Smaller pieces are never packed."""
TRIED = 64 << 10
"""Bytes of a piece that are packed to see whether it pays."""
TRIED_OF = 16
"""Of so many pieces that are sent raw one is tried."""
FASTEST = 1_500_000_000
"""Bytes per second beyond which no piece of any kind comes sooner packed."""
MARGIN = 0.8
"""Of the raw way's time: what the packed way may take. The rest is for the unpacking, and for doubt."""
TURN_NS = 3_000_000
"""So long an end may pack and send before it looks at what came."""
NEWEST = 0.25
"""Weight of the newest piece in the averages."""


class Counts(Protocol):
    """What counts the bytes that did not have to be sent."""

    saved_bytes: int


@dataclass(slots=True)
class Gain:
    """What packing does for pieces of one kind: running averages. A shorter time counts at once, since most
    longer ones are of a thread that had to wait."""

    seconds_per_byte: float = 0.0
    ratio: float = 1.0
    """Packed bytes of one."""
    tried: int = 0
    raw: int = 0
    """Pieces since one was packed."""

    def add(self, seconds: float, size: int, packed: int) -> None:
        weight = NEWEST if self.tried else 1.0
        self.tried += 1
        more = seconds / size - self.seconds_per_byte
        self.seconds_per_byte += more if more < 0 else weight * more
        self.ratio += weight * (packed / size - self.ratio)

    def pays(self, rate: float) -> bool:
        """Whether packing and sending what is left takes less time than sending all of it."""
        return self.tried > 0 and self.seconds_per_byte * rate + self.ratio < MARGIN


class Packer:
    """One end's decisions for what it sends; used by one thread.

    `mode`: "auto" packs where it pays, "always" whatever gets smaller, "never" nothing. `rate` is what the other end
    told of this direction, in bytes per second; 0: nothing yet.
    """

    def __init__(self, mode: Pack, codec: Codec, counts: Counts) -> None:
        self.mode: Pack = mode
        self.rate = 0
        self._codec, self._counts = codec, counts
        self._gains: dict[tuple[int, Hashable], Gain] = {}

    def piece(self, lane: int, kind: Hashable, item: int, data: memoryview) -> tuple[dict[str, Any], Payload]:
        """What the head says of a piece beside its place, and its payload; `kind`: of pictures that are alike."""
        if self.mode == "never" or len(data) < LEAST:
            return {}, data
        if len(data) % item:
            item = 1
        gain = self._gains.setdefault((lane, kind), Gain())
        if self.mode == "auto" and not (self.rate and gain.pays(self.rate)):
            if not 0 < self.rate < FASTEST:
                return {}, data
            gain.raw += 1
            if gain.raw % TRIED_OF != 1:
                return {}, data
            self._pack(gain, item, data[:TRIED])
            if not gain.pays(self.rate):
                return {}, data
        packed = self._pack(gain, item, data)
        if len(packed) >= len(data):
            return {}, data
        gain.raw = 0
        self._counts.saved_bytes += len(data) - len(packed)
        return {"bytes": len(data), "item": item}, packed

    def forget(self, lane: int) -> None:
        """A lane was closed."""
        for key in [key for key in self._gains if key[0] == lane]:
            del self._gains[key]

    def _pack(self, gain: Gain, item: int, data: memoryview) -> bytes:
        began = time.perf_counter()
        packed = self._codec.pack(data, item)
        gain.add(time.perf_counter() - began, len(data), len(packed))
        return packed
