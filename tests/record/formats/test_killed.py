"""Formats under kill -9: what was told to be on the disk is there, for programs that know nothing of recordings.

A process is killed at a random moment of its writing. Then the file is opened by the format's own library as it is
(ndstorage: after `mend` when it refuses it), mended, gone on with, and finished.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from onscope.runtime import FrameSpec
from onscope.runtime.record.formats import RawAbout, _ndtiff, _ometiff

from ._series import note, pixels_of
from .test_ndtiff import TestNdTiff as NdTiff
from .test_ndtiff import opened
from .test_ome_tiff import TestOmeTiff as OmeTiff

SPEC = FrameSpec((61, 53))
FORMATS: dict[str, tuple[Any, str]] = {"ome-tiff": (_ometiff, "raw.ome.tif"), "ndtiff": (_ndtiff, "raw.ndtiff")}
FEW, MANY = range(4), range(4, 104)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and killed as Linux does it")


# Forked by a process of its own: this one may have threads by now, whose locks a child would find taken for ever.
SERVER = multiprocessing.get_context("forkserver") if sys.platform == "linux" else None


def write_until_killed(about: RawAbout, name: str, pages: int, told: Connection) -> None:
    """In a process of its own: write frames from `pages` on, a byte through `told` for each on the disk."""
    module, _ = FORMATS[name]
    series = module.resume(about, pages) if pages else module.make(about)
    for t in range(pages, 10**6):
        _, future = series.write((t,), pixels_of(SPEC, (t,)), note(t, (t,), "t"))
        future.add_done_callback(lambda done: done.exception() or os.write(told.fileno(), b"x"))
        while t - series._written > 40:
            time.sleep(0.001)


def killed(about: RawAbout, name: str, pages: int, seed: int) -> int:
    """How many frames a process that began at `pages` said to be on the disk before it was killed."""
    assert SERVER is not None
    SERVER.set_forkserver_preload([__name__])
    told, telling = SERVER.Pipe(duplex=False)
    child = SERVER.Process(target=write_until_killed, args=(about, name, pages, telling))
    child.start()
    telling.close()
    with open(os.dup(told.fileno()), "rb") as pipe:
        told.close()
        count = len(pipe.read(1))
        time.sleep(random.Random(seed).uniform(0, 0.06))
        child.kill()
        child.join()
        return pages + count + len(pipe.read())


def frames_of(path: Path, name: str, count: int) -> list[np.ndarray[Any, Any]]:
    """The first frames, read by the format's own library."""
    if name == "ome-tiff":
        with tifffile.TiffFile(path) as file:
            assert file.is_ome
            whole = file.series[0].asarray()
        assert whole.shape[0] >= count or count == 1
        return list(whole.reshape(-1, *SPEC.shape)[:count])
    with opened(path) as data:
        return [data.read_image(time=t, position=1) for t in range(count)]


@pytest.mark.parametrize("seed", [*FEW, *(pytest.param(n, marks=pytest.mark.slow) for n in MANY)])
@pytest.mark.parametrize("name", FORMATS)
def test_what_was_told_to_be_on_the_disk_is_there(tmp_path: Path, name: str, seed: int) -> None:
    module, file = FORMATS[name]
    about = RawAbout(tmp_path / file, SPEC)
    pages = 0
    for turn in range(2):  # the second goes on with what the first left behind
        pages = killed(about, name, pages, 2 * seed + turn)
        try:
            left = frames_of(about.path, name, pages)
        except Exception:
            assert name == "ndtiff", "an OME-TIFF file needs no mending to be opened"
            assert any("never finished" in words for words in module.mend(about.path))
            left = frames_of(about.path, name, pages)
        for t, frame in enumerate(left):
            np.testing.assert_array_equal(frame, pixels_of(SPEC, (t,)), strict=True)
    module.mend(about.path)
    assert module.mend(about.path) == []
    assert len(frames_of(about.path, name, pages)) == pages
    series = module.resume(about, pages)
    series.write((pages,), pixels_of(SPEC, (pages,)), note(pages, (pages,), "t"))[1].result()
    series.close()
    elements = [(t,) for t in range(pages + 1)]
    module.finish(about, elements, range(pages + 1))
    suite = OmeTiff() if name == "ome-tiff" else NdTiff()
    suite.check(about, elements, range(pages + 1))
    suite.check_alone(about, elements)
