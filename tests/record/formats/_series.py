"""What every format of raw frames must do: `class TestMyFormat(RawSeriesTests)`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from onscope.runtime import Frame, FrameId, FrameSpec, RecordError
from onscope.runtime.record.formats import Format, RawAbout, RawSeries, format_of, suffix_of
from onscope.runtime.record.recorder._messages import save_message

from .._made import noise

Element = tuple[int, ...]
SPEC = FrameSpec((24, 17), pixel_size_um=0.25)
ELEMENTS = [(t, c, z) for t in range(3) for c in range(2) for z in range(2)]
CHANNELS = ("DAPI", "GFP 'µ' <&>")


def note(number: int, at: Element, leading: str) -> dict[str, Any]:
    """What is known of frame `number`."""
    place = {axis: int(value) for axis, value in zip(leading, at, strict=True)}
    frame = Frame(
        FrameId("run", "Cam 'A' & <B>", 0, number),
        np.zeros((1, 1), np.uint16),
        index={**place, "p": 1},
        received_ns=10**12 + number * 10**7,
        pixel_size_um=0.25,
        exposure_ms=10.0,
        stage_um=(1.0, -2.5, 0.5 * place.get("z", 0)),
        labels={"c": CHANNELS[place.get("c", 0)]},
    )
    return save_message(number, 0, 0, frame) | {"wall_ns": 1_800_000_000 * 10**9 + number * 10**7}


def write(series: RawSeries, about: RawAbout, elements: Sequence[Element], first: int = 0) -> list[int | None]:
    """Write frame after frame, `pixels_of` each, and wait until they are on the disk; their pages."""
    pages, futures = [], []
    for number, at in enumerate(elements, first):
        page, future = series.write(at, pixels_of(about.spec, at), note(number, at, about.leading))
        pages.append(page)
        futures.append(future)
    for future in futures:
        future.result()
    return pages


def pixels_of(spec: FrameSpec, at: Element) -> np.ndarray[Any, Any]:
    return noise(spec.shape, spec.dtype, hash(at) % 2**32)


specs = st.builds(
    lambda height, width, samples, dtype: FrameSpec(
        (height, width, 3) if samples else (height, width),
        dtype,
        "yxs" if samples else "yx",
        bit_depth=8 * np.dtype(dtype).itemsize,
    ),
    st.integers(1, 70),
    st.integers(1, 70),
    st.booleans(),
    st.sampled_from(("uint8", "uint16", "float32")),
)
places = st.sampled_from(("t", "tc", "tz", "tcz")).flatmap(
    lambda leading: st.tuples(
        st.just(leading),
        st.lists(
            st.tuples(*(st.integers(0, 5 if axis == "t" else 1) for axis in leading)),
            min_size=1,
            max_size=12,
            unique=True,
        ),
    )
)


class RawSeriesTests:
    """`name` is the format's, `open_alone` reads all frames of an image with nothing of this project."""

    name: ClassVar[str]

    def open_alone(self, about: RawAbout) -> Mapping[Element, np.ndarray[Any, Any]]:
        """Frames by their elements; of a file that is not finished it may be by (page,)."""
        raise NotImplementedError

    @property
    def format(self) -> Format:
        return format_of(self.name)

    def holds(self, spec: FrameSpec) -> bool:
        """Whether the format can hold such frames."""
        return True

    def about(self, folder: Path, spec: FrameSpec = SPEC, leading: str = "tcz") -> RawAbout:
        return RawAbout(folder / f"raw{suffix_of(self.name)}", spec, leading)

    @contextmanager
    def series(self, about: RawAbout, pages: int | None = None) -> Iterator[RawSeries]:
        series = self.format.make(about) if pages is None else self.format.resume(about, pages)
        try:
            yield series
        finally:
            series.close()

    def check(self, about: RawAbout, elements: Sequence[Element], pages: Sequence[int | None]) -> None:
        """Every frame is read as it was written."""
        images = self.format.read(about)
        for at, page in zip(elements, pages, strict=True):
            found = images.read(at, page)
            np.testing.assert_array_equal(found, pixels_of(about.spec, at), strict=True)
            assert found.flags.c_contiguous

    def check_alone(self, about: RawAbout, elements: Sequence[Element]) -> None:
        found = self.open_alone(about)
        for at in elements:
            np.testing.assert_array_equal(found[at], pixels_of(about.spec, at), strict=True)

    @given(spec=specs, place=places)
    @example(spec=FrameSpec((1, 1), "uint8", bit_depth=8), place=("t", [(0,)]))
    @example(spec=FrameSpec((3, 5), bit_depth=12), place=("tc", [(0, 1), (3, 0)]))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_frames_come_back_as_they_were(self, spec: FrameSpec, place: tuple[str, list[Element]]) -> None:
        leading, elements = place
        assume("c" not in leading or spec.axes == "yx")  # channels of RGB frames have images of their own
        with tempfile.TemporaryDirectory() as folder:
            about = self.about(Path(folder), spec, leading)
            if not self.holds(spec):
                with pytest.raises(RecordError, match="record them as"):
                    self.format.make(about)
                return
            with self.series(about) as series:
                pages = write(series, about, elements)
                self.check(about, elements, pages)
            self.format.finish(about, elements, pages)
            self.check(about, elements, pages)
            self.check_alone(about, elements)

    @pytest.mark.parametrize("kept", [1, 4, 12])
    def test_what_has_no_row_is_written_again(self, tmp_path: Path, kept: int) -> None:
        about = self.about(tmp_path)
        with self.series(about) as series:
            pages = write(series, about, ELEMENTS)
        known = [page for page in pages[:kept] if page is not None]
        with self.series(about, 1 + max(known, default=-1)) as series:
            pages[kept:] = write(series, about, ELEMENTS[kept:], kept)
            self.check(about, ELEMENTS, pages)
        self.format.finish(about, ELEMENTS, pages)
        self.check(about, ELEMENTS, pages)
        self.check_alone(about, ELEMENTS)

    def test_an_image_of_which_nothing_has_a_row_is_begun_anew(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        with self.series(about) as series:
            write(series, about, ELEMENTS[:3])
        with self.series(about, 0) as series:
            pages = write(series, about, ELEMENTS)
        self.format.finish(about, ELEMENTS, pages)
        self.check(about, ELEMENTS, pages)

    def test_an_image_grows_again_after_its_end(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        with self.series(about) as series:
            pages = write(series, about, ELEMENTS[:5])
        for _ in range(2):
            self.format.finish(about, ELEMENTS[:5], pages)
        self.check_alone(about, ELEMENTS[:5])
        count = 1 + max((page for page in pages if page is not None), default=-1)
        with self.series(about, count) as series:
            pages += write(series, about, ELEMENTS[5:], 5)
        self.format.finish(about, ELEMENTS, pages)
        self.check(about, ELEMENTS, pages)
        self.check_alone(about, ELEMENTS)

    def test_frames_without_a_row_are_cut_off_at_the_end(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        with self.series(about) as series:
            pages = write(series, about, ELEMENTS)
        self.format.finish(about, ELEMENTS[:6], pages[:6])
        self.check(about, ELEMENTS[:6], pages[:6])
        self.check_alone(about, ELEMENTS[:6])

    def test_a_reader_sees_frames_that_come_after_it(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        with self.series(about) as series:
            pages = write(series, about, ELEMENTS[:2])
            images = self.format.read(about)
            np.testing.assert_array_equal(images.read(ELEMENTS[1], pages[1]), pixels_of(SPEC, ELEMENTS[1]))
            pages += write(series, about, ELEMENTS[2:], 2)
            np.testing.assert_array_equal(images.read(ELEMENTS[9], pages[9]), pixels_of(SPEC, ELEMENTS[9]))

    def test_what_is_not_there_cannot_be_read(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        with pytest.raises(RecordError, match="cannot be read"):
            self.format.read(about)
        with self.series(about) as series:
            write(series, about, ELEMENTS[:2])
        images = self.format.read(about)
        with pytest.raises((ValueError, RuntimeError, OSError)):
            images.read((2, 1, 1), 11)

    def test_only_its_own_files_are_removed(self, tmp_path: Path) -> None:
        about = self.about(tmp_path)
        other = self.about(tmp_path / "other")
        other.path.parent.mkdir()
        for each in (about, other):
            with self.series(each) as series:
                pages = write(series, each, ELEMENTS[:2])
        (tmp_path / "frames.parquet").write_bytes(b"table")
        self.format.remove(about)
        self.format.remove(about)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["frames.parquet", "other"]
        self.format.finish(other, ELEMENTS[:2], pages)
        self.check_alone(other, ELEMENTS[:2])

    def test_a_folder_that_cannot_be_written_to(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(RecordError, match="choose a folder that can be written to"):
            self.format.make(self.about(tmp_path / "file"))

    def test_a_full_disk_takes_nothing_that_was_written(self, small_disk: Path) -> None:
        (small_disk / "room").write_bytes(bytes(100_000))
        about = self.about(small_disk, FrameSpec((128, 128)), "t")
        elements = [(t,) for t in range(100)]
        series = self.format.make(about)
        written, pages = [], []
        for number, at in enumerate(elements):
            page, future = series.write(at, pixels_of(about.spec, at), note(number, at, "t"))
            try:
                future.result()
            except (OSError, ValueError, RuntimeError):
                continue
            written.append(at)
            pages.append(page)
        series.close()
        assert 40 < len(written) < 64  # 32 KB each
        self.check(about, written, pages)
        (small_disk / "room").unlink()
        self.format.finish(about, written, pages)
        self.check(about, written, pages)
        self.check_alone(about, written)

    def test_many_frames_wait_for_the_disk_together(self, tmp_path: Path) -> None:
        about = self.about(tmp_path, FrameSpec((64, 64)), "t")
        elements = [(t,) for t in range(300)]
        with self.series(about) as series:
            pages = write(series, about, elements)
        self.format.finish(about, elements, pages)
        self.check(about, elements, pages)
        self.check_alone(about, elements)
