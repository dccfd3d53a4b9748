"""Star-convex label images are StarDist's own, pixel for pixel and label for label, of the same network outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import tifffile

from onscope.runtime._precision import chosen_weights
from onscope.runtime.decode import decoder
from onscope.runtime.package import Package, make_step
from tests.live import label_oracle as oracle

nms = pytest.importorskip("stardist.nms", reason="StarDist's own code is compared with")
geometry = pytest.importorskip("stardist.geometry", reason="StarDist's own code is compared with")
Array = np.ndarray[Any, Any]


def answered(labels: Array, rays: int, grid: int, seed: int, noise: float) -> tuple[Array, Array]:
    """Probability (y, x) and distances (y, x, rays) of a network that is not quite sure, at every `grid`-th pixel."""
    random = np.random.default_rng(seed)
    edges = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    depth = cv2.distanceTransform(((labels > 0) & ~edges).astype(np.uint8), cv2.DIST_L2, 5)
    probability = np.clip(depth / 8, 0, 1) * 0.95 + random.normal(0, 0.01, labels.shape)
    distances = np.asarray(geometry.star_dist(labels, rays))
    distances = np.maximum(distances + random.normal(0, noise, distances.shape), 0.5)
    return (
        np.ascontiguousarray(probability[::grid, ::grid], np.float32),
        np.ascontiguousarray(distances[::grid, ::grid], np.float32),
    )


def both(probability: Array, distances: Array, grid: int, least: float, most: float, b: int) -> tuple[Array, Array]:
    shape = tuple(grid * size for size in probability.shape)
    points, scores, found = nms.non_maximum_suppression(
        distances, probability, grid=(grid, grid), b=b, nms_thresh=most, prob_thresh=least
    )
    expected = geometry.polygons_to_label(found, points, shape=shape, prob=scores)
    arguments = {"prob_threshold": least, "nms_threshold": most, "n_rays": distances.shape[-1], "grid": (grid, grid)}
    decode = decoder(["channel", "y", "x"], {}, [make_step("stardist_postprocessing", {**arguments, "b": b})])
    labels, _ = decode(np.concatenate([probability[None], np.moveaxis(distances, -1, 0)]))
    return labels, expected


@pytest.mark.parametrize("seed", range(12))
def test_crowded_objects_are_labelled_alike(seed: int) -> None:
    rays, grid, most = (32, 64, 16)[seed % 3], (1, 2)[seed % 2], (0.3, 0.4, 0.5)[seed // 4]
    truth = oracle.crowded(128, (10, 20, 30)[seed % 3], seed)
    probability, distances = answered(truth, rays, grid, seed, (0.3, 1, 2)[seed // 2 % 3])
    found, expected = both(probability, distances, grid, 0.5, most, seed % 3)
    assert expected.max() >= 8
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("side", "count", "largest"), [(32, 0, 9), (48, 1, 12), (300, 300, 9), (420, 2, 190)])
def test_no_object_one_many_and_large_ones(side: int, count: int, largest: float) -> None:
    """Of objects of more than 128 pixels' radius, too, where between which rays a pixel lies is no longer looked up."""
    probability, distances = answered(oracle.crowded(side, count, 7, largest), 32, 2, 7, 0.5)
    found, expected = both(probability, distances, 2, 0.5, 0.4, 2)
    assert np.array_equal(found, expected)
    assert (count == 0) == (found.max() == 0)


@pytest.mark.real_data
@pytest.mark.parametrize("scale", [0.5, 1])
def test_nuclei_of_the_shipped_network_in_a_real_image(shared_data: Path, scale: float) -> None:
    package = Package.load("zoo/nuclei-cells")
    arguments = dict(package.outputs[0].steps[0].arguments)
    image = tifffile.imread(shared_data / "nuclei_with_labels_stardist" / "img2d.tif").astype(np.float32)
    low, high = np.percentile(image, [1, 99.8])
    image = np.asarray(cv2.resize((image - low) / (high - low), None, fx=scale, fy=scale), np.float32)
    session = onnxruntime.InferenceSession(chosen_weights("nuclei", package, "float32")[0])
    (output,) = session.run(None, {session.get_inputs()[0].name: image[None, None]})
    probability, distances = output[0, 0], np.ascontiguousarray(np.moveaxis(output[0, 1:], 0, -1))
    thresholds = arguments["prob_threshold"], arguments["nms_threshold"]
    found, expected = both(probability, distances, arguments["grid"][0], *thresholds, arguments["b"])
    assert expected.max() > 80
    assert np.array_equal(found, expected)
