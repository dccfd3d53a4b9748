"""What a worker process takes."""

from __future__ import annotations

import psutil


def taken_bytes(pid: int) -> int:
    """Bytes of memory that are its own; 0 for one that has just ended."""
    try:
        memory = psutil.Process(pid).memory_info()
    except (psutil.Error, OSError):
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))
