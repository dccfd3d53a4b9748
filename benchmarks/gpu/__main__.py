"""What a GPU's engine costs beside its kernels and copies: `python -m benchmarks.gpu [--quick] [--only NAME ...]`.

Where there is no GPU an engine stands for it that copies, runs and copies back by three threads which take their time.
"""

from __future__ import annotations

from .. import _command
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks.gpu",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "gpu",
        "half a minute instead of three",
    )


if __name__ == "__main__":
    main()
