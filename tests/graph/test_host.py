"""Statistics that the host hands to a graph: exact, shared, frozen or running, and never of a wrong frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onscope.runtime.graph._types import Raw, Scalar, Statistic
from onscope.runtime.graph.statistics import _distribution, _host
from onscope.runtime.graph.statistics._distribution import distributions, merged
from onscope.runtime.graph.statistics._host import HostScalars
from onscope.runtime.graph.statistics._selection import Selection

LOW, HIGH = Statistic("percentile", 1.0), Statistic("percentile", 99.8)
PERCENTILES = st.one_of(st.sampled_from([0.0, 0.1, 1.0, 50.0, 99.8, 100.0]), st.floats(0, 100))


def scalar(statistic: Statistic, **more: Any) -> Scalar:
    given: dict[str, Any] = {"input": "s", "stage": "stage", "statistic": statistic, "shape": ()}
    return Scalar(**(given | more))


def one(frame: np.ndarray, statistic: Statistic, **more: Any) -> float:
    raw = Raw(frame.shape, frame.dtype.name, "yxs" if frame.ndim == 3 else "yx")
    return float(HostScalars([scalar(statistic, **more)], raw).values([frame])[0].reshape(()))


@st.composite
def frames(draw: st.DrawFn) -> np.ndarray:
    """Few or many values, small or large ones, of every dtype that frames may have."""
    dtype = draw(st.sampled_from(["uint8", "uint16", "float32"]))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=20))
    top = 255 if dtype == "uint8" else 65535
    low = draw(st.integers(0, top))
    high = draw(st.integers(low, min(top, low + draw(st.sampled_from([1, 10, 1000, top])))))
    generator = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    if dtype == "float32":
        return generator.uniform(low, high, shape).astype(np.float32)
    return generator.integers(low, high + 1, shape).astype(dtype)


@settings(max_examples=300)
@given(frames(), PERCENTILES, st.sampled_from(["linear", "inverted_cdf"]))
def test_percentiles_are_numpys_to_the_last_bit(frame: np.ndarray, percentile: float, method: Any) -> None:
    found = merged(distributions(frame)).measure(Statistic("percentile", percentile, method))
    assert found == np.quantile(frame, np.array([percentile / 100]), method=method)[0]


@settings(max_examples=200)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=40), st.data())
def test_any_floats_are_found_by_their_rank(numbers: list[float], data: st.DataObject) -> None:
    pixels = np.array(numbers, np.float32)
    ranks = data.draw(st.lists(st.integers(0, pixels.size - 1), min_size=1))
    assert Selection(pixels).ranked(ranks) == np.sort(pixels)[ranks].tolist()


@pytest.mark.parametrize("top", [1.0, 1e3, 1e9])
def test_floats_of_a_frame_are_found_by_their_rank(top: float) -> None:
    pixels = np.random.default_rng(0).normal(100, 1, 50_000).astype(np.float32)
    pixels[7] = 100 + top
    ranks = [0, 1, 499, 25_000, 49_899, 49_998, 49_999]
    assert Selection(pixels).ranked(ranks) == np.sort(pixels)[ranks].tolist()


@settings(max_examples=100)
@given(frames())
def test_mean_and_standard_deviation_are_those_of_float64(frame: np.ndarray) -> None:
    of = merged(distributions(frame))
    wide = frame.astype(np.float64)
    assert of.measure(Statistic("mean")) == pytest.approx(wide.mean(), rel=1e-7 if frame.dtype == "float32" else 1e-14)
    scale = max(1.0, float(np.abs(wide).max()))
    assert of.measure(Statistic("std")) == pytest.approx(wide.std(), rel=1e-6, abs=1e-7 * scale)
    if frame.min() == frame.max() and frame.dtype != "float32":
        assert of.measure(Statistic("std")) == 0


def test_value_and_rest_hold_what_a_float32_cannot() -> None:
    frame = np.array([[40000, 40001, 40003]], np.uint16)
    raw = Raw((1, 3), "uint16")
    near, rest = HostScalars([scalar(Statistic("mean")), scalar(Statistic("mean", part="rest"))], raw).values([frame])
    assert near.dtype == rest.dtype == np.float32
    assert float(near) + float(rest) == pytest.approx(120004 / 3, rel=1e-14)
    assert float(rest) != 0


def test_large_frames_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 65536, (40, 30)).astype(np.uint16)
    whole = distributions(frame)[0]
    monkeypatch.setattr(_distribution, "EXACT_COUNT", 100)
    parts = distributions(frame)[0]
    assert isinstance(whole, _distribution.Counts)
    assert isinstance(parts, _distribution.Counts)
    assert parts.low == whole.low
    assert np.array_equal(parts.counts, whole.counts)
    assert np.array_equal(parts.counts, np.bincount(frame.ravel())[parts.low :])


def test_rgb_pixels_have_statistics_per_sample_or_of_all() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    raw = Raw(frame.shape, "uint8", "yxs")
    host = HostScalars([scalar(HIGH, shape=(1, 3, 1, 1), per="s"), scalar(HIGH, shape=(1, 1, 1, 1))], raw)
    each, whole = host.values([frame])
    assert np.array_equal(each, np.percentile(frame, 99.8, axis=(0, 1)).astype(np.float32).reshape(1, 3, 1, 1))
    assert whole.shape == (1, 1, 1, 1)
    assert whole[0, 0, 0, 0] == np.float32(np.percentile(frame, 99.8))


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_windows_are_taken_together_or_frame_by_frame(dtype: str) -> None:
    generator = np.random.default_rng(0)
    window = [generator.integers(500 * at, 500 * at + 900, (8, 6)).astype(dtype) for at in range(3)]
    raw = Raw((8, 6), dtype, length=3)
    scalars = [
        scalar(LOW, frames=(0, 1, 2)),
        scalar(HIGH, frames=(0, 1, 2), per="w", shape=(3, 1, 1)),
        scalar(Statistic("mean"), frames=(-1,)),
    ]
    together, each, last = HostScalars(scalars, raw).values(window)
    assert together == np.float32(np.quantile(np.stack(window), np.array([0.01]))[0])
    wanted = [np.quantile(frame, np.array([0.998]))[0] for frame in window]
    assert np.array_equal(each.ravel(), np.array(wanted, np.float32))
    assert last == np.float32(window[2].mean(dtype=np.float64))


def test_calibrated_counts_have_calibrated_statistics() -> None:
    frame = np.arange(12, dtype=np.uint16).reshape(3, 4) * 10
    assert one(frame, HIGH, gain=0.5, offset=-50.0) == np.float32(np.percentile(frame, 99.8) * 0.5 - 50)
    assert one(frame, Statistic("std"), gain=0.5, offset=-50.0) == np.float32(frame.std() * 0.5)


def test_frozen_values_are_the_mean_of_the_first_windows_for_ever() -> None:
    raw = Raw((2, 2), "uint16")
    host = HostScalars([scalar(Statistic("mean"), normalise="frozen", frozen_frames=3)], raw)
    assert not host.frozen
    found = []
    for value in (100, 200, 600, 5000, 0):
        found.append(float(host.values([np.full((2, 2), value, np.uint16)])[0]))
        assert host.frozen == (len(found) >= 3)
    assert found == [100, 150, 300, 300, 300]
    host.reset()
    assert not host.frozen
    assert host.values([np.full((2, 2), 7, np.uint16)])[0] == 7


def test_frozen_values_and_those_of_every_frame_stand_side_by_side() -> None:
    raw = Raw((2, 2), "uint16")
    frozen = scalar(Statistic("mean"), normalise="frozen", frozen_frames=1)
    host = HostScalars([frozen, scalar(Statistic("mean")), scalar(Statistic("mean", part="rest"))], raw)
    for value in (100, 200):
        first, now, rest = host.values([np.full((2, 2), value, np.uint16)])
        assert [float(first), float(now), float(rest)] == [100, value, 0]
    assert host.frozen


def test_running_values_follow_with_the_weight_of_their_number() -> None:
    raw = Raw((2, 2), "uint16")
    host = HostScalars([scalar(Statistic("mean"), normalise="running", frozen_frames=2)], raw)
    brightness = (100, 200, 400, 900, 900, 900, 400)
    found = [float(host.values([np.full((2, 2), value, np.uint16)])[0]) for value in brightness]
    # The mean of two, then every fourth window with the weight of four: 1 - (1 - 1/2)**4.
    expected = [100.0, 150.0, 150 + 250 * 15 / 16]
    expected += [expected[-1]] * 3
    expected.append(expected[-1] + (400 - expected[-1]) * 15 / 16)
    assert found == expected


def test_a_running_mean_that_has_begun_looks_at_every_fourth_window(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def counting(frame: np.ndarray) -> Any:
        looked_at.append(int(frame[0, 0]))
        return distributions(frame)

    monkeypatch.setattr(_host, "distributions", counting)
    two = [scalar(each, normalise="running", frozen_frames=3) for each in (LOW, HIGH)]
    host = HostScalars(two, Raw((8, 8), "uint16"))
    for number in range(13):
        host.values([np.full((8, 8), number, np.uint16)])
    assert looked_at == [0, 1, 2, 3, 7, 11]


def test_a_running_mean_finds_the_hot_pixel_and_the_saturation_too() -> None:
    frame = spots(1)
    hot = scalar(Statistic("percentile", 100.0), normalise="running", frozen_frames=1)
    host = HostScalars([hot], Raw(frame.shape, "uint16"), full_scale=65535)
    host.values([np.full_like(frame, 100)])
    assert not host.warnings
    for _ in range(4):
        host.values([frame])
    assert [note.what for note in host.warnings] == ["hot pixels"]
    for _ in range(4):
        host.values([np.full_like(frame, 65535)])
    assert [note.what for note in host.warnings] == ["hot pixels", "saturation"]


def test_a_frame_is_counted_once_while_its_key_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    original = _distribution.distributions

    def counting(frame: np.ndarray) -> Any:
        counted.append(int(frame[0, 0]))
        return original(frame)

    monkeypatch.setattr("onscope.runtime.graph.statistics._host.distributions", counting)
    frames = [np.full((2, 2), at, np.uint16) for at in range(4)]
    host = HostScalars([scalar(Statistic("mean"), frames=(0, 1))], Raw((2, 2), "uint16", length=2))
    for at in range(3):
        assert host.values(frames[at : at + 2], keys=[at, at + 1])[0] == at + 0.5
    assert counted == [0, 1, 2, 3]
    host.values(frames[:2], keys=[0, 1])  # of a place that was left meanwhile
    assert counted[4:] == []
    host.values([frames[1], frames[1]])  # no keys: nothing of it is kept, and one array is one frame
    host.values([frames[1], frames[1]])
    assert counted[4:] == [1, 1]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_slot_that_is_used_again_is_another_frame(dtype: str) -> None:
    slot = np.zeros((2, 2), dtype)
    host = HostScalars([scalar(Statistic("percentile", 50.0))], Raw((2, 2), dtype))
    for seq, value in enumerate((10, 20)):
        slot[:] = value
        assert host.values([slot])[0] == value
        assert host.values([slot], keys=[seq])[0] == value


def test_numbers_that_are_none_are_left_out() -> None:
    frame = np.array([[1, 2, np.nan, 3]], np.float32)
    assert one(frame, Statistic("percentile", 100.0)) == 3
    assert one(frame, Statistic("mean")) == 2


def spots(hot: int, dtype: str = "uint16") -> np.ndarray:
    frame = np.random.default_rng(0).poisson(100, (64, 64))
    frame[20:40, 20:40] += 800
    frame.flat[: hot * 70 : 70] = 50000
    return frame.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_one_hot_pixel_is_told_once_per_stage(dtype: str) -> None:
    told: list[Any] = []
    top = Statistic("percentile", 100.0)
    scalars = [scalar(top), scalar(top, stage="other"), scalar(Statistic("percentile", 0.0))]
    host = HostScalars(scalars, Raw((64, 64), dtype), warn=told.append)
    host.values([spots(0, dtype)])
    assert not host.warnings
    for _ in range(2):
        host.values([spots(1, dtype)])
    assert sorted(note.stage for note in host.warnings) == ["other", "stage"]
    assert told == host.warnings
    assert "50000" in told[0].why


@pytest.mark.parametrize(("hot", "percentile"), [(1, 99.8), (60, 100.0), (0, 100.0)])
def test_what_is_many_or_not_taken_is_no_hot_pixel(hot: int, percentile: float) -> None:
    host = HostScalars([scalar(Statistic("percentile", percentile))], Raw((64, 64), "uint16"))
    host.values([spots(hot)])
    assert not host.warnings


def test_a_camera_at_its_end_is_told() -> None:
    frame = np.full((64, 64), 4095, np.uint16)
    host = HostScalars([scalar(Statistic("mean"))], Raw((64, 64), "uint16"), full_scale=4095)
    host.values([frame])
    assert [note.what for note in host.warnings] == ["saturation"]
    assert "100 %" in host.warnings[0].why
    host = HostScalars([scalar(Statistic("mean"))], Raw((64, 64), "uint16"), full_scale=65535)
    host.values([frame])
    assert not host.warnings


def test_frames_of_several_places_are_known_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def counting(frame: np.ndarray) -> Any:
        looked_at.append(int(frame[0, 0]))
        return distributions(frame)

    monkeypatch.setattr(_host, "distributions", counting)
    raw = Raw((4, 4), "uint16", length=2)
    taken = [np.full((4, 4), n, np.uint16) for n in range(8)]
    host = HostScalars([scalar(HIGH, frames=(0, 1))], raw)
    windows = [(0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)]  # two places that take turns
    given = [float(host.values([taken[n] for n in window], window)[0].item()) for window in windows]
    assert looked_at == [0, 2, 1, 3, 4, 5, 6, 7]
    both = [np.stack([taken[n] for n in window]) for window in windows]
    assert given == [np.float32(np.quantile(each, 0.998)) for each in both]
    monkeypatch.setattr(_host, "KEPT_BYTES", 16)  # one histogram of one value, and its sums
    looked_at.clear()
    few = HostScalars([scalar(HIGH, frames=(0, 1))], raw)
    assert [float(few.values([taken[n] for n in window], window)[0].item()) for window in windows] == given
    assert len(looked_at) > 8


def test_what_was_frozen_can_be_gone_on_with() -> None:
    raw = Raw((4, 4), "uint16")
    scalars = [scalar(LOW, normalise="frozen", frozen_frames=2), scalar(HIGH), scalar(HIGH, normalise="running")]
    first = HostScalars(scalars, raw)
    window = [np.arange(16, dtype=np.uint16).reshape(4, 4)]
    assert first.final() == [None, None, None]
    first.values(window)
    assert first.final() == [None, None, None], "one window of two was looked at"
    first.values([window[0] * 3])
    (low,), *others = first.final()  # type: ignore[misc]
    assert others == [None, None]
    after = HostScalars(scalars, raw)
    assert after.restore(first.final())
    assert after.frozen
    assert after.values([window[0] * 7])[0] == np.float32(low)
    other = HostScalars([scalar(LOW, normalise="frozen", shape=(2, 1), per="s"), *scalars[1:]], raw)
    assert not other.restore(first.final())
    assert not other.restore([None, None, None])
    assert not other.frozen


@pytest.mark.parametrize(("mean", "std"), [(1e6, 1.0), (3e5, 0.1), (-2e6, 3.0), (4e4, 0.0), (0.0, 1.0)])
def test_a_small_spread_far_from_zero(mean: float, std: float) -> None:
    """As mean square - square of the mean, the first would be off by 2e-4, and the fourth not 0."""
    frame = (mean + std * np.random.default_rng(2).normal(size=(64, 50))).astype(np.float32)
    expected = frame.astype(np.float64)
    assert one(frame, Statistic("std")) == pytest.approx(expected.std(), rel=1e-6, abs=1e-30)
    rest = one(frame, Statistic("mean", part="rest"))
    assert one(frame, Statistic("mean")) + rest == pytest.approx(expected.mean(), abs=1e-6 * max(std, 1e-6))


def test_opencv_has_its_threads_again_after_a_histogram() -> None:
    cv2 = pytest.importorskip("cv2")
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        distributions(np.arange(64, dtype=np.uint16).reshape(8, 8))
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
