"""D2NN: a classifier made of light, whose layers are masks that delay it and whose sums are diffraction.

X. Lin et al., "All-optical machine learning using diffractive deep neural networks", Science 361, 1004 (2018),
doi:10.1126/science.aat8084: five layers of 200x200 neurons, 0.4 mm wide and 3 cm apart, at 0.4 THz (0.75 mm); the class
is the detector that gets most light. 0.2 million phases are all that is trained.

What differs: the places and sizes of the ten detectors (rows of three, four and three, as far as they are known), the
size of the picture on the first plane and the phases that training begins with are chosen here; the answer is each
detector's share of the light on all of them.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .optics import FreeSpace, PhaseMask, Transform, intensity


class D2nn(nn.Module):
    """float32 pictures (b, 1, `picture`, `picture`) from 0 to 1, of that one size, to shares of light (b, `classes`).

    The picture is the light's amplitude, or with `encoded` "phase" its delay in turns; each of its pixels is
    `enlarged` neurons wide (None: as many as fit into half of the plane), in the middle of a dark plane of `side`
    neurons. Lengths are millimetres. `border` is that of `FreeSpace` (None: half of `side`).
    """

    def __init__(
        self, classes: int = 10, side: int = 200, layers: int = 5, picture: int = 28, *, enlarged: int | None = None,
        encoded: Literal["amplitude", "phase"] = "amplitude", pitch: float = 0.4, wavelength: float = 0.75,
        distance: float = 30.0, border: int | None = None, transform: Transform = "fft",
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoded = encoded
        self.enlarged = max(1, side // 2 // picture) if enlarged is None else enlarged
        spare = side - picture * self.enlarged
        if spare < 0:
            raise ValueError(
                f"found a picture of {picture} pixels of {self.enlarged} neurons, expected at most {side} neurons"
            )
        self.around = (spare // 2, spare - spare // 2) * 2
        # The way is the same between all planes, so that its numbers are in the graph once.
        border = side // 2 if border is None else border
        self.space = FreeSpace((side, side), pitch, wavelength, distance, border, transform)
        self.masks = nn.ModuleList(PhaseMask((side, side)) for _ in range(layers))
        self.register_buffer("detectors", detector_regions(classes, side), persistent=False)
        self.detectors: Tensor

    def forward(self, picture: Tensor) -> Tensor:
        seen = intensity(self.field(picture))
        light = (seen[:, None] * self.detectors).sum(dim=(2, 3))
        return light / light.sum(dim=1, keepdim=True).clamp(min=1e-12)

    def field(self, picture: Tensor) -> Tensor:
        """The field on the detectors, (b, 2, side, side)."""
        field = self.space(self._lit(picture))
        for mask in self.masks:
            field = self.space(mask(field))
        return field  # type: ignore[no-any-return]

    def _lit(self, picture: Tensor) -> Tensor:
        large = functional.interpolate(picture, scale_factor=float(self.enlarged), mode="nearest")
        if self.encoded == "phase":
            turns = 2 * math.pi * large
            return functional.pad(torch.cat((torch.cos(turns), torch.sin(turns)), dim=1), self.around)
        return functional.pad(torch.cat((large, torch.zeros_like(large)), dim=1), self.around)


def detector_regions(classes: int, side: int) -> Tensor:
    """Squares on a plane of `side` pixels, float32 (classes, side, side) of 0 and 1: about as many per row as rows.

    Ten lie in rows of three, four and three. They are a tenth of the plane wide, less where many share a row. Raises
    ValueError where the plane is too small for them.
    """
    rows = max(1, round(math.sqrt(classes)))
    counts = [classes // rows] * rows
    for number in range(classes % rows):  # what is left goes to the middle rows
        counts[(rows // 2 + number) % rows] += 1
    wide = min(side // 10, side // (2 * max(*counts, rows)))
    if wide < 1:
        raise ValueError(f"found a plane of {side} pixels for {classes} detectors, expected a larger one")
    regions = torch.zeros(classes, side, side)
    number = 0
    for row, count in enumerate(counts):
        top = round((row + 1) * side / (rows + 1) - wide / 2)
        for column in range(count):
            left = round((column + 1) * side / (count + 1) - wide / 2)
            regions[number, top : top + wide, left : left + wide] = 1
            number += 1
    return regions
