"""Label images of foreground maps and of embeddings: against known truth, scikit-image, and pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, PipelineError, Runtime, Stage, block
from onscope.runtime.decode import decoder
from onscope.runtime.decode._embeddings import EmbeddingsDecoder, clustered
from onscope.runtime.decode._instances import InstancesDecoder
from onscope.runtime.decode._regions import numbered
from onscope.runtime.decode._watershed import sloped, watershed
from onscope.runtime.package import make_step
from tests import models
from tests.live import label_oracle as oracle

Array = np.ndarray[Any, Any]
AXES = ["batch", "channel", "y", "x"]


def instances(*maps: Array, **more: Any) -> Array:
    labels, axes = InstancesDecoder(AXES, more)(np.stack(maps)[None].astype(np.float32))
    assert (axes, labels.dtype.name) == ("yx", "int32")
    return labels


def squares(count: int, side: int, apart: int) -> Array:
    """`count` squares in rows, 1, 2, ... in reading order, the first ones at the frame's border."""
    across = int(np.ceil(np.sqrt(count)))
    size = across * (side + apart)
    y, x = np.mgrid[:size, :size]
    row, column = y // (side + apart), x // (side + apart)
    labels = row * across + column + 1
    inside = (y % (side + apart) < side) & (x % (side + apart) < side) & (labels <= count)
    return np.where(inside, labels, 0).astype(np.int32)


def is_numbered(labels: Array) -> bool:
    """Whether labels are 1, 2, ... by the objects' first pixels."""
    found, first = np.unique(labels.ravel()[labels.ravel() > 0], return_index=True)
    return bool(np.array_equal(found, np.arange(1, len(found) + 1)) and (np.diff(first) > 0).all())


@pytest.mark.parametrize("on_tops", [True, False])
def test_a_watershed_agrees_with_scikit_image(on_tops: bool) -> None:
    """Markers on hilltops and anywhere: the same apart from pixels on lines, level ground made to fall as here."""
    differing = [_differing(seed, on_tops) for seed in range(120)]
    assert max(differing) < 0.02


def _differing(seed: int, on_tops: bool) -> float:
    """The part of the pixels of a random landscape that scikit-image's flooding gives to another marker."""
    from skimage.segmentation import watershed as flooded

    random = np.random.default_rng(seed)
    height = np.asarray(cv2.GaussianBlur(random.random((60, 80)), (0, 0), 1.5), np.float32)
    mask = height > np.quantile(height, random.uniform(0, 0.6))
    tops = mask & (height == cv2.dilate(height, np.ones((3, 3), np.uint8)))
    possible = np.flatnonzero(tops if on_tops else mask)
    places = random.choice(possible, min(len(possible), int(random.integers(1, 12))), replace=False)
    markers = np.zeros(mask.shape, np.int32)
    markers.ravel()[places] = np.arange(1, len(places) + 1)
    found = watershed(height, markers, mask)
    ground = -sloped(height, markers).astype(np.float64)
    expected: Array = flooded(ground, markers, mask=mask)  # type: ignore[no-untyped-call]
    assert np.array_equal(found > 0, expected > 0)
    assert np.array_equal(found[markers > 0], markers[markers > 0])
    return float(np.mean(found != expected))


def test_level_ground_goes_to_the_nearest_marker() -> None:
    markers = np.zeros((9, 21), np.int32)
    markers[4, 2], markers[4, 16] = 1, 2
    found = watershed(np.ones((9, 21), np.float32), markers, np.ones((9, 21), bool))
    assert (found[:, :8] == 1).all()
    assert (found[:, 11:] == 2).all()


def test_a_hill_without_a_marker_joins_over_the_highest_pass() -> None:
    height = np.array([[3, 1, 5, 2, 4]], np.float32)
    markers = np.array([[1, 0, 0, 0, 2]], np.int32)
    assert watershed(height, markers, np.ones((1, 5), bool)).tolist() == [[1, 2, 2, 2, 2]]
    alone = np.array([[True, False, True, True, True]])
    markers = np.array([[1, 0, 0, 0, 0]], np.int32)
    assert watershed(height, markers, alone).tolist() == [[1, 0, 0, 0, 0]]


