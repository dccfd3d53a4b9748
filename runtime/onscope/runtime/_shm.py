"""Shared memory that survives the habits of three operating systems.

The acquisition process makes and owns every segment; the worker only attaches. Segments are filled once when they are
made (so that no page fault falls into the acquisition, and a full /dev/shm is an error and not a SIGBUS), their names
carry the owner's process id (macOS allows 30 characters), and those of owners that are gone are removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import secrets
import shutil
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker, shared_memory
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from ._errors import WorkerError
from ._frame import Pixels

PREFIX = "onscope"
SYSTEM_FOLDER = Path("/dev/shm")
HEADROOM = 16 << 20
"""Bytes left to others in shared memory."""


class _Memory(shared_memory.SharedMemory):
    """Shared memory whose mapping lasts as long as the last array in it, whoever closes it before."""

    @property
    def descriptor(self) -> int:
        """Its file descriptor; -1 on Windows, and once it is closed."""
        return int(getattr(self, "_fd", -1))

    def close(self) -> None:
        try:
            super().close()
        except BufferError:  # arrays are still held, and the mapping goes with the last; the descriptor can go now
            if self.descriptor >= 0:
                os.close(self.descriptor)
                self._fd = -1


class SharedSlots:
    """A shared-memory segment cut into equal slots. Made by `create` in the owner, by `attach` elsewhere."""

    def __init__(self, memory: shared_memory.SharedMemory, slot_bytes: int, slots: int, *, owner: bool) -> None:
        self.name = memory.name
        self.slot_bytes = slot_bytes
        self.slots = slots
        self._memory = memory
        self._owner = owner

    @classmethod
    def create(cls, slot_bytes: int, slots: int) -> SharedSlots:
        """Make and fill a segment; raises WorkerError when shared memory is too small for it."""
        slot_bytes = -(-slot_bytes // 64) * 64  # every slot begins on a cache line
        total = slot_bytes * slots
        if SYSTEM_FOLDER.is_dir() and (free := shutil.disk_usage(SYSTEM_FOLDER).free) < total + HEADROOM:
            raise WorkerError(
                f"found {free / 1e6:.0f} MB of free shared memory, expected {(total + HEADROOM) / 1e6:.0f} MB for "
                f"{slots} slots: choose a smaller queue depth or ROI, or give the container more (docker --shm-size)"
            )
        name = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(4)}"
        memory = _Memory(name, create=True, size=total)
        _lock(memory.descriptor)
        np.ndarray(total, np.uint8, memory.buf).fill(0)
        return cls(memory, slot_bytes, slots, owner=True)

    @classmethod
    def attach(cls, name: str, slot_bytes: int, slots: int) -> SharedSlots:
        """Open the owner's segment without becoming responsible for it."""
        with _untracked():
            memory = _Memory(name)
        return cls(memory, slot_bytes, slots, owner=False)

    def view(self, slot: int, shape: tuple[int, ...], dtype: npt.DTypeLike, offset: int = 0) -> Pixels:
        """The array that lies in a slot, `offset` bytes from its start."""
        # frombuffer holds on to the memory; np.ndarray(buffer=...) would not, and show what is unmapped by then.
        start = slot * self.slot_bytes + offset
        return np.frombuffer(_buffer(self._memory), dtype, math.prod(shape), start).reshape(shape)

    @property
    def whole(self) -> Pixels:
        """All slots, as uint8."""
        return np.frombuffer(_buffer(self._memory), np.uint8)

    def lease(self, slot: int, give_back: Callable[[], object]) -> Lease:
        """A hold on a slot that ends by itself when the last array made from it is gone; then `give_back` is called.

        `give_back` runs wherever the last reference dies, also in the middle of other code of this process: it must
        not take locks.
        """
        buffer = (ctypes.c_char * self.slot_bytes).from_buffer(_buffer(self._memory), slot * self.slot_bytes)
        weakref.finalize(buffer, give_back).atexit = False
        return Lease(buffer)

    def close(self) -> None:
        """Forget the segment, and remove it if it is ours; arrays still held stay valid until they are dropped."""
        if self._owner:
            self._owner = False
            with contextlib.suppress(FileNotFoundError):
                self._memory.unlink()
        self._memory.close()


class Lease:
    """Makes the arrays of a leased slot; any of them keeps the slot."""

    def __init__(self, buffer: ctypes.Array[ctypes.c_char]) -> None:
        self._buffer = buffer

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike, offset: int = 0) -> Pixels:
        """A read-only array in the slot."""
        array: Pixels = np.ndarray(shape, dtype, cast(memoryview, self._buffer), offset)
        array.flags.writeable = False
        return array


def _buffer(memory: shared_memory.SharedMemory) -> memoryview:
    return cast(memoryview, memory.buf)  # None only after close


_patching = threading.Lock()


@contextlib.contextmanager
def _untracked() -> Iterator[None]:
    # Python 3.11 and 3.12 register attached segments too, and the attaching process would remove the owner's segment
    # at its end; 3.13 has track=False.
    with _patching:
        register, here = resource_tracker.register, threading.get_ident()

        def elsewhere(name: str, kind: str) -> None:  # other threads may be making segments of their own
            if threading.get_ident() != here:
                register(name, kind)

        resource_tracker.register = elsewhere  # type: ignore[assignment] # its stub asks for less than it takes
        try:
            yield
        finally:
            resource_tracker.register = register


def remove_leftovers() -> list[str]:
    """Remove segments whose owner is gone (killed in a way that even its resource tracker did not see)."""
    removed = []
    if not sys.platform.startswith("linux"):
        return removed  # macOS cannot list them, Windows frees them with the last handle
    for path in SYSTEM_FOLDER.glob(f"{PREFIX}-*-*"):
        owner = path.name.split("-")[1]
        if owner.isdigit() and not Path("/proc", owner).exists() and _unlocked(path):
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path.name)
    return removed


def _lock(descriptor: int) -> None:
    # The lock ends with its owner, however that ends; and unlike a process id it means the same in every container
    # that shares this memory.
    if fcntl is not None and descriptor >= 0:
        with contextlib.suppress(OSError):  # macOS locks no shared memory, and lists none either
            fcntl.flock(descriptor, fcntl.LOCK_SH)


def _unlocked(path: Path) -> bool:
    if fcntl is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
