"""What the packages promise, through ONNX Runtime, on frames that training never saw."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._demo_camera import demo_camera_frames
from onscope.export.zoo._quality import Graphs, behind_demo_sensor, simulated
from onscope.export.zoo._scenes import draw_demo
from onscope.specimen import DEMO_SENSOR, Beads, Scene, Sensor, no_beads

SEEDS = (31_000_001, 31_000_002, 31_000_003)


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return Graphs(PACKAGES, threads=1)


def test_scenes_like_the_demo(graphs: Graphs) -> None:
    scores = [graphs.score(simulated(draw_demo(seed, (256, 256)))) for seed in SEEDS]
    for one in scores:
        assert one.denoised > max(one.raw, one.gaussian, one.median) + 3
        assert one.enlarged is not None
        assert one.bicubic is not None
        assert one.enlarged > one.bicubic
    found = reduce(add, (one.found for one in scores))
    assert found.f1 > 0.9
    assert found.rms_px < 0.3


def test_frames_of_the_demo_camera(graphs: Graphs) -> None:
    samples = [
        behind_demo_sensor(units[100:400, 60:380], seed)
        for seed, units in enumerate(demo_camera_frames(2, step_um=131.0))
    ]
    scores = [graphs.score(sample) for sample in samples]
    for one in scores:
        assert one.denoised > max(one.raw, one.gaussian, one.median) + 3
        assert one.found.f1 > 0.9


@pytest.mark.parametrize("background", [0.5, 4.0, 50.0])
def test_nothing_is_found_in_an_empty_noisy_frame(graphs: Graphs, background: float) -> None:
    for sensor in (DEMO_SENSOR, Sensor(gain_counts_per_electron=0.6, read_noise_electrons=3.0, offset_counts=400)):
        rng = np.random.default_rng(5)
        frame = sensor.expose(Scene((256, 256), no_beads(), background_photons=background).photons(), rng, exact=True)
        denoised = graphs.denoise(frame)
        assert len(graphs.spots(denoised)) == 0
        assert float(denoised.mean()) == pytest.approx(float(frame.mean()), abs=1.0)


def test_a_frame_without_any_noise_or_contrast_is_left_alone(graphs: Graphs) -> None:
    frame = np.full((64, 80), 1000, dtype=np.uint16)
    assert np.abs(graphs.denoise(frame).astype(int) - 1000).max() <= 1
    assert np.abs(graphs.enlarge(frame).astype(int) - 1000).max() <= 1
    assert len(graphs.spots(frame)) == 0


def test_saturated_beads_stay_single_spots_within_the_range(graphs: Graphs) -> None:
    sensor = Sensor(full_well_electrons=2000)
    y, x = (position.ravel() for position in np.mgrid[20:110:30, 22:120:32].astype(float))
    scene = Scene((128, 128), Beads(y, x, np.full(12, 60_000.0), np.full(12, 1.8)), background_photons=4.0)
    frame = sensor.expose(scene.photons(), np.random.default_rng(2), exact=True)
    assert (frame == sensor.saturation_counts).sum() > 20
    denoised = graphs.denoise(frame)
    assert denoised.max() <= 1.15 * sensor.saturation_counts
    assert len(graphs.spots(denoised)) == 12


def test_table_is_sorted_and_padded_with_zeros(graphs: Graphs) -> None:
    table = graphs.spots(graphs.denoise(draw_demo(SEEDS[0], (97, 131)).frame), threshold=0.0)
    assert table.shape == (2048, 3)
    assert (np.diff(table[:, 2]) <= 0).all()
    assert (table[table[:, 2] == 0] == 0).all()
    assert -0.5 <= table[:, 0].min() <= table[:, 0].max() <= 96.5
    assert -0.5 <= table[:, 1].min() <= table[:, 1].max() <= 130.5


@pytest.mark.parametrize("shape", [(16, 16), (17, 23), (63, 64), (129, 95)])
def test_odd_and_small_frames(graphs: Graphs, shape: tuple[int, int]) -> None:
    denoised = graphs.denoise(draw_demo(SEEDS[1], shape).frame)
    assert denoised.shape == shape
    assert graphs.enlarge(denoised).shape == (2 * shape[0], 2 * shape[1])
