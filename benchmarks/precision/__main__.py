"""The shipped packages in fp16 and int8: `python -m benchmarks.precision [--quick] [--only NAME ...] [--readme]`.

Variants are made in a temporary folder, calibrated on simulated frames that nothing is measured on; their quality is
that of `python -m onscope.export.zoo.evaluate`, their speed that of compiled graphs, in turns with the float weights.
"""

from __future__ import annotations

from .. import _command
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks.precision",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "precision",
        "a minute instead of several",
    )


if __name__ == "__main__":
    main()
