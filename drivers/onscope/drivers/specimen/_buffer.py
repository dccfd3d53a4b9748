"""The core's memory between camera and whoever takes the images."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class FrameBuffer:
    """A queue of images that holds at most `size_mb` MiB; it stands in for pymmcore-plus' SequenceBuffer.

    That one is a ring of bytes, which reports an overflow whenever the end of the ring is reached while an image still
    waits, however much room there is (pymmcore-plus 0.18.1). Here each image is an array of its own, which is handed on
    without a copy. The methods are those that the core calls: `acquire_slot`, `finalize_slot` from the camera's thread,
    the others from any.
    """

    def __init__(self, size_mb: float, *, overwrite_on_overflow: bool = True) -> None:
        self.size_bytes = int(size_mb * 2**20)
        self.overwrite_on_overflow = overwrite_on_overflow
        self.overflow_occurred = False
        self.used_bytes = 0
        self._frames: deque[tuple[Array, Mapping[str, Any]]] = deque()
        self._pending: Array | None = None
        self._lock = threading.Lock()

    @property
    def size_mb(self) -> float:
        return self.size_bytes / 2**20

    @property
    def free_bytes(self) -> int:
        return self.size_bytes - self.used_bytes

    def __len__(self) -> int:
        return len(self._frames)

    def acquire_slot(self, shape: Sequence[int], dtype: npt.DTypeLike = np.uint8) -> Array:
        """An array to fill. Raises BufferError, and notes the overflow, when there is no room and none may be made.

        Where the oldest images may be lost, losing them is no overflow, as in MMCore.
        """
        frame: Array = np.empty(shape, dtype)
        with self._lock:
            while self._frames and self.free_bytes < frame.nbytes and self.overwrite_on_overflow:
                self.used_bytes -= self._frames.popleft()[0].nbytes
            if self.free_bytes < frame.nbytes:
                self.overflow_occurred = True
                raise BufferError(
                    f"found no room for {frame.nbytes} bytes in a buffer of {self.size_mb:g} MB, expected images to be "
                    "taken as they come: take them faster, or make the buffer larger"
                )
            self._pending = frame
        return frame

    def finalize_slot(self, metadata: Mapping[str, Any] | None = None) -> None:
        """The array given last is filled."""
        with self._lock:
            if self._pending is None:
                return  # cleared meanwhile
            self._frames.append((self._pending, metadata or {}))
            self.used_bytes += self._pending.nbytes
            self._pending = None

    def pop_next(self, *, out: Array | None = None) -> tuple[Array, Mapping[str, Any]] | None:
        """The oldest image, which is the caller's from now on (or copied into `out`); None when there is none."""
        with self._lock:
            if not self._frames:
                return None
            frame, metadata = self._frames.popleft()
            self.used_bytes -= frame.nbytes
        if out is None:
            return frame, metadata
        out[:] = frame
        return out, metadata

    def peek_last(self, *, out: Array | None = None) -> tuple[Array, dict[str, Any]] | None:
        """A copy of the newest image, which stays."""
        return self.peek_nth_from_last(0, out=out)

    def peek_nth_from_last(self, n: int, *, out: Array | None = None) -> tuple[Array, dict[str, Any]] | None:
        """A copy of the newest image but n; None when there are not so many."""
        with self._lock:
            if not 0 <= n < len(self._frames):
                return None
            frame, metadata = self._frames[-1 - n]
        if out is None:
            return frame.copy(), dict(metadata)
        out[:] = frame
        return out, dict(metadata)

    def clear(self) -> None:
        """Forget all images, and that one has overflowed."""
        with self._lock:
            self._frames.clear()
            self._pending = None
            self.used_bytes = 0
            self.overflow_occurred = False
