"""Smart feedback: `python -m benchmarks.feedback [--quick] [--only NAME ...] [--readme]`.

latency: from a frame's receipt to the command at the hardware, with a network that does nothing.
kills: from a kill -9 to the safe state.
rare: event-driven imaging of rare divisions against fixed rates, rehearsed on the specimen; some 15 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import _command
from .._rows import Row
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""

    def measured(quick: bool, names: Sequence[str], tell: Callable[[str], object]) -> list[Row]:
        return measure(QUICK if quick else FULL, names, tell)

    _command.run("python -m benchmarks.feedback", __doc__, NAMES, measured, "feedback", "a minute instead of some")


if __name__ == "__main__":
    main()
