"""The live view: `python -m benchmarks.view [--quick] [--only NAME ...] [--readme]`.

throughput: frames per second of a run with one and with ten viewers, over those of the same run without, in turns;
with all cores for the networks, and with one left free.
age: from a frame's receipt to its picture at a viewer, at 30 frames per second.
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

    _command.run("python -m benchmarks.view", __doc__, NAMES, measured, "view", "a minute instead of some ten")


if __name__ == "__main__":
    main()
