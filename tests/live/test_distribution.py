"""Distributions of pixels and depth: medians, spreads and micrometres, against SciPy's and NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from onscope.runtime import PipelineError
from onscope.runtime.decode import decoder
from onscope.runtime.decode._sorting import comparators, sort_planes

AXES = ["batch", "channel", "y", "x"]
FAMILIES = {"gauss": stats.norm, "laplace": stats.laplace}
LOW, HIGH = stats.norm.cdf([-1, 1])


def distribution(output: np.ndarray, axes: list[str] | None = None, **more: Any) -> np.ndarray:
    answer, letters = decoder(axes or AXES, {"decode": "distribution", **more})(output)
    assert answer.dtype == np.float32
    assert letters == ("yx" if "answer" in more else "yxc")
    return answer


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(FAMILIES)), st.floats(-100, 100), st.floats(0.01, 50))
def test_widths_of_all_kinds_are_one_spread(family: str, middle: float, scale: float) -> None:
    law = FAMILIES[family](middle, scale)
    expected = (law.ppf(HIGH) - law.ppf(LOW)) / 2
    widths = {
        "scale": scale, "log_scale": np.log(scale), "variance": law.var(), "log_variance": np.log(law.var()),
    }  # fmt: skip
    for width, value in widths.items():
        output = np.empty((1, 2, 3, 4), np.float32)
        output[0, 0], output[0, 1] = middle, value
        found = distribution(output, family=family, width=width)
        assert found[..., 0] == pytest.approx(np.full((3, 4), middle), rel=1e-5, abs=1e-5)
        assert found[..., 1] == pytest.approx(np.full((3, 4), expected), rel=1e-4)


def test_the_spread_of_a_gaussian_is_its_standard_deviation() -> None:
    output = np.ones((1, 2, 2, 2), np.float32) * 3
    assert distribution(output, family="gauss")[..., 1] == pytest.approx(np.full((2, 2), 3.0))


@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.9), (0.025, 0.25, 0.75, 0.975), (0.3, 0.7), (LOW, 0.5, HIGH)])
def test_quantiles_of_a_gaussian_are_its_median_and_standard_deviation(levels: tuple[float, ...]) -> None:
    output = np.broadcast_to(stats.norm(7, 2).ppf(levels).reshape(1, -1, 1, 1), (1, len(levels), 3, 5))
    found = distribution(output.astype(np.float32), family="quantiles", levels=levels)
    assert found == pytest.approx(np.broadcast_to([7, 2], (3, 5, 2)), rel=1e-5)


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.float32, st.tuples(st.integers(2, 9), st.just(1), st.integers(1, 4), st.integers(1, 4)),
                     elements=st.floats(-1000, 1000, width=32)))  # fmt: skip
def test_samples_are_numpys_percentiles(samples: np.ndarray) -> None:
    found = distribution(samples, family="samples")
    low, median, high = np.quantile(samples[:, 0].astype(np.float64), [LOW, 0.5, HIGH], axis=0)
    assert found[..., 0] == pytest.approx(median, rel=1e-5, abs=1e-3)
    assert found[..., 1] == pytest.approx((high - low) / 2, rel=1e-4, abs=1e-3)


def test_one_of_the_two_is_an_image() -> None:
    output = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    assert np.array_equal(distribution(output, family="gauss", answer="median"), output[0, 0])
    assert np.array_equal(distribution(output, family="gauss", answer="spread"), output[0, 1])


def test_of_several_channels_medians_come_first() -> None:
    output = np.arange(48, dtype=np.float32).reshape(1, 4, 3, 4)
    found = distribution(output, family="gauss")
    assert np.array_equal(np.moveaxis(found, -1, 0), output[0])


@pytest.mark.parametrize("count", [2, 3, 8, 13, 64])
def test_comparators_sort(count: int) -> None:
    planes = np.random.default_rng(count).integers(0, 20, (count, 100)).astype(np.float32)
    assert np.array_equal(sort_planes(planes), np.sort(planes, axis=0))
    assert all(low < high < count for low, high in comparators(count))


@pytest.mark.parametrize(
    ("axes", "stated", "words"),
    [
        (AXES, {}, "without its family"),
        (["batch", "channel"], {"family": "gauss"}, "expected y and x"),
        (["y", "x"], {"family": "gauss"}, "expected channel"),
        (AXES, {"family": "quantiles"}, "found the levels none"),
        (AXES, {"family": "quantiles", "levels": (0.9, 0.1)}, "expected two or more that rise"),
        (["batch", "channel"], {"decode": "depth"}, "expected y and x"),
        (["y", "x"], {"decode": "depth", "planes_um": (1, 2)}, "expected channel"),
    ],
)
def test_what_cannot_be_decoded_is_a_sentence(axes: list[str], stated: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        decoder(axes, {"decode": "distribution", **stated})


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"family": "gauss"}, "found 3 channels, expected middles"),
        ({"family": "quantiles", "levels": (0.1, 0.9)}, "found 3 channels, expected 2"),
        ({"decode": "depth"}, "found 3 channels of depth"),
        ({"decode": "depth", "planes_um": (1.0, 2.0)}, "found 3 channels, expected 2"),
    ],
)
def test_other_numbers_of_channels_are_refused(stated: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        decoder(AXES, {"decode": "distribution", **stated})(np.zeros((1, 3, 4, 5), np.float32))


def test_one_sample_is_no_distribution() -> None:
    with pytest.raises(PipelineError, match="no axis of several samples"):
        distribution(np.zeros((1, 1, 4, 5), np.float32), family="samples")


def depth(output: np.ndarray, **more: Any) -> np.ndarray:
    answer, letters = decoder(AXES, {"decode": "depth", **more})(output)
    assert (answer.dtype.name, letters) == ("float32", "yx")
    return answer


def test_values_are_micrometres() -> None:
    values = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    assert np.array_equal(depth(values, scale_um=0.5, offset_um=-1), values[0, 0] * 0.5 - 1)
    assert np.array_equal(depth(values), values[0, 0])


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.float32, (1, 4, 3, 2), elements=st.floats(-20, 20, width=32)))
def test_planes_are_the_best_or_the_expected_one(scores: np.ndarray) -> None:
    planes = np.array([-2, 0, 1, 5.5])
    assert np.array_equal(depth(scores, planes_um=planes.tolist(), choose="best"), planes[scores[0].argmax(axis=0)])
    raised = np.exp(scores[0].astype(np.float64) - scores[0].max(axis=0))
    expected = np.tensordot(planes, raised / raised.sum(axis=0), 1)
    assert depth(scores, planes_um=planes.tolist(), activation="softmax") == pytest.approx(expected, abs=1e-4)


def test_where_no_plane_has_a_weight_it_is_their_mean() -> None:
    scores = np.zeros((1, 2, 1, 3), np.float32)
    scores[0, :, 0, 1] = 1, 3
    scores[0, :, 0, 2] = -5, 1
    assert depth(scores, planes_um=[0.0, 4.0]).tolist() == [[2, 3, 4]]
