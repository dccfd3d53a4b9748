"""Memory of others (slots that processes share) made ready for the GPU to read by itself, once per process."""

from __future__ import annotations

import threading

from .._interface import Array

_held: dict[tuple[int, int], int] = {}
_lock = threading.Lock()


class Registered:
    """Memory that copies may go straight from, until `close`; `refused` says that it cannot be made so.

    It keeps the array, so that the memory cannot be given back while the GPU believes it to be there. Several sessions
    of a process may register the same memory: the last one to close takes it back.
    """

    def __init__(self, memory: Array) -> None:
        from cuda.bindings import runtime

        self._cuda = runtime
        self._memory: Array | None = memory
        self.start = int(memory.ctypes.data)
        self.end = self.start + memory.nbytes
        key = self.start, memory.nbytes
        flags = runtime.cudaHostRegisterPortable
        if not memory.flags.writeable:
            flags |= runtime.cudaHostRegisterReadOnly
        with _lock:
            if _held.get(key):
                _held[key] += 1
                self.refused = False
                return
            (error,) = runtime.cudaHostRegister(self.start, memory.nbytes, flags)
            self.refused = bool(int(error))
            if self.refused:
                runtime.cudaGetLastError()  # or the next one who asks would take it for a failure of its own
                self._memory = None
            else:
                _held[key] = 1

    def holds(self, array: Array) -> bool:
        """Whether all of a contiguous array lies there."""
        place = int(array.ctypes.data)
        return not self.refused and self.start <= place and place + array.nbytes <= self.end

    def close(self) -> None:
        """Give the memory back; asked again it does nothing."""
        if self._memory is None:
            return
        key = self.start, self._memory.nbytes
        with _lock:
            _held[key] -= 1
            if not _held[key]:
                del _held[key]
                self._cuda.cudaHostUnregister(self.start)
        self._memory, self.refused = None, True
