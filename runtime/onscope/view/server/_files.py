"""Files for viewers, put together of the parts in which they come."""

from __future__ import annotations

import base64

import numpy as np

from onscope.runtime.worker import Message

from .._wire import pack

MOST_BYTES = 256 << 20
"""Of all that is being put together; a file that does not fit is not sent."""


class Files:
    """Parts by viewer and name. A file whose viewer has gone is forgotten with its next part."""

    def __init__(self) -> None:
        self._parts: dict[tuple[int, str], list[bytes]] = {}
        self._bytes = 0

    def add(self, message: Message) -> bytes | None:
        """Take a part; the update that holds the file when it was the last one of it."""
        key = message["viewer"], message["name"]
        parts = self._parts.setdefault(key, [])
        part = base64.b64decode(message["part"])
        if self._bytes + len(part) > MOST_BYTES:
            self.forget(*key)
            self._parts[key] = parts = []  # with a hole in it, no file can come of it
            part = b""
        parts.append(part)
        self._bytes += len(part)
        if not message["last"]:
            return None
        whole = all(parts)
        data = b"".join(parts)
        self.forget(*key)
        return pack({"snapshot": message["name"]}, [np.frombuffer(data, np.uint8)]) if whole else None

    def forget(self, viewer: int, name: str) -> None:
        """It is not wanted any more."""
        self._bytes -= sum(map(len, self._parts.pop((viewer, name), ())))
