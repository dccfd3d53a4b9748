"""Faster R-CNN and Mask R-CNN on a feature pyramid: regions are proposed, cut out by RoIAlign, classified and outlined.

S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN", NeurIPS 2015, arXiv:1506.01497; K. He, G. Gkioxari, P. Dollar, R.
Girshick, "Mask R-CNN", ICCV 2017, arXiv:1703.06870; the pyramid: arXiv:1612.03144. Layers are those of Mask R-CNN with
a pyramid: 7x7 bins and two layers of 1024 for boxes, 14x14 bins and four convolutions of 256 for masks of 28x28.

What differs: everything up to the last suppression is inside of the graph, with tables of a fixed number of rows. Each
region is cut out of all four maps of the pyramid and that of its level is taken, so that no number of regions depends
on the pixels; batch normalisation of the ResNet is trained or not as others wish (the paper: not). The losses, and the
choice of regions to train on, are no part of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..classify.resnet import ResNetBody
from .boxes import THIN, clipped, decoded
from .operators import nms, onnx_translations, roi_align
from .proposals import RegionProposals
from .pyramid import STRIDES, FeaturePyramid

SAMPLES = 2
"""Points per bin of RoIAlign, along y and along x."""
WEIGHTS = (10.0, 5.0)
"""What the second stage's changes are divided by: places, logarithms of sizes."""
USUAL, USUAL_LEVEL = 224, 2
"""A region of so many pixels per side is cut out of the map of that number (the third, at a stride of 16)."""
COLUMNS = ("y0", "x0", "y1", "x1", "class", "score")


