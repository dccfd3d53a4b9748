"""Label volumes of star-convex polyhedra: against every voxel of every tetrahedron."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onscope.runtime import PipelineError
from onscope.runtime.decode import _star_convex_3d, decoder
from onscope.runtime.decode._polyhedra import Polyhedra, shared_by_balls
from onscope.runtime.decode._rays import golden_spiral
from onscope.runtime.package import make_step

Array = np.ndarray[Any, Any]
AXES = ["batch", "channel", "z", "y", "x"]
STAR: dict[str, Any] = {
    "prob_threshold": 0.3, "nms_threshold": 0.4, "n_rays": 48, "grid": (1, 1, 1), "b": 0,
    "anisotropy": (2.0, 1.0, 1.0), "overlap_label": None,
}  # fmt: skip


def star(output: Array, **more: Any) -> Array:
    step = make_step("stardist_postprocessing", {**STAR, "n_rays": output.shape[0] - 1, **more})
    labels, axes = decoder(AXES, {}, [step])(output[None])
    assert (axes, labels.dtype.name) == ("zyx", "int32")
    return labels


def spiral(count: int, anisotropy: tuple[float, float, float]) -> Array:
    """Directions (z, y, x) of the golden spiral, one after the other."""
    rays = []
    for number in range(count):
        z, turn = -1 + 2 * number / (count - 1), number * np.pi * (3 - np.sqrt(5))
        ray = np.array([z, np.sqrt(1 - z * z) * np.sin(turn), np.sqrt(1 - z * z) * np.cos(turn)]) / anisotropy
        rays.append(ray / np.linalg.norm(ray))
    return np.array(rays)


def masks(centres: Array, distances: Array, shape: tuple[int, ...], anisotropy: tuple[float, float, float]) -> Array:
    """Of each polyhedron which voxels are in one of its tetrahedra: made of its three corners by parts of at most 1."""
    rays = spiral(distances.shape[1], anisotropy)
    faces = golden_spiral(distances.shape[1], anisotropy).faces
    at = np.indices(shape).reshape(3, -1).T
    found = np.zeros((len(centres), len(at)), bool)
    for number, (centre, own) in enumerate(zip(centres, distances, strict=True)):
        corners, away = own[:, None] * rays, at - centre
        for face in corners[faces]:
            low, high = (end(face, axis=0, initial=0.0) for end in (np.min, np.max))
            near = np.flatnonzero(((away > low - 0.01) & (away < high + 0.01)).all(1))  # others cannot be in it
            parts = np.linalg.solve(face.T, away[near].T)
            found[number, near] |= (parts >= -1e-9).all(0) & (parts.sum(0) <= 1 + 1e-6)
    return found.reshape(len(centres), *shape)


@settings(max_examples=4, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(12, (1.0, 1.0, 1.0)), (32, (2.0, 1.0, 1.0)), (48, (3.5, 1.0, 1.0))]),
    st.sampled_from([(1, 1, 1), (1, 2, 2)]),
)
def test_suppression_and_voxels_are_those_of_all_tetrahedra(
    seed: int, rays: tuple[int, tuple[float, float, float]], grid: tuple[int, int, int]
) -> None:
    """Polyhedra at random, overlapping and across the border, all within the volume of the oracle."""
    random = np.random.default_rng(seed)
    count, anisotropy = rays
    size = (10, 20 // grid[1], 22 // grid[2])
    output = np.zeros((1 + count, *size), np.float32)
    places = random.choice(output[0].size, 7, replace=False)
    scores = np.sort(random.uniform(0.31, 1, 7).astype(np.float32))[::-1]
    output[0].ravel()[places] = scores
    across = np.linalg.norm(spiral(count, anisotropy) * anisotropy, axis=1)
    distances = (random.uniform(4, 8, (7, 1)) * random.uniform(0.7, 1.3, (7, count)) / across).astype(np.float32)
    output[1:].reshape(count, -1)[:, places] = distances.T
    shape = tuple(np.multiply(size, grid))
    centres = np.stack(np.unravel_index(places, size), axis=1) * grid
    around = 12  # voxels outside of the image count for overlaps
    inside = masks(centres + around, distances, tuple(np.add(shape, 2 * around)), anisotropy)
    volumes = golden_spiral(count, anisotropy)
    exact = Polyhedra(volumes, centres, lambda numbers: distances[numbers]).shapes(np.arange(7)).volumes
    kept: list[int] = []
    margin = 1.0
    for number in range(7):
        shares = [(inside[number] & inside[one]).sum() / min(exact[number], exact[one]) for one in kept]
        margin = min([margin, *(abs(share - 0.4) for share in shares)])
        if all(share <= 0.4 for share in shares):
            kept.append(number)
    assume(margin > 0.02)  # voxels whose middle is on a face, and balls that stand for voxels
    expected = np.zeros(shape, np.int32)
    middle = (slice(around, -around),) * 3
    for label, number in reversed(list(enumerate(kept, 1))):
        expected[inside[number][middle]] = label
    _, expected = np.unique(np.append(expected.ravel(), 0), return_inverse=True)
    found = star(output, grid=grid, anisotropy=anisotropy)
    assert np.mean(found != expected[:-1].reshape(shape)) < 0.001


def test_volumes_and_balls_are_those_of_geometry() -> None:
    rays = golden_spiral(256, (2.0, 1.0, 1.0))
    across = np.linalg.norm(rays.directions * rays.stretch, axis=1)
    distances = np.array([[10.0], [5.0]], np.float32) / across  # balls where voxels are twice as long
    shapes = Polyhedra(rays, np.zeros((2, 3), np.intp), lambda numbers: distances[numbers]).shapes(np.arange(2))
    assert shapes.volumes == pytest.approx(4 / 3 * np.pi * np.array([1000, 125]) / 2, rel=0.05)
    assert shapes.outer == pytest.approx([10, 5], rel=1e-5)
    assert shapes.inner == pytest.approx([10, 5], rel=0.05)
    assert (shapes.inner < shapes.outer).all()
    own, others, apart = np.array([3.0]), np.array([3.0, 1.0, 3.0, 2.0]), np.array([0.0, 1.5, 6.5, 3.0])
    random = np.random.default_rng(0)
    points = random.uniform(-3, 3, (200_000, 3))
    within = (points**2).sum(1) < 9
    for found, radius, far in zip(shared_by_balls(own, others, apart), others, apart, strict=True):
        share = np.mean(within & (((points - [far, 0, 0]) ** 2).sum(1) < radius**2))
        assert found == pytest.approx(216 * share, abs=0.6)


def test_the_most_probable_object_is_label_1_and_above_the_others() -> None:
    output = np.zeros((49, 16, 30, 44), np.float32)
    output[1:] = 6
    output[0, 8, 12, 14], output[0, 8, 12, 23], output[0, 8, 12, 35] = 0.6, 0.9, 0.31
    found = star(output)
    assert (found[8, 12, 23], found[8, 12, 14], found[8, 12, 19], found[8, 12, 37]) == (1, 2, 1, 3)
    assert star(output, overlap_label=-1)[8, 12, 18] == -1
    assert set(np.unique(star(output, overlap_label=9))) == {0, 1, 2, 3, 9}
    few = star(output, nms_threshold=0.01)
    assert (few[8, 12, 23], few[8, 12, 12], few[8, 12, 37], few.max()) == (1, 0, 2, 2)
    assert star(output, prob_threshold=0.7).max() == 1
    assert star(output, b=((0, 0), (0, 0), (15, 0))).max() == 2
    assert star(output, b=9).max() == 0
    output[1:, 8, 12, 35] = 0.5  # its own voxel alone, which the second one has
    output[0, 8, 12, 35], output[1:, 8, 12, 14] = 0, 6
    output[0, 8, 12, 20], output[1:, 8, 12, 20] = 0.5, 0.5
    assert star(output, nms_threshold=1.0).max() == 2


def test_too_many_candidates_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_star_convex_3d, "MOST", 3)
    output = np.full((49, 6, 6, 6), 1, np.float32)
    decode = decoder(AXES, {}, [make_step("stardist_postprocessing", {**STAR, "b": 1})])
    decode(output[None])
    assert decode.told == ["64 candidates for star-convex objects: the 3 most probable were looked at"]
    decode(np.zeros_like(output)[None])
    assert decode.told == []


@pytest.mark.parametrize("value", [np.inf, -np.inf, 3e38, 40.0])
def test_values_without_bounds_are_labels_all_the_same(value: float) -> None:
    output = np.full((33, 8, 20, 24), value, np.float32)
    output[0] = 0.5
    output[0, 4, 10, 12] = 0.6
    found = star(output)
    # Polyhedra of the size of the volume, or of no size.
    assert found.max() == 1 if value > 0 else np.array_equal(np.unique(found), np.arange(1, 8 * 20 * 24 + 1))


@pytest.mark.long
@given(st.integers(0, 1000), st.floats(0.1, 50))
@settings(max_examples=10, deadline=None)
def test_whatever_a_network_answers_there_is_a_label_volume(seed: int, size: float) -> None:
    output = np.random.default_rng(seed).normal(0, size, (9, 6, 10, 12)).astype(np.float32)
    found = star(output)
    assert found.shape == (6, 10, 12)
    assert set(np.unique(found)) - {0} == set(range(1, found.max() + 1))
    assert np.array_equal(found, star(output))


@pytest.mark.parametrize(
    ("arguments", "axes", "words"),
    [
        (STAR, ["batch", "channel", "y", "x"], "expected channel, z, y and x"),
        ({**STAR, "n_rays": 3}, AXES, "3 rays"),
        ({**STAR, "n_rays": 10**9}, AXES, "expected 4 to 1024 rays"),
        ({**STAR, "grid": (0, 1, 1)}, AXES, r"the grid \(0, 1, 1\)"),
        ({**STAR, "anisotropy": (0.0, 1.0, 1.0)}, AXES, r"the anisotropy \(0\.0, 1\.0, 1\.0\)"),
        ({**STAR, "anisotropy": (float("nan"), 1.0, 1.0)}, AXES, "the anisotropy"),
        ({**STAR, "anisotropy": (1e6, 1.0, 1.0)}, AXES, "the anisotropy"),
    ],
)
def test_what_cannot_be_decoded_is_a_sentence(arguments: Any, axes: list[str], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        decoder(axes, {}, [make_step("stardist_postprocessing", arguments)])


def test_rays_are_not_made_before_the_output_is_seen() -> None:
    decode = decoder(AXES, {}, [make_step("stardist_postprocessing", {**STAR, "n_rays": 1000})])
    made = golden_spiral.cache_info().misses
    with pytest.raises(PipelineError, match="expected 1001 channels"):
        decode(np.zeros((1, 9, 4, 4, 4), np.float32))
    assert golden_spiral.cache_info().misses == made
