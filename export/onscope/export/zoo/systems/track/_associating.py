"""Association of cells in stacks as one graph: cells are found, and compared with those of the last stack."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.track import CellAssociation

COLUMNS = ("score", "z", "y", "x", "gone")
"""Of a cell now: how bright its middle is, its place in planes and pixels; and how likely the last stack's cell of this
row has gone. Behind them there is, for each row of the last stack, how likely this cell was that one."""


class StackAssociation(nn.Module):
    """A stack (1, z, y, x) and the memory (1, `cells`, numbers) to a table and the next memory.

    Cells are the brightest places of a smoothed stack that none within `apart` pixels exceeds; those below `least` are
    no cells: their rows are zeros in the memory, as at the beginning. The memory holds the crops (`crop`: z, y, x) and
    the places of the cells, in units of `step` pixels. Rows come by falling score. Stacks have one size.
    """

    def __init__(
        self, shape: tuple[int, int, int], cells: int = 24, crop: tuple[int, int, int] = (8, 16, 16), apart: int = 8,
        least: float = 0.3, step: float = 8.0, width: int = 8,
    ) -> None:  # fmt: skip
        super().__init__()
        self.shape, self.cells, self.crop, self.apart, self.least, self.step = shape, cells, crop, apart, least, step
        self.association = CellAssociation(width)
        planes, rows, columns = (torch.arange(size) for size in crop)
        pitch = [size + 2 * (own // 2) for size, own in zip(shape, crop, strict=True)]
        offsets = (planes[:, None, None] * pitch[1] + rows[:, None]) * pitch[2] + columns
        self.register_buffer("offsets", offsets.flatten(), persistent=False)
        self.offsets: Tensor
        self.pitch = pitch

    @property
    def columns(self) -> tuple[str, ...]:
        """What the numbers of a row are: (1, `cells`, columns)."""
        return (*COLUMNS, *(f"was_{row}" for row in range(self.cells)))

    @property
    def memory(self) -> int:
        """Numbers that are kept of a cell."""
        return self.crop[0] * self.crop[1] * self.crop[2] + 3

    def forward(self, stack: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        scores, z, y, x = self.found(stack)
        there = (scores > self.least).to(stack.dtype)
        crops = self.crops(stack, z, y, x) * there[:, :, None]
        places = torch.stack((z, y, x), dim=2).to(stack.dtype) / self.step
        before, places_before = memory[:, :, :-3], memory[:, :, -3:]
        sizes = (1, self.cells, *self.crop)
        likely = self.association(before.reshape(sizes), crops.reshape(sizes), places_before, places)
        was = (before.abs().amax(dim=2) > 0).to(stack.dtype)[:, :, None]
        # Rows without a cell are zeros: their places are those of whatever is first of what is equally dark.
        found = torch.stack([one.to(stack.dtype) for one in (scores, z, y, x)], dim=2) * there[:, :, None]
        was_each = (likely[:, :, :-1] * was).transpose(1, 2)
        table = torch.cat((found, likely[:, :, -1:] * was, was_each), dim=2)
        return table, torch.cat((crops, places * there[:, :, None]), dim=2)

    def found(self, stack: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scores, z, y and x of the cells, (1, `cells`) each, by falling score."""
        smooth = functional.avg_pool3d(stack[:, None], (1, 5, 5), 1, (0, 2, 2), count_include_pad=False)
        wide = 2 * self.apart + 1
        near = functional.max_pool3d(
            smooth, (self.shape[0] | 1, wide, wide), 1, (self.shape[0] // 2, *[self.apart] * 2)
        )
        peaks = torch.where(smooth >= near, smooth, torch.zeros_like(smooth)).flatten(1)
        scores, at = peaks.topk(self.cells, dim=1)
        plane = self.shape[1] * self.shape[2]
        return scores, at // plane, at % plane // self.shape[2], at % self.shape[2]

    def crops(self, stack: Tensor, z: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """Crops around places, (1, `cells`, numbers); beyond the stack it is dark."""
        deep, high, wide = (size // 2 for size in self.crop)
        padded = functional.pad(stack, (wide, wide, high, high, deep, deep)).flatten(1)
        corner = (z * self.pitch[1] + y) * self.pitch[2] + x
        rows = corner[:, :, None] + self.offsets
        return padded.gather(1, rows.flatten(1)).reshape(1, self.cells, -1)
