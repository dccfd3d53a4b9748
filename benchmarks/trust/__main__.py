"""What trust values find, and what they cost: `python -m benchmarks.trust [--quick] [--only NAME ...] [--readme]`.

The denoiser care-beads on held-out good frames against frames of another noise level, magnification, cell type, focus,
saturation, and against answers that are wrong; with limits of own good frames, and with those that are shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import _command
from .._report import RESULTS
from .._rows import Row
from . import FULL, NAMES, QUICK, measure
from ._picture import draw


def main() -> None:
    """See `_command.run`; the picture goes beside the results of a full run."""

    def measured(quick: bool, names: Sequence[str], tell: Callable[[str], object]) -> list[Row]:
        rows = measure(QUICK if quick else FULL, names, tell)
        if not quick and tuple(names) == NAMES:
            draw(rows, RESULTS / "trust.png")
        return rows

    _command.run("python -m benchmarks.trust", __doc__, NAMES, measured, "trust", "a minute instead of some")


if __name__ == "__main__":
    main()
