"""Who is told what became of things that stood in a queue."""

from __future__ import annotations

import logging
from collections.abc import Callable

from onscope.runtime import Event

Tell = Callable[[Event], object]


def to_log(event: Event) -> None:
    """The default, as of a Runtime: bad news as warnings, which Python prints unless told otherwise."""
    logging.getLogger("onscope").log(
        logging.WARNING if event.bad else logging.INFO, "%s: %s", event.kind, event.message
    )
