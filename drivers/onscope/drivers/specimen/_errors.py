"""What a device says when it refuses."""

from __future__ import annotations


class DeviceError(RuntimeError):
    """A device cannot do what it was told; a RuntimeError, as a core raises them.

    The message is one sentence: what was found, what was expected, what to do.
    """