class FasterRcnn(nn.Module):
    """float32 (b, inputs, y, x), y and x of at least 32, to candidates (b, `detections`, 6): COLUMNS, the best first.

    Boxes are in pixels of the frame from the edge of the first one, `class` counts from 0 (the background has none),
    rows that are not needed are zeros. The paper's: depth 50, 3 inputs, 80 classes, `width` 64, 256 `features`,
    `hidden` 1024, 1000 `regions` of which 100 `detections` stay, scores from 0.05 on, overlaps of 0.5 at most.
    `sizes` are the sides of the boxes that regions start from, one per map of the pyramid.
    """

    def __init__(
        self, classes: int = 80, inputs: int = 3, depth: int = 50, width: int = 64, features: int = 256,
        hidden: int = 1024, *, sizes: Sequence[float] = (32, 64, 128, 256, 512), regions: int = 1000,
        detections: int = 100, least_score: float = 0.05, overlap: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        if detections > classes * regions:
            raise ValueError(
                f"found {detections} detections of {classes} classes in {regions} regions, expected one per class and "
                f"region at most: {classes * regions}"
            )
        self.classes, self.detections = classes, detections
        self.least_score, self.overlap = least_score, overlap
        self.body = ResNetBody(depth, inputs, width)
        self.pyramid = FeaturePyramid(self.body.channels, features)
        self.propose = RegionProposals(features, sizes, regions, regions)
        self.bins = 7
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(features * self.bins**2, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
        )  # fmt: skip
        self.score = nn.Linear(hidden, classes + 1)
        self.change = nn.Linear(hidden, 4 * (classes + 1))

    def forward(self, frame: Tensor) -> Tensor:
        return self.found(frame)[0]

    def found(self, frame: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The candidates, and the maps that regions are cut out of."""
        maps = self.pyramid(self.body(frame))
        regions, _ = self.propose(maps, frame)
        logits, changes = self.second(maps, regions)
        count, classes = regions.shape[1], self.classes
        boxes = clipped(decoded(regions[:, :, None], changes[:, :, 1:], WEIGHTS), frame)
        boxes = boxes.transpose(1, 2)  # (b, classes, regions, 4): each class is suppressed by itself
        scores = torch.softmax(logits, dim=2)[:, :, 1:].transpose(1, 2)
        solid = (boxes[..., 2:] - boxes[..., :2] > THIN).all(dim=3)
        there = (regions[..., 2:] > regions[..., :2]).all(dim=2)[:, None] & solid
        scores = torch.where(there & (scores >= self.least_score), scores, torch.zeros_like(scores))
        stays = nms(boxes.flatten(0, 1), scores.flatten(0, 1), self.overlap).unflatten(0, (-1, classes))
        scores = torch.where(stays, scores, torch.zeros_like(scores)).flatten(1)
        kinds = torch.arange(classes, dtype=scores.dtype)[:, None].expand(-1, count).reshape(1, -1, 1)
        table = torch.cat((boxes.flatten(1, 2), kinds.expand(scores.shape[0], -1, -1)), dim=2)
        score, at = scores.topk(self.detections, dim=1)
        rows = torch.cat((table.gather(1, at[..., None].expand(-1, -1, 5)), score[..., None]), dim=2)
        return torch.where(score[..., None] > 0, rows, torch.zeros_like(rows)), maps

    def second(self, maps: Sequence[Tensor], regions: Tensor) -> tuple[Tensor, Tensor]:
        """Of regions (b, n, 4): logits (b, n, classes + 1), the background first; changes (b, n, classes + 1, 4)."""
        features = self.head(cut_out(maps, regions, self.bins))
        count = regions.shape[1]
        logits, changes = self.score(features), self.change(features)
        return logits.unflatten(0, (-1, count)), changes.unflatten(1, (-1, 4)).unflatten(0, (-1, count))

    def onnx_translations(self) -> dict[Callable[..., Any], Callable[..., Any]]:
        """What its own operators are in ONNX; the exporter asks for it."""
        return onnx_translations()


class MaskRcnn(FasterRcnn):
    """As FasterRcnn, to candidates (b, `detections`, 6 + 28 * 28): behind COLUMNS the mask in the box, row by row.

    Masks are probabilities, 0 where there is no candidate; the mask is that of the candidate's class.
    """

    def __init__(self, classes: int = 80, inputs: int = 3, depth: int = 50, width: int = 64, features: int = 256,
                 hidden: int = 1024, **more: Any) -> None:  # fmt: skip
        super().__init__(classes, inputs, depth, width, features, hidden, **more)
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(features, features, 2, stride=2), nn.ReLU(inplace=True)]
        self.mask = nn.Sequential(*layers, nn.Conv2d(features, classes + 1, 1))
        for layer in self.mask:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, frame: Tensor) -> Tensor:
        rows, maps = self.found(frame)
        masks = self.masks(maps, rows[..., :4])  # (b, n, classes + 1, 28, 28)
        kind = rows[..., 4].to(torch.int64) + 1
        side = masks.shape[-1]
        own = masks.gather(2, kind[..., None, None, None].expand(-1, -1, 1, side, side)).squeeze(2)
        there = (rows[..., 5:] > 0).to(own.dtype)
        return torch.cat((rows, torch.sigmoid(own).flatten(2) * there), dim=2)

    def masks(self, maps: Sequence[Tensor], regions: Tensor) -> Tensor:
        """Logits of the masks of all classes in regions (b, n, 4), the background's first."""
        return self.mask(cut_out(maps, regions, 2 * self.bins)).unflatten(0, (-1, regions.shape[1]))  # type: ignore[no-any-return]


def cut_out(maps: Sequence[Tensor], regions: Tensor, side: int) -> Tensor:
    """Regions (b, n, 4) cut out of the map of their level: (b * n, c, side, side)."""
    count = regions.shape[1]
    boxes = regions.flatten(0, 1)
    images = torch.arange(regions.shape[0])[:, None].expand(-1, count).reshape(-1)
    sides = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).clamp(min=1e-6).sqrt()
    # A little is added so that regions of exactly a level's size do not hang on the last digit.
    level = torch.floor(USUAL_LEVEL + torch.log2(sides / USUAL) + 1e-6).clamp(0, len(STRIDES) - 2)
    found = torch.zeros(())
    for number, (one, stride) in enumerate(zip(maps[:-1], STRIDES[:-1], strict=True)):
        here = (level == number).to(one.dtype)[:, None, None, None]
        found = found + here * roi_align(one, boxes, images, 1 / stride, side, SAMPLES)
    return found
