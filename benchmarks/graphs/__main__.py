"""What compiled graphs cost: `python -m benchmarks.graphs [--quick] [--out FILE] [--only NAME ...] [--readme]`."""

from __future__ import annotations

from importlib.metadata import version

from .. import _command
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks.graphs",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "graphs",
        "a minute instead of several",
        {"bioimageio.core": version("bioimageio.core")},
    )


if __name__ == "__main__":
    main()