def maps_of(truth: Array) -> dict[str, Array]:
    """What a network that is sure of itself answers."""
    edges = cv2.morphologyEx(truth.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    boundary = edges & (truth > 0)
    depth = np.zeros(truth.shape, np.float32)
    for label in range(1, truth.max() + 1):
        depth += cv2.distanceTransform(np.pad((truth == label).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return {
        "foreground": truth > 0,
        "background": truth == 0,
        "interior": (truth > 0) & ~boundary,
        "boundary": boundary,
        "distance": depth,
    }


@pytest.mark.parametrize(
    "maps",
    [
        ("foreground",),
        ("foreground", "boundary"),
        ("background", "interior", "boundary"),
        ("foreground", "distance"),
        ("distance",),
        ("interior", "boundary"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_separate_objects_are_found_as_they_are(maps: tuple[str, ...], seed: int) -> None:
    truth = oracle.ellipses((96, 120), (4, 5), seed)
    known = maps_of(truth)
    found = instances(*(known[name] for name in maps), maps=maps)
    assert oracle.f1(truth, found, 0.9) == 1
    assert is_numbered(found)
    if len(maps) < 3 and maps[0] == "foreground" and maps[-1] != "distance":
        assert np.array_equal(found, instances(*(known[name] for name in maps)))  # what is usual


def test_touching_objects_are_told_apart() -> None:
    truth = np.zeros((40, 64), np.int32)
    y, x = np.mgrid[:40, :64]
    for label, column in enumerate((20, 42), start=1):
        truth[(np.hypot(y - 20, x - column) < 12) & (truth == 0)] = label
    known = maps_of(truth)
    for maps in [("foreground",), ("foreground", "boundary"), ("foreground", "distance")]:
        assert oracle.f1(truth, instances(*(known[name] for name in maps), maps=maps), 0.85) == 1
    assert instances(known["foreground"], seeds="parts").max() == 1


@pytest.mark.parametrize("count", [0, 1, 2, 37, 5000])
def test_any_number_of_objects_also_at_the_border(count: int) -> None:
    truth = squares(max(count, 1), 6, 2) * (count > 0)
    found = instances(truth > 0, maps=("foreground",), min_size=4)
    assert np.array_equal(found, truth)
    offsets = embedding(truth)
    labels, _ = EmbeddingsDecoder(AXES, {"min_size": 4})(offsets[None])
    assert np.array_equal(labels, truth)


@pytest.mark.parametrize("count", [0, 1, 2, 37, 5000])
def test_any_number_of_star_convex_objects_and_of_flows(count: int) -> None:
    """Each has one label of its own: by rays of the same length from near its middle, and by flows to its middle."""
    truth = squares(max(count, 1), 6, 3) * (count > 0)
    y, x, _, seeds = embedding(truth)
    rays = np.full((8, *truth.shape), 2.4, np.float32)
    arguments = {"prob_threshold": 0.97, "nms_threshold": 0.3, "n_rays": 8, "grid": (1, 1), "b": 0}
    decode = decoder(AXES, {}, [make_step("stardist_postprocessing", arguments)])
    found, _ = decode(np.concatenate([seeds[None], rays])[None])
    pairs = np.unique(np.stack([truth[found > 0], found[found > 0]]), axis=1)
    assert pairs.shape[1] == count == len(np.unique(found)) - 1
    assert (pairs[0] > 0).all()
    flows = np.stack([y, x]) / np.maximum(np.hypot(y, x), 1) * 5
    arguments = {"cellprob_threshold": 0.0, "flow_threshold": 0.0, "do_3D": False, "min_size": 15}
    decode = decoder(AXES, {}, [make_step("cellpose_flow_dynamics", {**arguments, "output_dtype": "uint16"})])
    found, _ = decode(np.concatenate([flows, [np.where(truth > 0, 5.0, -5.0)]])[None].astype(np.float32))
    assert np.array_equal(found, truth) or count == 1  # of one alone, more than 0.4 of the image


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.sampled_from(["boundary", "distance", "parts"]))
def test_whatever_a_network_answers_there_is_a_label_image(seed: int, size: float, seeds: str) -> None:
    random = np.random.default_rng(seed)
    output = random.normal(0, size, (1, 4, 24, 30)).astype(np.float32)
    output[0, 0, 0, :3] = random.choice([np.inf, 0], 3)
    found, _ = InstancesDecoder(AXES, {"seeds": seeds, "min_size": 3})(output[:, :2])
    assert is_numbered(found)
    assert (np.bincount(found.ravel())[1:] >= 3).all()
    assert not found[output[0, 0] <= 0.5].any()
    found, _ = EmbeddingsDecoder(AXES, {"min_size": 3})(output)
    assert is_numbered(found)
    assert not found[output[0, 3] <= 0.5].any()


@pytest.mark.parametrize("value", [0.0, 1.0, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_maps_without_any_shape_are_one_object_or_none(value: float, channels: int) -> None:
    found, _ = InstancesDecoder(AXES, {})(np.full((1, channels, 20, 24), value, np.float32))
    assert found.max() <= 1
    assert (value > 0.5 or channels == 3) or not found.any()


def test_maps_have_no_channel_axis_where_there_is_one_map() -> None:
    truth = oracle.ellipses((48, 60), (2, 2), 1)
    found, _ = InstancesDecoder(["y", "x"], {})((truth > 0).astype(np.float32))
    assert oracle.f1(truth, found, 0.9) == 1


@pytest.mark.parametrize(
    ("more", "channels", "words"),
    [
        ({"maps": ("foreground", "edges")}, 2, "the maps edges for instances"),
        ({"maps": ("boundary",)}, 1, "boundary alone"),
        ({}, 5, "5 channels for instances and no maps"),
        ({"maps": ("foreground", "boundary")}, 3, "expected 2 channels"),
    ],
)
def test_maps_that_cannot_be_are_a_sentence(more: Any, channels: int, words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        InstancesDecoder(AXES, more)(np.zeros((1, channels, 8, 8), np.float32))


def test_labels_are_numbered_by_their_first_pixels() -> None:
    labels = np.array([[0, 7, 7, 0], [3, 0, 7, 0], [3, 3, 0, 9]], np.int32)
    assert numbered(labels).tolist() == [[0, 1, 1, 0], [2, 0, 1, 0], [2, 2, 0, 3]]
    assert numbered(labels, 2).max() == 2
    assert not numbered(labels, 4).any()


def embedding(truth: Array, noise: float = 0.0, seed: int = 0) -> Array:
    """(4, y, x): offsets to the middle of each object, its margin, and seeds that rise towards the middle."""
    random = np.random.default_rng(seed)
    place = np.mgrid[: truth.shape[0], : truth.shape[1]].astype(float)
    count = np.maximum(np.bincount(truth.ravel()), 1)
    middle = np.stack([np.bincount(truth.ravel(), each.ravel()) / count for each in place])
    offset = (middle[:, truth] - place) * (truth > 0)
    seeds = np.where(truth > 0, 0.55 + 0.44 * np.exp(-((offset**2).sum(0)) / 50), 0)
    margin = np.sqrt(np.bincount(truth.ravel()) / np.pi)[truth] * 0.8
    offset = offset + random.normal(0, noise, offset.shape) if noise else offset
    return np.concatenate([offset, [margin, seeds]]).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_embeddings_of_objects_are_clustered(seed: int) -> None:
    truth = oracle.ellipses((96, 120), (4, 5), seed)
    found, axes = EmbeddingsDecoder(AXES, {})(embedding(truth, 0.6, seed)[None])
    assert (axes, found.dtype.name) == ("yx", "int32")
    assert oracle.f1(truth, found, 0.9) == 1


def test_the_published_networks_numbers_are_read_as_they_are() -> None:
    """EmbedSeg's channels: tanh of x and y offsets in 1023 pixels, log bandwidths by tens, a logit."""
    truth = oracle.ellipses((96, 120), (4, 5), 4)
    y, x, margin, seed = embedding(truth).astype(np.float64)
    bandwidth = np.log(np.log(2) / (np.maximum(margin, 1) / 1023) ** 2) / 10
    raw = np.stack(
        [np.arctanh(x / 1023), np.arctanh(y / 1023), bandwidth, bandwidth, np.log(seed + 1e-9) - np.log1p(1e-9 - seed)]
    )
    names = ("offset_x", "offset_y", "margin_x", "margin_y", "seed")
    found, _ = EmbeddingsDecoder(AXES, {"maps": names, "form": "embedseg", "unit": 1023})(raw[None].astype(np.float32))
    plain, _ = EmbeddingsDecoder(AXES, {})(np.stack([y, x, np.maximum(margin, 1), seed])[None].astype(np.float32))
    assert oracle.f1(truth, found, 0.9) == 1
    assert np.mean(found != plain) < 0.01


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 12))
def test_clusters_are_those_of_taking_the_surest_again_and_again(seed: int, widest: float) -> None:
    random = np.random.default_rng(seed)
    count = 120
    points = random.uniform(-3, 40, (count, 2)).astype(np.float32)
    margin = random.uniform(0.1, widest, (count, 2)).astype(np.float32)
    sure = random.permutation(np.linspace(0.5, 1, count)).astype(np.float32)
    found, rounds = clustered(points, margin, sure, 0.7)
    owner = np.zeros(count, int)
    clusters = 0
    while (left := (owner == 0) & (sure > 0.7)).any():
        centre = int(np.argmax(np.where(left, sure, -1)))
        clusters += 1
        inside = (((points - points[centre]) / margin[centre]) ** 2).sum(1) < 1
        inside[centre] = True
        owner[inside & (owner == 0)] = clusters
    assert rounds <= clusters
    assert found.max(initial=0) == clusters
    assert len(set(zip(found, owner, strict=True))) == clusters + int((owner == 0).any())


@pytest.mark.parametrize(
    "maps", [("offset_y", "offset_x", "seed"), ("offset_y", "offset_x", "margin", "margin_y", "seed")]
)
def test_embeddings_without_what_they_need_are_a_sentence(maps: tuple[str, ...]) -> None:
    with pytest.raises(PipelineError, match="margin or margin_y and margin_x"):
        EmbeddingsDecoder(AXES, {"maps": maps})


def test_instances_of_a_package_live(runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    """A network that adds 1 to a map of the foreground; what the stage sets goes before what the package says."""
    truth = oracle.ellipses((48, 64), (2, 3), 3)
    spec = FrameSpec(truth.shape, "float32", camera="cam")
    more = {"decode": "instances", "maps": ["foreground"], "threshold": 1.5}
    package = models.plus_one(tmp_path / "plus", "float32")
    it = runtime(Pipeline([Stage("cells", package, settings=more)]), spec)
    results = it.subscribe(block(2))
    for seq, frame in enumerate([(truth > 0).astype(np.float32), np.zeros(spec.shape, np.float32)]):
        it.submit(Frame(FrameId("run", "cam", 0, seq), frame))
    assert it.drain(60)
    it.close()
    found, empty = (result["cells"] for result in results)
    assert found.dtype.name == "int32"
    assert not empty.any()
    assert oracle.f1(truth, found, 0.9) == 1


def test_embeddings_of_a_package_live(runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    """A network that has each pixel point to itself, with a margin of 5 pixels: discs around the surest pixels."""
    nodes = [
        helper.make_node("Mul", ["frame", "none"], ["offset"]),
        helper.make_node("Add", ["offset", "margin"], ["margins"]),
        helper.make_node("Concat", ["offset", "offset", "margins", "frame"], ["image"], axis=1),
    ]
    constants = {"none": np.float32(0), "margin": np.float32(5)}
    output = ("image", "float32", models.image_axes(4, reference=True))
    package = models.write(tmp_path / "points", nodes, constants, "float32", output)
    spec = FrameSpec((48, 64), "float32", camera="cam")
    y, x = np.mgrid[:48, :64]
    away = [np.hypot(y - 15, x - 20), np.hypot(y - 30, x - 45)]
    frame = np.maximum(1 - away[0] / 20, 0.98 - away[1] / 20).clip(0).astype(np.float32)
    it = runtime(Pipeline([Stage("cells", package, settings={"decode": "embeddings"})]), spec)
    results = it.subscribe(block(2))
    for seq, pixels in enumerate([frame, np.zeros_like(frame)]):
        it.submit(Frame(FrameId("run", "cam", 0, seq), pixels))
    assert it.drain(60)
    it.close()
    found, empty = (result["cells"] for result in results)
    assert found.dtype.name == "int32"
    assert not empty.any()
    assert is_numbered(found)
    assert found.max() == 2
    for label, distance in enumerate(away, start=1):
        assert (found[distance <= 4] == label).all()
        assert (distance[found == label] <= 6).all()


def test_settings_that_are_wrong_are_refused_by_the_stage(tmp_path: Path) -> None:
    package = models.plus_one(tmp_path / "plus", "float32")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"decode": "instances", "seeds": "edges"}, "seeds 'edges', expected one of boundary, distance, parts"),
        ({"decode": "instances", "min_distance": 0.5}, "min_distance 0.5"),
        ({"decode": "embeddings", "unit": 0}, "unit 0"),
        ({"decode": "boxes", "overlap": 2}, "overlap 2"),
    ]
    for more, words in wrong:
        with pytest.raises(PipelineError, match=words):
            Stage("cells", package, settings=more)
