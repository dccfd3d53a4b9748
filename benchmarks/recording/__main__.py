"""Recording, measured: `python -m benchmarks.recording [--quick] [--only NAME ...] [--readme]`.

`recorder`: the recorder against bare writes of the same chunks with the same codecs and durability (fsync). `formats`:
OME-TIFF and NDTiff against OME-Zarr. `codecs`: compression and chunking, on noise, camera-like images, and real ones
where ONSCOPE_SHARED_DATA names a folder of them. All on the disk of temporary files (TMPDIR), the first two in memory
as well.
"""

from __future__ import annotations

from importlib.metadata import version

from .. import _command
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks.recording",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "recording",
        "two minutes instead of some ten",
        {name: version(name) for name in ("zarr", "tensorstore", "pyarrow")},
    )


if __name__ == "__main__":
    main()
