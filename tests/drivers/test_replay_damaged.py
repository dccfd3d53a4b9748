"""Files that somebody damaged, on purpose or not: frames as they were, or one sentence, and never anything else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.drivers import replay
from onscope.runtime import SourceError

from .stored import SHAPE, numbered
from .test_replay_formats import write_ndtiff, write_ome_tiff, write_zarr

QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
IMAGES = numbered(6) + 1


def ndtiff(folder: Path) -> Path:
    tags = {"ElapsedTime-ms": 5.0, "Exposure": "12.5", "PixelSizeUm": 0.5, "Camera": "left", "XPositionUm": 1.0}
    axes = [{"time": t, "channel": name} for t in range(3) for name in ("DAPI", "GFP")]
    return write_ndtiff(folder, [(each, pixels, tags) for each, pixels in zip(axes, IMAGES, strict=True)])


def zarr(version: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_zarr(folder / "a.zarr", IMAGES.reshape(3, 2, *SHAPE), "tcyx", version)
        return folder / "a.zarr"

    return make


def ome_tiff(folder: Path) -> Path:
    write_ome_tiff(folder / "a.ome.tif", IMAGES[:4].reshape(1, 2, 2, *SHAPE))
    return folder / "a.ome.tif"


MAKERS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "ndtiff index": (ndtiff, "NDTiff.index"),
    "ndtiff images": (ndtiff, "made_NDTiffStack.tif"),
    "zarr 3 group": (zarr(5), "zarr.json"),
    "zarr 3 array": (zarr(5), "0/zarr.json"),
    "zarr 3 chunk": (zarr(5), "0/c/1/0/0/0"),
    "zarr 2 group": (zarr(4), ".zattrs"),
    "zarr 2 array": (zarr(4), "0/.zarray"),
    "ome-tiff": (ome_tiff, ""),
}
damage = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("over"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    st.tuples(
        st.just("in"), st.floats(0, 1), st.sampled_from([b"\x00", b"9", b"-1", b"[", b'"', b"e99", b"null", b"/.."])
    ),
)


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(how=st.lists(damage, min_size=1, max_size=3))
def test_what_is_damaged_is_told_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, kind: str, how: list[tuple[str, float, bytes]]
) -> None:
    make, inside = MAKERS[kind]
    folder = tmp_path_factory.mktemp("damaged")
    try:
        place = make(folder)
        path = place / inside if inside else place
        content = path.read_bytes()
        for way, where, words in how:
            at = round(where * len(content))
            rest = content[at:] if way == "in" else content[at + len(words) :] if way == "over" else b""
            content = content[:at] + words + rest
        path.write_bytes(content)
        taken, told = [], "found and expected"
        try:
            taken = list(replay(place).frames(50))
        except SourceError as error:
            told = str(error)
        assert "found" in told
        assert "expected" in told
        assert all(frame.pixels.dtype.name in ("uint8", "uint16", "float32") for frame in taken)
    finally:
        shutil.rmtree(folder)
