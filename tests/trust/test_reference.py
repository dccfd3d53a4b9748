"""What is usual: distances of frames of one kind and of others, limits that good frames keep to, and hostile files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import PackageError
from onscope.runtime.trust import (
    STATISTICS,
    Limits,
    Reference,
    fit_reference,
    input_statistics,
    limited,
    reference_from,
    values_of,
)

from .frames import expected, exposed, looked_at, scene


def statistics(image: Any) -> Any:
    found = input_statistics(looked_at(image))
    assert found is not None
    return found


def usual(count: int = 30) -> Reference:
    return fit_reference([statistics(exposed(scene(seed, (192, 192)), seed)) for seed in range(count)], ())


def test_noise_alone_has_no_details() -> None:
    """All bands hold the variance that white noise has in them; the coarsest is a mean over few squares."""
    noise = np.random.default_rng(0).normal(500, 20, (384, 384)).astype(np.float32)
    found = dict(zip(STATISTICS, statistics(noise), strict=True))
    for name in STATISTICS[3:]:
        assert found[name] == pytest.approx(0, abs=0.15), name
    assert found["skew"] == pytest.approx(0, abs=0.03)
    assert found["peak"] == pytest.approx(np.log10(2.878), abs=0.03)  # the normal distribution's 99.8th percentile


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 40), st.floats(-1000, 20_000))
def test_statistics_do_not_know_gain_and_offset(gain: float, offset: float) -> None:
    frame = exposed(scene(1, (128, 128)), 1).astype(np.float32)
    assert statistics(frame * np.float32(gain) + np.float32(offset)) == pytest.approx(statistics(frame), abs=0.02)


def test_frames_of_the_kind_are_near_and_others_are_far() -> None:
    reference = usual()
    same = [reference.distance(statistics(exposed(scene(seed, (192, 192)), seed))) for seed in range(100, 110)]
    dim = [reference.distance(statistics(exposed(scene(seed, (192, 192)) / 8, seed))) for seed in range(100, 110)]
    noise = reference.distance(statistics(np.random.default_rng(3).normal(100, 9, (192, 192)).astype(np.float32)))
    assert max(same) < 5 < min(dim)
    assert noise > 5


def test_one_percent_of_good_frames_is_suspect_at_most_and_bad_ones_are() -> None:
    rng = np.random.default_rng(4)

    def drawn(count: int, bias: float = 0.0) -> list[dict[str, float]]:
        return [
            {"bias": rng.normal(bias, 0.01), "rsp": 1 - abs(rng.normal(0, 0.02)), "distance": rng.chisquare(9) ** 0.5}
            for _ in range(count)
        ]

    good = drawn(1000)
    reference = limited(usual(5), good)
    flagged = [reference.judge(each)[1] for each in good]
    assert 0 < sum(map(bool, flagged)) <= 10
    fresh = [reference.judge(each)[1] for each in drawn(2000)]
    assert sum(map(bool, fresh)) <= 60
    assert all("bias" in reference.judge(each)[1] for each in drawn(20, bias=0.2))
    assert reference.limits["distance"].low is None
    assert reference.limits["rsp"].high is None


def test_few_frames_give_wide_limits_that_hold_them() -> None:
    values = [{"removed": 0.9 + 0.01 * number, "distance": 2.0} for number in range(5)]
    reference = limited(usual(5), values)
    assert all(reference.judge(each)[1] == () for each in values)
    assert reference.judge({"removed": 0.0})[1] == ("removed",)
    assert reference.limits["distance"].high == pytest.approx(4.86, abs=0.01)


def test_excess_is_one_at_the_limit() -> None:
    limits = Limits(-1.0, 0.0, 3.0)
    assert [limits.excess(value) for value in (-2.0, -1.0, 0.0, 1.5, 3.0, 6.0)] == [2, 1, 0, 0.5, 1, 2]
    assert Limits(None, 1.0, 2.0).excess(-50.0) == 0
    assert Limits(1.0, 1.0, 1.0).excess(1.1) == np.inf


def test_what_is_suspect_is_named_and_how_far_it_is() -> None:
    electrons = scene(1)
    raw, truth = exposed(electrons, 2), expected(electrons)
    reference = Reference(usual().mean, usual().covariance, 30, {"bias": Limits(-0.05, 0.0, 0.05)})
    fine, suspect = values_of(looked_at(raw), looked_at(truth), reference)
    assert suspect == ()
    assert fine["suspicion"] < 1
    wrong, suspect = values_of(looked_at(raw), looked_at(truth + 5), reference)
    assert suspect == ("bias",)
    assert wrong["suspicion"] == pytest.approx(abs(wrong["bias"]) / 0.05)
    assert "distance" in wrong


def test_it_is_the_same_after_a_file() -> None:
    reference = limited(usual(), [{"bias": 0.01, "rse": 1.0}])
    assert reference_from(json.loads(json.dumps(reference.plain()))) == reference
    assert dict(reference_from(reference.plain()).limits) == dict(reference.limits)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("statistics", ["peak"]),
        ("statistics", None),
        ("mean", [0.0]),
        ("mean", ["a"] * 9),
        ("mean", [float("nan")] * 9),
        ("mean", [[1], [2, 3]]),
        ("covariance", [[0.0] * 9] * 9),
        ("covariance", [[float("inf")] * 9] * 9),
        ("covariance", np.triu(np.ones((9, 9))).tolist()),
        ("frames", 0),
        ("frames", True),
        ("frames", "many"),
        ("source", 3),
        ("limits", {"bias": [1, 2]}),
        ("limits", {"bias": [3, 2, 1]}),
        ("limits", {"bias": [None, None, 1]}),
        ("limits", {"bias": ["a", 1, 2]}),
        ("limits", {"bias": [0, float("inf"), None]}),
    ],
)
def test_what_no_export_wrote_is_refused(key: str, value: Any) -> None:
    with pytest.raises(
        PackageError, match=r"^found config\.onscope\.trust with .*: export the package again, or remove"
    ):
        reference_from({**usual(3).plain(), key: value})


@pytest.mark.parametrize("plain", [None, 5, "trust", []])
def test_no_values_at_all_are_refused(plain: Any) -> None:
    with pytest.raises(PackageError, match="no named values"):
        reference_from(plain)


def test_without_frames_there_is_no_reference() -> None:
    with pytest.raises(ValueError, match="those of one frame at least"):
        fit_reference([], ())
