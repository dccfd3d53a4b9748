"""What each hook costs while the model hangs: `python -m benchmarks.hooks [--quick] [--only NAME ...] [--readme]`.

In a real acquisition of the demo camera every other frame goes to the hook, the ones between to one that only copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .. import _command
from .._rows import Row
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""

    def measured(quick: bool, names: Sequence[str], tell: Callable[[str], object]) -> Iterable[Row]:
        return measure(QUICK if quick else FULL, names, tell)

    _command.run("python -m benchmarks.hooks", __doc__, NAMES, measured, "hooks", "half a minute instead of two")


if __name__ == "__main__":
    main()
