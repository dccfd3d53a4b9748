"""What the host reckons for a graph: statistics of raw frames, of each channel's apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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
        self._freezes = any(each.normalise == "frozen" for each in scalars)
        self._told: set[int | None] = set()
        self.parameters: Mapping[str, Mapping[str, float]] = {}
        """What the last window was normalised with, in raw counts, by stage and name."""

    def values(
        self, window: Sequence[Pixels], channel: int | None, keys: Sequence[int] | None = None
    ) -> Sequence[Pixels]:
        """One float32 array per scalar, for the frames of one window of a channel; `keys` says who the frames are."""
        if not self._scalars:
            return ()
        host = self._of(channel)
        values = host.values(window, keys)
        self.parameters = host.parameters()
        return values

    def given(self, parameters: Mapping[str, Mapping[str, float]]) -> Sequence[Pixels]:
        """The same for a window whose `parameters` are known: no frame is looked at. Raises KeyError if one lacks."""
        return self._of(None).given(parameters) if self._scalars else ()

    def _of(self, channel: int | None) -> HostScalars:
        host = self._by_channel.get(channel)
        if host is None:
            if len(self._by_channel) >= MOST_CHANNELS:
                self.clear()
            host = HostScalars(self._scalars, self._raw, full_scale=self._full_scale, warn=self._warn)
            self._by_channel[channel] = host
        return host

    @property
    def described(self) -> list[dict[str, str]]:
        """Which statistics there are, as plain values: stage, name, and how they are taken (`normalise`)."""
        host = HostScalars(self._scalars, self._raw)
        return [
            {"stage": stage, "name": name, "normalise": group.normalise}
            for group in host.groups
            for stage in group.stages
            for name in group.names
        ]

    def clear(self) -> None:
        """Nothing was seen so far."""
        self._by_channel.clear()
        self._told.clear()
        self.parameters = {}

    def frozen(self) -> list[dict[str, Any]]:
        """What was frozen since the last call, by channel, as plain values in raw counts; `restore` takes it again.

        `statistics` are the words for `values`, one for each of the graph's scalars; `stages` those with a frozen one.
        """
        if not self._freezes:
            return []
        news: list[dict[str, Any]] = [
            {
                "channel": channel,
                "stages": sorted({each.stage for each in self._scalars if each.normalise == "frozen"}),
                "statistics": [_words(each) for each in self._scalars],
                "values": host.final(),
            }
            for channel, host in self._by_channel.items()
            if channel not in self._told and host.frozen
        ]
        self._told.update(each["channel"] for each in news)
        return news

    def restore(self, known: Iterable[dict[str, Any]]) -> None:
        """Go on with what an earlier worker had frozen. What is of another graph is left out."""
        for each in known if self._freezes else ():
            if self._of(each["channel"]).restore(each["values"]):
                self._told.add(each["channel"])


def _words(scalar: Scalar) -> str:
    statistic = scalar.statistic
    words = f"percentile {statistic.percentile:g}" if statistic.kind == "percentile" else statistic.kind
    frames = "" if len(scalar.frames) == 1 else f" of frames {', '.join(map(str, scalar.frames))}"
    return f"{scalar.stage} {words}{frames}"
