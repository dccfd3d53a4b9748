"""What recurrent networks remember from window to window, one memory per place of the acquisition."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from .._frame import Pixels
from ..engines import Stayed
from ..graph import State

KEPT_BYTES = 512 << 20
"""All memories of one graph together; beyond it, the one used longest ago is given up and begins anew."""


class States:
    """The states of one graph, by place. They begin as zeros; `began_anew` says whether the last ones did."""

    def __init__(self, states: Sequence[State]) -> None:
        self.began_anew = False
        self._zeros = [np.zeros(state.shape, state.dtype) for state in states]
        self._kept: OrderedDict[int | None, Sequence[Pixels | Stayed]] = OrderedDict()
        self.most = max(1, KEPT_BYTES // max(1, sum(each.nbytes for each in self._zeros)))

    @property
    def zeros(self) -> Sequence[Pixels]:
        """What a network begins with."""
        return self._zeros

    def of(self, place: int | None, reset: bool = False) -> Sequence[Pixels | Stayed]:
        """What the network is given for the next window of a place."""
        if reset:
            self.forget(place)
        self.began_anew = bool(self._zeros) and place not in self._kept
        return self._kept.get(place, self._zeros)

    def keep(self, place: int | None, states: Sequence[Pixels]) -> None:
        """What it answered; copied, since the arrays are the engine's."""
        if self._zeros:
            self.hold(place, [np.array(state) for state in states])

    def hold(self, place: int | None, states: Sequence[Pixels | Stayed]) -> None:
        """What it answered, which is nobody else's: not copied."""
        if not self._zeros:
            return
        self._kept[place] = states
        self._kept.move_to_end(place)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def forget(self, place: int | None) -> None:
        """The next window of the place begins anew."""
        self._kept.pop(place, None)

    def known(self, place: int | None) -> list[Pixels]:
        """What is remembered of a place, in the host's memory; [] where it begins anew. `hold` takes it again."""
        return [each if isinstance(each, np.ndarray) else each.fetch() for each in self._kept.get(place, ())]

    @property
    def places(self) -> list[int | None]:
        """Those of which something is remembered, the one used longest ago first."""
        return list(self._kept)

    def clear(self) -> None:
        """All places begin anew."""
        self._kept.clear()
