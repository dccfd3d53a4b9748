"""The simulation's credit of windows is the dispatcher's, for every admission, depth and time that a window took."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple, cast

from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Admission, Ledger
from onscope.runtime._delivery import Delivery
from onscope.runtime._dispatch import Dispatcher
from onscope.runtime.capacity import Rhythm, Scope
from onscope.runtime.capacity._loop import Loop
from onscope.runtime.capacity._windows import Acquisition
from onscope.runtime.remote.link._desk import CREDIT as BOX
from onscope.runtime.worker import DEEPEST, LONG_NS
from onscope.runtime.worker._messages import CREDIT


class Ends(NamedTuple):
    """What a dispatcher asks a link for its credit."""

    credit: int
    here: bool
    deepest: int
    long_ns: int = LONG_NS


@given(
    st.sampled_from(("keep_newest", "keep_oldest", "block")),
    st.integers(1, 6),
    st.integers(0, 3 * LONG_NS),
    st.sampled_from(("here", "far", "away")),
)
def test_it_is_the_dispatchers(kind: Any, depth: int, took_ns: int, where: str) -> None:
    away, far = where == "away", where == "far"
    admission = Admission(kind)
    changed = threading.Condition()
    dispatcher = Dispatcher(changed, Ledger(), Delivery(changed), admission, depth=depth, far=far)
    dispatcher.link = cast(Any, Ends(BOX if away else CREDIT, not away, depth if far else DEEPEST))
    dispatcher._took_ns = took_ns
    credit = BOX if away else CREDIT
    scope = Scope("s", Rhythm(1.0), "m", admission, depth=depth, credit=credit, away=away, far=far)
    simulated = Acquisition(Loop(), scope, 1.0, "seed")
    simulated._took = took_ns
    assert simulated._credit() == dispatcher._credit()
