"""Labels, measured: `python -m benchmarks.labels [--quick] [--only NAME ...] [--readme]`.

`instances`: nuclei of specimens that training never saw, against Otsu's threshold and a watershed. `real`: the same on
real images, where ONSCOPE_SHARED_DATA names their folder. `spots`: beads and molecules, against a Laplacian of
Gaussians. `classes`: phases of the cell, against a linear discriminant; `phases`: those of nuclei that were found live.
`tracks`: against nearest neighbours and, where it is installed, laptrack. `decode`: what decoders take per frame,
against the inference and the packages' own, Cellpose's where ONSCOPE_CELLPOSE_PYTHON names the Python that has it.
`objects`: what it takes to measure objects, against scikit-image.
"""

from __future__ import annotations

from .. import _command
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks.labels",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "labels",
        "a minute instead of some ten",
    )


if __name__ == "__main__":
    main()
