"""The recorder's view of the slots that frames stand in."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..._frame import FrameSpec, Pixels
from ..._shm import SharedSlots


class Slots:
    """The frames of one lane, read-only, each where the acquisition process put it.

    Opened by descriptor where one was sent, else by name, for which the owner must be alive. Raises OSError.
    """

    def __init__(self, message: Mapping[str, Any], spec: FrameSpec, descriptor: int | None) -> None:
        self._spec = spec
        self._slot_bytes: int = message["slot_bytes"]
        self._shared: SharedSlots | None = None
        self._memory: mmap.mmap | None = None
        if descriptor is None:
            self._shared = SharedSlots.attach(message["name"], self._slot_bytes, message["slots"])
            return
        try:
            self._memory = mmap.mmap(descriptor, self._slot_bytes * message["slots"], access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)

    def frame(self, slot: int) -> Pixels:
        """The pixels in a slot."""
        shape, dtype = self._spec.shape, self._spec.dtype
        if self._shared is not None:
            return self._shared.view(slot, shape, dtype)
        assert self._memory is not None
        pixels = np.frombuffer(self._memory, dtype, math.prod(shape), slot * self._slot_bytes)
        return pixels.reshape(shape)

    def close(self) -> None:
        """Forget them; the mapping goes with the last array in it."""
        if self._shared is not None:
            self._shared.close()
        self._memory = None
