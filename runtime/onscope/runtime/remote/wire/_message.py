"""One message: a head in JSON, and at most one payload of raw bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

VERSION = 3
HEAD_BYTES = 4 << 20
GREETING_BYTES = 4 << 10
"""The largest head from one who has not been let in yet."""
CHUNK = 512 << 10
"""The largest payload: frames, answers and files travel in pieces, so that beats pass between them, a cut costs no
more than what was on its way, and nobody has to make room for what a stranger says he will send."""

Payload = bytes | memoryview


class WireError(Exception):
    """What came over the wire is no message of this protocol."""


def pack(head: Mapping[str, Any], payload: Payload | None = None) -> list[Payload]:
    """The parts of a message."""
    data = json.dumps(head, separators=(",", ":")).encode()
    if len(data) > HEAD_BYTES:
        raise WireError(f"found a head of {len(data)} bytes, expected at most {HEAD_BYTES}")
    return [data] if payload is None else [data, payload]


def size_of(parts: Sequence[Payload]) -> int:
    """Bytes of a message's parts."""
    return sum(map(len, parts))


def unpack(parts: Sequence[Payload], most: int = HEAD_BYTES) -> tuple[dict[str, Any], Payload | None]:
    """Head and payload of what came; raises WireError for anything that is no message."""
    if not 1 <= len(parts) <= 2:
        raise WireError(f"found a message of {len(parts)} parts, expected 1 or 2")
    if len(parts[0]) > most or (len(parts) == 2 and len(parts[1]) > CHUNK):
        sizes = " and ".join(str(len(part)) for part in parts)
        raise WireError(f"found parts of {sizes} bytes, expected at most {most} and {CHUNK}")
    try:
        head = json.loads(str(parts[0], "utf-8"))  # given bytes, json would look for other encodings
    except (ValueError, RecursionError) as error:
        raise WireError("found a head that is no JSON") from error
    if not isinstance(head, dict) or not isinstance(head.get("kind"), str):
        raise WireError("found a head without a kind")
    return head, parts[1] if len(parts) == 2 else None


def chunks(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Pieces of at most CHUNK bytes, each with where it begins."""
    for at in range(0, len(data), CHUNK):
        yield at, data[at : at + CHUNK]
