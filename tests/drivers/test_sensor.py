"""A source behind a simulated sensor: seeded noise, and the truth of each frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from onscope.drivers import SensorSource, replay, with_sensor
from onscope.runtime import Frame, FrameId, FrameSpec, Source, SourceError
from onscope.specimen import DEMO_SENSOR, Sensor, demo_photons

from .source_tests import SourceTests, given

SHAPE = (32, 32)


@dataclass
class Still:
    """A source of the same noise-free image again and again, with jumps in its numbers if asked for."""

    image: np.ndarray[Any, Any]
    every: int = 1
    segments: int = 0

    def spec(self) -> FrameSpec:
        return FrameSpec(self.image.shape, self.image.dtype.name, "yx" if self.image.ndim == 2 else "yxs")

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        segment, self.segments = self.segments, self.segments + 1
        for number in range(n if n is not None else 10**6):
            yield Frame(FrameId("run", "camera", segment, number * self.every), self.image.copy())


def beads() -> np.ndarray[Any, Any]:
    image = np.zeros(SHAPE, "uint16")
    image[8:24, 8:24] = 300
    return image


def sensed(seed: int = 0, every: int = 1, **options: Any) -> SensorSource:
    return with_sensor(Still(beads(), every), DEMO_SENSOR, seed, photons=demo_photons, **options)


class TestSensor(SourceTests):
    def make_source(self) -> AbstractContextManager[Source]:
        return given(sensed())

    def make_unknown(self) -> AbstractContextManager[Source]:
        return given(sensed(seed=-1))


class TestSensorBehindReplay(SourceTests):
    folder: Path

    @pytest.fixture(autouse=True)
    def source_place(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_source(self) -> AbstractContextManager[Source]:
        tifffile.imwrite(self.folder / "clean.tif", np.stack([beads()] * 8), photometric="minisblack")
        return given(with_sensor(replay(self.folder / "clean.tif"), Sensor(bit_depth=12), photons=demo_photons))

    def make_unknown(self) -> AbstractContextManager[Source]:
        return given(sensed(remember=0))


def test_truth_is_what_many_noisy_frames_tend_to() -> None:
    source = sensed()
    frames = list(source.frames(200))
    truth = source.truth(frames[-1].id)
    assert truth.dtype == np.float32
    np.testing.assert_array_equal(truth, DEMO_SENSOR.expected_counts(demo_photons(beads())))
    mean = np.mean([frame.pixels for frame in frames], axis=0)
    spread = np.std([frame.pixels for frame in frames], axis=0)
    assert np.abs(mean - truth).max() < 6 * spread.max() / np.sqrt(200)
    assert spread.min() > 1
    noise = np.array([frame.pixels - truth for frame in frames[:2]])
    assert abs(np.corrcoef(noise.reshape(2, -1))[0, 1]) < 0.2  # no two frames have the same noise


def test_noise_depends_on_seed_segment_and_number_alone() -> None:
    first = {frame.id.seq: frame.pixels for frame in sensed(seed=5).frames(9)}
    for frame in sensed(seed=5, every=2).frames(4):  # every second frame was lost before the sensor
        np.testing.assert_array_equal(frame.pixels, first[frame.id.seq])
    other = next(sensed(seed=6).frames(1))
    assert (other.pixels != first[0]).any()
    source = sensed(seed=5)
    next(source.frames(1))
    assert (next(source.frames(1)).pixels != first[0]).any()


def test_truth_is_forgotten_after_a_while() -> None:
    source = sensed(remember=3)
    frames = list(source.frames(5))
    for frame in frames[2:]:
        assert source.truth(frame.id).shape == SHAPE
    for frame in frames[:2]:
        with pytest.raises(SourceError, match="found no truth for frame run/camera/0/"):
            source.truth(frame.id)


def test_truth_does_not_change_with_the_frame() -> None:
    source = sensed()
    frame = next(source.frames(1))
    before = source.truth(frame.id)
    frame.pixels[...] = 0
    np.testing.assert_array_equal(source.truth(frame.id), before)


def test_colour_has_no_sensor() -> None:
    with pytest.raises(SourceError, match="found colour frames"):
        with_sensor(Still(np.zeros((4, 4, 3), "uint8")), DEMO_SENSOR, photons=demo_photons)
