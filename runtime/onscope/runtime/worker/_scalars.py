"""What the host reckons for a graph: statistics of raw frames, of each channel's apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .._frame import Pixels
from ..graph import HostScalars, Note, Raw, Scalar

MOST_CHANNELS = 64
"""Statistics that are frozen or running are kept for so many channels; then they begin anew."""


class Scalars:
    """The host's scalars of one graph, by channel: what is frozen of one stain says nothing of another."""

    def __init__(self, scalars: Sequence[Scalar], raw: Raw, bit_depth: int, warn: Callable[[Note], None]) -> None:
        self._scalars, self._raw, self._warn = tuple(scalars), raw, warn
        counts = np.dtype(raw.dtype).kind == "u"
        self._full_scale = (1 << min(bit_depth, 8 * np.dtype(raw.dtype).itemsize)) - 1 if counts else None
        self._by_channel: dict[int | None, HostScalars] = {}

    def values(self, window: Sequence[Pixels], channel: int | None) -> Sequence[Pixels]:
        """One float32 array per scalar, for the frames of one window of a channel."""
        if not self._scalars:
            return ()
        host = self._by_channel.get(channel)
        if host is None:
            if len(self._by_channel) >= MOST_CHANNELS:
                self._by_channel.clear()
            host = HostScalars(self._scalars, self._raw, full_scale=self._full_scale, warn=self._warn)
            self._by_channel[channel] = host
        return host.values(window)

    def clear(self) -> None:
        """Nothing was seen so far."""
        self._by_channel.clear()
