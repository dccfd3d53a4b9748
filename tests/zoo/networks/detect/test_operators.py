"""RoIAlign and non-maximum suppression against slow and obvious ones, and against ONNX Runtime's operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from onscope.export.zoo.networks.detect import nms, roi_align
from onscope.export.zoo.networks.detect.operators import onnx_translations


class Both(nn.Module):
    """The two operators alone."""

    def forward(self, maps: Tensor, boxes: Tensor, images: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        return roi_align(maps, boxes, images, 0.25, 3, 2), nms(boxes[None], scores[None], 0.5)


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    """Both in ONNX, for maps, boxes and groups of any size."""
    example = (torch.rand(2, 3, 8, 9), torch.rand(4, 4), torch.zeros(4, dtype=torch.int64), torch.rand(4))
    free = torch.export.Dim.DYNAMIC
    made = torch.onnx.export(
        Both().eval(),
        example,
        dynamo=True,
        opset_version=20,
        verbose=False,
        input_names=["maps", "boxes", "images", "scores"],
        custom_translation_table=onnx_translations(),
        dynamic_shapes=({2: free, 3: free}, {0: free}, {0: free}, {0: free}),
    )
    assert made is not None
    kinds = [node.op_type for node in made.model_proto.graph.node]
    assert (kinds.count("RoiAlign"), kinds.count("NonMaxSuppression")) == (1, 1)
    return onnxruntime.InferenceSession(made.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])


def bilinear(image: Any, y: float, x: float) -> float:
    """At (y, x), whole numbers being middles of pixels; 0 further than one pixel outside."""
    tall, wide = image.shape
    if y < -1 or y > tall or x < -1 or x > wide:
        return 0.0
    y, x = min(max(y, 0), tall - 1), min(max(x, 0), wide - 1)
    top, left = int(y), int(x)
    below, right = min(top + 1, tall - 1), min(left + 1, wide - 1)
    upper = image[top, left] * (1 - (x - left)) + image[top, right] * (x - left)
    lower = image[below, left] * (1 - (x - left)) + image[below, right] * (x - left)
    return float(upper * (1 - (y - top)) + lower * (y - top))


def slow_roi_align(maps: Any, boxes: Any, images: Any, scale: float, side: int, samples: int) -> Any:
    found = np.zeros((len(boxes), maps.shape[1], side, side))
    for n, (y0, x0, y1, x1) in enumerate(boxes * scale):
        for c, i, j in np.ndindex(maps.shape[1], side, side):
            points = [
                bilinear(
                    maps[images[n], c],
                    y0 - 0.5 + (y1 - y0) * (i + (p + 0.5) / samples) / side,
                    x0 - 0.5 + (x1 - x0) * (j + (q + 0.5) / samples) / side,
                )
                for p, q in np.ndindex(samples, samples)
            ]
            found[n, c, i, j] = np.mean(points)
    return found


def slow_nms(boxes: Any, scores: Any, overlap: float) -> list[bool]:
    stays: list[int] = []
    for n in sorted(range(len(boxes)), key=lambda n: (-scores[n], n)):
        for other in stays:
            low, high = np.maximum(boxes[n, :2], boxes[other, :2]), np.minimum(boxes[n, 2:], boxes[other, 2:])
            shared = np.prod(np.maximum(high - low, 0))
            areas = sum(np.prod(boxes[one, 2:] - boxes[one, :2]) for one in (n, other))
            if shared > overlap * (areas - shared):
                break
        else:
            stays.append(n)
    return [n in stays for n in range(len(boxes))]


def drawn(seed: int, count: int, size: float) -> Any:
    """Boxes in and around a frame of `size` pixels."""
    random = np.random.default_rng(seed)
    first = random.uniform(-0.3, 0.9, (count, 2)) * size
    return np.concatenate([first, first + random.uniform(0.02, 0.6, (count, 2)) * size], axis=1).astype(np.float32)


@pytest.mark.parametrize(("scale", "side", "samples"), [(1.0, 2, 1), (0.25, 3, 2), (0.5, 7, 3)])
def test_roi_align_is_its_definition(scale: float, side: int, samples: int) -> None:
    maps = np.random.default_rng(1).normal(size=(2, 2, 8, 11)).astype(np.float32)
    boxes, images = drawn(2, 6, 9 / scale), np.array([0, 1, 0, 1, 1, 0])
    found = roi_align(*map(torch.from_numpy, (maps, boxes, images)), scale, side, samples)
    assert np.allclose(found, slow_roi_align(maps, boxes, images, scale, side, samples), atol=1e-4)


def test_pixels_count_from_their_edge() -> None:
    """Of a ramp whose value is its place, each bin is the place of its middle."""
    ramp = (torch.arange(16.0) + 0.5)[:, None].expand(-1, 16)
    maps = torch.stack((ramp, ramp.T))[None]
    found = roi_align(maps, torch.tensor([[4.0, 6.0, 12.0, 10.0]]), torch.zeros(1, dtype=torch.int64), 1.0, 4, 2)
    assert found[0, 0, :, 0].tolist() == pytest.approx([5, 7, 9, 11])
    assert found[0, 1, 0].tolist() == pytest.approx([6.5, 7.5, 8.5, 9.5])


def test_maps_learn_through_roi_align() -> None:
    maps = torch.rand(1, 2, 6, 6, requires_grad=True)
    boxes, images = torch.tensor([[1.0, 1.0, 5.0, 4.0], [-9.0, -9.0, -5.0, -5.0]]), torch.zeros(2, dtype=torch.int64)
    roi_align(maps, boxes, images, 1.0, 2, 2)[0].sum().backward()
    assert maps.grad is not None
    assert float(maps.grad.sum()) == pytest.approx(8)  # the weights of each bin's points add up to 1, in both channels
    torch.library.opcheck(
        torch.ops.onscope.roi_align.default, (maps, boxes, images, 1.0, 2, 2),
        test_utils=("test_schema", "test_faketensor"),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 25), overlap=st.sampled_from([0.1, 0.5, 0.7]), ties=st.booleans()
)
def test_nms_is_greedy(seed: int, count: int, overlap: float, ties: bool) -> None:
    random = np.random.default_rng(seed)
    boxes = np.stack([drawn(seed, count, 10), drawn(seed + 1, count, 10)])
    boxes[:, :: count // 2 + 1, 2:] = boxes[:, :: count // 2 + 1, :2]  # some without an area
    scores = random.random((2, count)).astype(np.float32)
    scores = np.round(scores, 1) if ties else scores
    found = nms(torch.from_numpy(boxes), torch.from_numpy(scores), overlap)
    assert found.tolist() == [slow_nms(each, own, overlap) for each, own in zip(boxes, scores, strict=True)]


@pytest.mark.parametrize("seed", range(6))
def test_onnx_runtime_answers_alike(session: onnxruntime.InferenceSession, seed: int) -> None:
    random = np.random.default_rng(seed)
    count = [1, 3, 12, 40, 80, 200][seed]
    maps = random.normal(size=(2, 3, 6 + seed, 11 - seed)).astype(np.float32)
    boxes, images = drawn(seed, count, 30), random.integers(0, 2, count)
    scores = np.round(random.random(count), 2).astype(np.float32)  # some are equal
    cut, stays = session.run(None, {"maps": maps, "boxes": boxes, "images": images, "scores": scores})
    given = [torch.from_numpy(each) for each in (maps, boxes, images, scores)]
    want_cut, want_stays = Both()(*given)
    assert np.allclose(cut, want_cut, atol=1e-5)
    assert np.array_equal(stays, want_stays)
    assert want_stays[0].tolist() == slow_nms(boxes, scores, 0.5)
